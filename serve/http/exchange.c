#include "serve/http/exchange.h"

#include <stdarg.h>
#include "base/alloc.h"
#include "base/error.h"
#include "serve/api/errors.h"
#include "serve/api/operations.h"

void coras_exchange_init(struct coras_exchange *x, struct coras_registry *registry)
{
    *x = (struct coras_exchange){
        .registry = registry,
        .content_length = -1,
        .body = CORAS_BUF_UNLIMITED,
        .answer = {.body = CORAS_BUF_UNLIMITED, .fd = -1},
    };
}

static void answer_clear(struct coras_answer *a)
{
    for (size_t i = 0; i < a->header_count; i++)
        free(a->headers[i].value);
    coras_buf_clear(&a->body);
    coras_close_fd(&a->fd);
}

/* An upload cut off in the middle keeps its bytes, unless nobody could ever ask for them. */
static void leave_upload(struct coras_exchange *x)
{
    if (x->upload && x->upload_is_own)
        coras_session_drop(x->registry->sessions, x->upload);
    else if (x->upload)
        coras_session_release(x->registry->sessions, x->upload);
    x->upload = NULL;
}

void coras_exchange_clear(struct coras_exchange *x)
{
    leave_upload(x);
    answer_clear(&x->answer);
    coras_route_clear(&x->route);
    coras_buf_clear(&x->body);
    coras_error_clear(&x->body_error);
    free(x->target);
    free(x->user);
}

bool coras_etag_named(const char *list, const coras_digest *digest)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    return list && (coras_streq(list, "*") || strstr(list, coras_digest_format(digest, text)));
}

/* ---- answers ---- */

void coras_answer_header(struct coras_exchange *x, const char *name, const char *fmt, ...)
{
    coras_auto_buf value = CORAS_BUF_UNLIMITED;
    struct coras_answer *a = &x->answer;
    va_list ap;

    va_start(ap, fmt);
    coras_buf_vprintf(&value, fmt, ap);
    va_end(ap);
    if (a->header_count < CORAS_ANSWER_HEADERS_MAX &&
        coras_buf_take(&value, &a->headers[a->header_count].value, NULL) == 0)
        a->headers[a->header_count++].name = name;
    else
        a->incomplete = true;
}

void coras_answer_digest(struct coras_exchange *x, const char *header, const coras_digest *digest)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    coras_answer_header(x, header, "%s", coras_digest_format(digest, text));
}

void coras_answer_empty(struct coras_exchange *x, int status)
{
    x->answer.status = status;
}

void coras_answer_body(struct coras_exchange *x, int status, const char *content_type)
{
    coras_answer_header(x, "Content-Type", "%s", content_type);
    x->answer.status = status;
}

/* ---- what the head must fulfil ---- */

static enum coras_right right_of(const struct coras_exchange *x)
{
    if (x->route.kind == CORAS_ROUTE_BASE)
        return CORAS_RIGHT_NONE;
    if (x->route.kind == CORAS_ROUTE_CATALOG)
        return CORAS_RIGHT_CATALOG;
    /* a session, even to look at, is for those who may write */
    if (x->route.kind == CORAS_ROUTE_UPLOADS || x->route.kind == CORAS_ROUTE_SESSION)
        return CORAS_RIGHT_WRITE;
    switch (x->method) {
    case CORAS_GET:
    case CORAS_HEAD:
        return CORAS_RIGHT_READ;
    case CORAS_DELETE:
        return CORAS_RIGHT_DELETE;
    default:
        return CORAS_RIGHT_WRITE;
    }
}

static void offer_log_in(struct coras_exchange *x)
{
    coras_answer_header(x, "WWW-Authenticate", "Basic realm=\"coras\"");
}

static bool is_allowed(struct coras_exchange *x)
{
    const char *authorization = coras_exchange_header(x, "Authorization");

    if (coras_access_check(x->registry->access, authorization, x->peer, right_of(x), &x->user) ==
        CORAS_ACCESS_GRANTED)
        return true;
    offer_log_in(x);
    coras_answer_error(x, CORAS_API_UNAUTHORIZED, "authentication required", NULL);
    return false;
}

static void answer_route_error(struct coras_exchange *x, enum coras_route_error error)
{
    switch (error) {
    case CORAS_ROUTE_OK:
        break;
    case CORAS_ROUTE_BAD_TARGET:
        coras_answer_error_status(x, 400, CORAS_API_UNSUPPORTED, "malformed request target", NULL);
        break;
    case CORAS_ROUTE_NOT_FOUND:
        coras_answer_error_status(x, 404, CORAS_API_UNSUPPORTED, "no such endpoint", NULL);
        break;
    case CORAS_ROUTE_BAD_NAME:
        coras_answer_error(x, CORAS_API_NAME_INVALID, "invalid repository name", NULL);
        break;
    case CORAS_ROUTE_BAD_TAG:
        coras_answer_error(x, CORAS_API_TAG_INVALID, "invalid tag", NULL);
        break;
    case CORAS_ROUTE_BAD_DIGEST:
        coras_answer_error(x, CORAS_API_DIGEST_INVALID, "invalid or unsupported digest", NULL);
        break;
    case CORAS_ROUTE_BAD_SESSION:
        coras_answer_error(x, CORAS_API_BLOB_UPLOAD_UNKNOWN, "no such upload", NULL);
        break;
    }
}

/* Headers that would change what the body means. */
static bool body_is_plain(struct coras_exchange *x)
{
    const char *encoding = coras_exchange_header(x, "Content-Encoding");
    const char *expect = coras_exchange_header(x, "Expect");

    if (encoding && *encoding && !coras_str_ieq(encoding, "identity")) {
        coras_answer_error_status(x, 415, CORAS_API_UNSUPPORTED,
                                  "encoded request bodies are not supported", NULL);
        return false;
    }
    if (expect && !coras_str_ieq(expect, "100-continue")) {
        coras_answer_error_status(x, 417, CORAS_API_UNSUPPORTED, "unknown expectation", NULL);
        return false;
    }
    return true;
}

/*
 * A web page must not reach a registry on this machine under a name of its own (DNS rebinding):
 * bound to loopback, only names of loopback are answered.
 */
static bool host_is_ours(struct coras_exchange *x)
{
    const char *host = coras_exchange_header(x, "Host");
    size_t len;

    if (!x->registry->loopback_only || !host || !*host)
        return true;
    len = strcspn(host, ":");
    if (host[0] == '[' || strspn(host, "0123456789.") == len)
        return true; /* an address: no name that somebody else could point here */
    if ((len == 9 && strncasecmp(host, "localhost", 9) == 0) ||
        (len > 10 && strncasecmp(host + len - 10, ".localhost", 10) == 0))
        return true;
    coras_answer_error_status(x, 421, CORAS_API_DENIED, "this registry answers to localhost only",
                              NULL);
    return false;
}

/*
 * A web page may send a POST anywhere without asking, though it cannot read the answer: what it
 * changed would stay. Browsers say which page a request comes from; registry clients say nothing.
 */
static bool page_is_ours(struct coras_exchange *x)
{
    const char *site = coras_exchange_header(x, "Sec-Fetch-Site");
    const char *origin = coras_exchange_header(x, "Origin");
    const char *host = coras_exchange_header(x, "Host");
    const char *authority = origin ? strstr(origin, "://") : NULL;
    bool ours = !origin || (authority && host && coras_str_ieq(authority + 3, host));

    if (site)
        ours = coras_streq(site, "same-origin") || coras_streq(site, "none");
    if (ours || x->method == CORAS_GET || x->method == CORAS_HEAD)
        return true;
    coras_answer_error(x, CORAS_API_DENIED, "web pages of other sites may not change anything",
                       NULL);
    return false;
}

/* ---- dispatch ---- */

static void answer_base(struct coras_exchange *x)
{
    /* some clients learn here alone that there are passwords, and need none to read */
    if (coras_access_has_users(x->registry->access) && !x->user)
        offer_log_in(x);
    coras_buf_puts(&x->answer.body, "{}");
    coras_answer_body(x, 200, "application/json");
}

typedef void (*operation)(struct coras_exchange *x);

/* Row: route; column: method. GET serves HEAD too. */
static operation operation_of(enum coras_route_kind kind, enum coras_method method)
{
    static const operation table[CORAS_ROUTE_REFERRERS + 1][CORAS_OTHER_METHOD] = {
        [CORAS_ROUTE_BASE] = {[CORAS_GET] = answer_base},
        [CORAS_ROUTE_CATALOG] = {[CORAS_GET] = coras_catalog_list},
        [CORAS_ROUTE_TAGS] = {[CORAS_GET] = coras_tags_list},
        [CORAS_ROUTE_REFERRERS] = {[CORAS_GET] = coras_referrers_list},
        [CORAS_ROUTE_MANIFEST] = {[CORAS_GET] = coras_manifest_get,
                                  [CORAS_PUT] = coras_manifest_put_begin,
                                  [CORAS_DELETE] = coras_manifest_delete},
        [CORAS_ROUTE_BLOB] = {[CORAS_GET] = coras_blob_get, [CORAS_DELETE] = coras_blob_delete},
        [CORAS_ROUTE_UPLOADS] = {[CORAS_POST] = coras_upload_start},
        [CORAS_ROUTE_SESSION] = {[CORAS_GET] = coras_upload_status,
                                 [CORAS_PATCH] = coras_upload_chunk,
                                 [CORAS_PUT] = coras_upload_chunk,
                                 [CORAS_DELETE] = coras_upload_cancel},
    };

    if (method == CORAS_OTHER_METHOD)
        return NULL;
    return table[kind][method == CORAS_HEAD ? CORAS_GET : method];
}

static void answer_wrong_method(struct coras_exchange *x)
{
    static const struct {
        enum coras_method method;
        const char *name;
    } names[] = {{CORAS_GET, "GET, HEAD"},
                 {CORAS_POST, "POST"},
                 {CORAS_PUT, "PUT"},
                 {CORAS_PATCH, "PATCH"},
                 {CORAS_DELETE, "DELETE"}};
    coras_auto_buf allow = CORAS_BUF_UNLIMITED;

    for (size_t i = 0; i < CORAS_ARRAY_LEN(names); i++) {
        if (operation_of(x->route.kind, names[i].method))
            coras_buf_printf(&allow, "%s%s", allow.len > 0 ? ", " : "", names[i].name);
    }
    coras_answer_header(x, "Allow", "%s", allow.ptr);
    coras_answer_error(x, CORAS_API_UNSUPPORTED, "method not supported here", NULL);
}

void coras_exchange_begin(struct coras_exchange *x)
{
    enum coras_route_error error = coras_route_parse(x->target, &x->route);
    operation run;

    coras_answer_header(x, "Docker-Distribution-API-Version", "registry/2.0");
    coras_answer_header(x, "X-Content-Type-Options", "nosniff");
    if (!host_is_ours(x) || !page_is_ours(x) || !is_allowed(x) || !body_is_plain(x))
        return;
    if (error != CORAS_ROUTE_OK) {
        answer_route_error(x, error);
        return;
    }
    run = operation_of(x->route.kind, x->method);
    if (run)
        run(x);
    else
        answer_wrong_method(x);
}

void coras_exchange_data(struct coras_exchange *x, const void *data, size_t len)
{
    x->received += (int64_t)len;
    if (x->answer.status != 0)
        return; /* answered already: the rest is drained */
    if (x->upload) {
        coras_upload_data(x, data, len);
    } else if (x->body_wanted && !x->body_too_large) {
        coras_buf_put(&x->body, data, len);
        x->body_too_large = x->body.failed != 0;
    }
}

void coras_exchange_end(struct coras_exchange *x)
{
    if (x->answer.status != 0)
        return;
    if (x->upload)
        coras_upload_end(x);
    else if (x->body_wanted)
        coras_manifest_put_end(x);
    if (x->answer.status == 0)
        coras_answer_error(x, CORAS_API_UNKNOWN, "internal error", NULL);
}
