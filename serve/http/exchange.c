/* SPDX-License-Identifier: Apache-2.0 */
/* From a complete head to an answer: who may, which operation, and what the answer is made of. */
#include "serve/http/exchange.h"

#include <stdarg.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "serve/api/contents.h"
#include "serve/api/errors.h"
#include "serve/api/operations.h"
#include "serve/http/guard.h"
#include "serve/page/site.h"
#include "serve/proxy/following.h"
#include "serve/proxy/ring.h"
#include "serve/operate/pages.h"

enum serve_method serve_method_of(const char *name)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};

    for (size_t i = 0; i < CORAS_ARRAY_LEN(names); i++) {
        if (coras_streq(names[i], name))
            return (enum serve_method)i;
    }
    return SERVE_OTHER_METHOD;
}

void serve_exchange_init(struct serve_exchange *x, struct serve_registry *registry)
{
    *x = (struct serve_exchange){
        .registry = registry,
        .content = &registry->own.content,
        .content_length = -1,
        .body = CORAS_BUF_UNLIMITED,
        .answer = {.body = CORAS_BUF_UNLIMITED, .fd = -1},
    };
}

static void answer_clear(struct serve_answer *a)
{
    for (size_t i = 0; i < a->header_count; i++)
        free(a->headers[i].value);
    coras_buf_clear(&a->body);
    coras_close_fd(&a->fd);
    if (a->stream.user)
        a->stream.close(a->stream.user);
}

/* An upload cut off in the middle keeps its bytes, unless nobody could ever ask for them. */
static void leave_upload(struct serve_exchange *x)
{
    if (x->upload && x->upload_is_own)
        serve_session_drop(x->registry->sessions, x->upload);
    else if (x->upload)
        serve_session_release(x->registry->sessions, x->upload);
    x->upload = NULL;
}

void serve_exchange_clear(struct serve_exchange *x)
{
    leave_upload(x);
    if (x->pending.user)
        x->pending.close(x->pending.user);
    serve_following_clear(x);
    if (x->holds_blob)
        serve_uses_release(x->registry->uses, &x->route.digest);
    if (x->body_budget > 0)
        serve_budget_give(x->registry->bodies, x->body_budget);
    answer_clear(&x->answer);
    serve_route_clear(&x->route);
    serve_place_clear(&x->place);
    free(x->asked);
    coras_buf_clear(&x->body);
    coras_error_clear(&x->body_error);
    free(x->target);
    free(x->authority);
    free(x->user);
}

bool serve_list_names(const char *list, const char *text)
{
    size_t len = list ? strnlen(list, CORAS_LIMIT_REQUEST_LIST) : 0;

    return memmem(list ? list : "", len, text, strlen(text)) != NULL;
}

bool serve_etag_named(const char *list, const coras_digest *digest)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    return list &&
           (coras_streq(list, "*") || serve_list_names(list, coras_digest_format(digest, text)));
}

/* ---- answers ---- */

void serve_answer_header(struct serve_exchange *x, const char *name, const char *fmt, ...)
{
    coras_auto_buf value = CORAS_BUF_UNLIMITED;
    struct serve_answer *a = &x->answer;
    va_list ap;

    va_start(ap, fmt);
    coras_buf_vprintf(&value, fmt, ap);
    va_end(ap);
    if (a->header_count < SERVE_ANSWER_HEADERS_MAX &&
        coras_buf_take(&value, &a->headers[a->header_count].value, NULL) == 0)
        a->headers[a->header_count++].name = name;
    else
        a->incomplete = true;
}

void serve_answer_digest(struct serve_exchange *x, const char *header, const coras_digest *digest)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    serve_answer_header(x, header, "%s", coras_digest_format(digest, text));
}

void serve_answer_empty(struct serve_exchange *x, int status)
{
    x->answer.status = status;
}

void serve_answer_body(struct serve_exchange *x, int status, const char *content_type)
{
    serve_answer_header(x, "Content-Type", "%s", content_type);
    x->answer.status = status;
}

/* ---- what the head must fulfil ---- */

static enum serve_right right_of(const struct serve_exchange *x)
{
    if (x->route.kind == SERVE_ROUTE_BASE || x->route.kind == SERVE_ROUTE_SITE_STYLE)
        return SERVE_RIGHT_NONE;
    if (x->route.kind == SERVE_ROUTE_CATALOG || x->route.kind == SERVE_ROUTE_SITE_HOME)
        return SERVE_RIGHT_CATALOG;
    if (x->route.kind == SERVE_ROUTE_METRICS)
        return SERVE_RIGHT_OPERATE;
    if (x->route.kind == SERVE_ROUTE_SITE_REPOSITORY)
        return SERVE_RIGHT_LIST;
    if (x->route.kind == SERVE_ROUTE_TAGS && (x->method == SERVE_GET || x->method == SERVE_HEAD))
        return SERVE_RIGHT_LIST;
    /* a session, even to look at, is for those who may write */
    if (x->route.kind == SERVE_ROUTE_UPLOADS || x->route.kind == SERVE_ROUTE_SESSION)
        return SERVE_RIGHT_WRITE;
    switch (x->method) {
    case SERVE_GET:
    case SERVE_HEAD:
        return SERVE_RIGHT_READ;
    case SERVE_DELETE:
        return SERVE_RIGHT_DELETE;
    default:
        return SERVE_RIGHT_WRITE;
    }
}

static void offer_log_in(struct serve_exchange *x)
{
    serve_answer_header(x, "WWW-Authenticate", "Basic realm=\"coras\"");
}

/* The same words whether there is such a repository or not. */
static void answer_verdict(struct serve_exchange *x, enum serve_verdict verdict)
{
    if (verdict == SERVE_ACCESS_UNAUTHORIZED) {
        offer_log_in(x);
        serve_answer_error(x, SERVE_API_UNAUTHORIZED, "authentication required", NULL);
        return;
    }
    serve_metrics_add(x->registry->metrics, SERVE_METRIC_DENIED, NULL, 1);
    if (verdict == SERVE_ACCESS_HIDDEN)
        serve_answer_error(x, SERVE_API_NAME_UNKNOWN, "repository name not known to registry",
                           x->asked);
    else
        serve_answer_error(x, SERVE_API_DENIED, "no rule allows this", x->asked);
}

static struct serve_asker asker_of(const struct serve_exchange *x)
{
    return (struct serve_asker){serve_exchange_header(x, "Authorization"), x->peer, x->network};
}

/* A target that was not understood is of no repository, and is only told so. */
static bool is_allowed(struct serve_exchange *x)
{
    bool is_known = x->route_error == SERVE_ROUTE_OK;
    enum serve_right right = is_known ? right_of(x) : SERVE_RIGHT_NONE;
    const char *repository = is_known ? x->route.repository : NULL;
    const struct serve_asker asker = asker_of(x);
    enum serve_verdict verdict;

    if (serve_page_is_open(x))
        return true;
    if (right == SERVE_RIGHT_OPERATE && !serve_access_has_users(x->registry->access)) {
        serve_answer_error(x, SERVE_API_DENIED, "only from the machine itself", NULL);
        return false;
    }
    verdict = serve_access_check(x->registry->access, &asker, right, repository, &x->user);
    if (verdict == SERVE_ACCESS_GRANTED)
        return true;
    if (asker.authorization && !x->user)
        serve_metrics_add(x->registry->metrics, SERVE_METRIC_WRONG_PASSWORDS, NULL, 1);
    answer_verdict(x, verdict);
    return false;
}

static void answer_route_error(struct serve_exchange *x, enum serve_route_error error)
{
    switch (error) {
    case SERVE_ROUTE_OK:
        break;
    case SERVE_ROUTE_BAD_TARGET:
        serve_answer_error_status(x, 400, SERVE_API_UNSUPPORTED, "malformed request target", NULL);
        break;
    case SERVE_ROUTE_NOT_FOUND:
        serve_answer_error_status(x, 404, SERVE_API_UNSUPPORTED, "no such endpoint", NULL);
        break;
    case SERVE_ROUTE_BAD_NAME:
        serve_answer_error(x, SERVE_API_NAME_INVALID, "invalid repository name", NULL);
        break;
    case SERVE_ROUTE_UNKNOWN_NAME:
        serve_answer_error(x, SERVE_API_NAME_UNKNOWN, "not a registry that is served here", NULL);
        break;
    case SERVE_ROUTE_BAD_TAG:
        serve_answer_error(x, SERVE_API_TAG_INVALID, "invalid tag", NULL);
        break;
    case SERVE_ROUTE_BAD_DIGEST:
        serve_answer_error(x, SERVE_API_DIGEST_INVALID, "invalid or unsupported digest", NULL);
        break;
    case SERVE_ROUTE_BAD_SESSION:
        serve_answer_error(x, SERVE_API_BLOB_UPLOAD_UNKNOWN, "no such upload", NULL);
        break;
    }
}

/* ---- dispatch ---- */

static void answer_base(struct serve_exchange *x)
{
    /* some clients learn here alone that there are passwords, and need none to read */
    if (serve_access_has_users(x->registry->access) && !x->user)
        offer_log_in(x);
    coras_buf_puts(&x->answer.body, "{}");
    serve_answer_body(x, 200, "application/json");
}

typedef void (*operation)(struct serve_exchange *x);

/* Row: route; column: method. GET serves HEAD too. */
static operation operation_of(enum serve_route_kind kind, enum serve_method method)
{
    static const operation table[SERVE_ROUTE_COUNT][SERVE_OTHER_METHOD] = {
        [SERVE_ROUTE_BASE] = {[SERVE_GET] = answer_base},
        [SERVE_ROUTE_CATALOG] = {[SERVE_GET] = serve_catalog_list},
        [SERVE_ROUTE_TAGS] = {[SERVE_GET] = serve_tags_list},
        [SERVE_ROUTE_REFERRERS] = {[SERVE_GET] = serve_referrers_list},
        [SERVE_ROUTE_MANIFEST] = {[SERVE_GET] = serve_manifest_get,
                                  [SERVE_PUT] = serve_manifest_put_begin,
                                  [SERVE_DELETE] = serve_manifest_delete},
        [SERVE_ROUTE_BLOB] = {[SERVE_GET] = serve_blob_get, [SERVE_DELETE] = serve_blob_delete},
        [SERVE_ROUTE_UPLOADS] = {[SERVE_POST] = serve_upload_start},
        [SERVE_ROUTE_SESSION] = {[SERVE_GET] = serve_upload_status,
                                 [SERVE_PATCH] = serve_upload_chunk,
                                 [SERVE_PUT] = serve_upload_chunk,
                                 [SERVE_DELETE] = serve_upload_cancel},
        [SERVE_ROUTE_HEALTH] = {[SERVE_GET] = serve_page_health},
        [SERVE_ROUTE_READY] = {[SERVE_GET] = serve_page_ready},
        [SERVE_ROUTE_METRICS] = {[SERVE_GET] = serve_page_metrics},
        [SERVE_ROUTE_SITE_HOME] = {[SERVE_GET] = serve_site_home},
        [SERVE_ROUTE_SITE_REPOSITORY] = {[SERVE_GET] = serve_site_repository},
        [SERVE_ROUTE_SITE_MANIFEST] = {[SERVE_GET] = serve_site_manifest},
        [SERVE_ROUTE_SITE_STYLE] = {[SERVE_GET] = serve_site_style},
    };

    if (method == SERVE_OTHER_METHOD)
        return NULL;
    return table[kind][method == SERVE_HEAD ? SERVE_GET : method];
}

static void answer_wrong_method(struct serve_exchange *x)
{
    static const struct {
        enum serve_method method;
        const char *name;
    } names[] = {{SERVE_GET, "GET, HEAD"},
                 {SERVE_POST, "POST"},
                 {SERVE_PUT, "PUT"},
                 {SERVE_PATCH, "PATCH"},
                 {SERVE_DELETE, "DELETE"}};
    coras_auto_buf allow = CORAS_BUF_UNLIMITED;

    for (size_t i = 0; i < CORAS_ARRAY_LEN(names); i++) {
        if (operation_of(x->route.kind, names[i].method))
            coras_buf_printf(&allow, "%s%s", allow.len > 0 ? ", " : "", names[i].name);
    }
    serve_answer_header(x, "Allow", "%s", allow.ptr);
    serve_answer_error(x, SERVE_API_UNSUPPORTED, "method not supported here", NULL);
}

/* What was pushed under the name of another registry would stand before what that one has. */
static bool may_push(struct serve_exchange *x)
{
    bool pushes = x->method == SERVE_PUT || x->method == SERVE_POST || x->method == SERVE_PATCH;

    if (!pushes || !x->place.is_named)
        return true;
    serve_answer_error(x, SERVE_API_UNSUPPORTED, "this is the copy of another registry", NULL);
    return false;
}

/* false: answered. */
static bool may_write(struct serve_exchange *x)
{
    if (x->method == SERVE_GET || x->method == SERVE_HEAD || !x->content->read_only)
        return may_push(x);
    if (x->registry->disk_was_full && x->content == &x->registry->own.content)
        serve_answer_error_status(x, 507, SERVE_API_DENIED, "no space left in the registry", NULL);
    else
        serve_answer_error(x, SERVE_API_UNSUPPORTED, "this registry is read-only", NULL);
    return false;
}

/* Spec: RFC 9112 3.2.2, a target may be a whole URL; what is ours in it is the path. */
static enum serve_route_error take_target(struct serve_exchange *x)
{
    coras_str authority = {NULL, 0};
    const char *path = NULL;

    if (!serve_target_split(x->target, &authority, &path))
        return SERVE_ROUTE_BAD_TARGET;
    if (authority.len > 0) {
        x->authority = coras_strndup(authority.ptr, authority.len);
        if (!x->authority)
            return SERVE_ROUTE_BAD_TARGET;
    }
    return serve_route_parse(path, &x->route);
}

/* Pages are for browsers: to all others there is nothing. */
static enum serve_route_error take_page(const struct serve_exchange *x)
{
    bool is_page = x->route.kind == SERVE_ROUTE_SITE_HOME ||
                   x->route.kind == SERVE_ROUTE_SITE_REPOSITORY ||
                   x->route.kind == SERVE_ROUTE_SITE_MANIFEST;

    return is_page && !serve_site_is_wanted(x) ? SERVE_ROUTE_NOT_FOUND : SERVE_ROUTE_OK;
}

/* false: the request goes round in a circle of caches; whoever asked first has its answer soon. */
static bool take_ways(struct serve_exchange *x)
{
    const char *own = x->registry->upstreams->via;
    const char *via = serve_exchange_header(x, "Via");

    if (serve_ring_is_closed(own, via))
        return false;
    x->place.via = serve_ring_extend(own, via);
    return x->place.via != NULL;
}

/* From here on the repository is the one here, and `asked` what the client called it. */
static enum serve_route_error take_place(struct serve_exchange *x)
{
    if (!x->route.repository)
        return SERVE_ROUTE_OK;
    switch (
        serve_place_find(x->registry->upstreams, x->route.repository, &x->route.query, &x->place)) {
    case SERVE_PLACE_OK:
        break;
    case SERVE_PLACE_UNKNOWN:
        return SERVE_ROUTE_UNKNOWN_NAME;
    default:
        return SERVE_ROUTE_BAD_NAME;
    }
    if (x->place.upstream && !take_ways(x))
        return SERVE_ROUTE_UNKNOWN_NAME;
    if (x->place.is_named && serve_query_get(&x->route.query, "ns"))
        serve_answer_header(x, "OCI-Namespace", "%s", x->place.upstream->setting.name);
    x->asked = x->route.repository;
    x->route.repository = coras_strdup(x->place.local);
    return x->route.repository ? SERVE_ROUTE_OK : SERVE_ROUTE_BAD_NAME;
}

enum serve_work serve_exchange_open(struct serve_exchange *x, struct serve_job *job)
{
    const struct serve_asker asker = asker_of(x);
    int64_t delay_ms = 0;

    x->route_error = take_target(x);
    if (x->route_error == SERVE_ROUTE_OK)
        x->route_error = take_page(x);
    if (x->route_error == SERVE_ROUTE_OK)
        x->route_error = take_place(x);
    if (!serve_access_is_slow(x->registry->access, &asker, &delay_ms))
        return SERVE_WORK_NONE;
    job->party = x->network;
    job->is_late = delay_ms > 0;
    job->not_before_ms = delay_ms > 0 ? coras_now_ms() + delay_ms : 0;
    return SERVE_WORK_PASSWORD;
}

/* ---- the course ---- */

void serve_exchange_admit(struct serve_exchange *x)
{
    serve_answer_header(x, "Docker-Distribution-API-Version", "registry/2.0");
    serve_answer_header(x, "X-Content-Type-Options", "nosniff");
    if (serve_guard_origin(x))
        (void)is_allowed(x); /* it answers when not */
}

void serve_exchange_begin(struct serve_exchange *x)
{
    operation run;

    x->has_to_ask = false;
    serve_exchange_find_content(x);
    if (!may_write(x) || !serve_guard_body(x))
        return;
    if (x->route_error != SERVE_ROUTE_OK) {
        answer_route_error(x, x->route_error);
        return;
    }
    run = operation_of(x->route.kind, x->method);
    if (run)
        run(x);
    else
        answer_wrong_method(x);
    if (x->may_ask)
        serve_following_abandon(x); /* it came to that without asking */
}

enum serve_progress serve_exchange_go_on(struct serve_exchange *x, serve_waiter *waiter)
{
    return x->pending.go_on(x, x->pending.user, waiter);
}

/* The first thing that is wrong with a collected body decides; the rest of it is not kept. */
static void collect(struct serve_exchange *x, const void *data, size_t len)
{
    if (x->body_too_large || x->no_room)
        return;
    if (!serve_budget_try(x->registry->bodies, len)) {
        x->no_room = true;
        return;
    }
    x->body_budget += len;
    coras_buf_put(&x->body, data, len);
    x->body_too_large = x->body.failed != 0;
}

void serve_exchange_data(struct serve_exchange *x, const void *data, size_t len)
{
    x->received += (int64_t)len;
    if (x->answer.status != 0)
        return; /* answered already: the rest is drained */
    if (x->upload)
        serve_upload_data(x, data, len);
    else if (x->body_wanted)
        collect(x, data, len);
}

void serve_exchange_end(struct serve_exchange *x)
{
    if (x->answer.status != 0)
        return;
    x->is_ending = true;
    if (x->upload)
        serve_upload_end(x);
    else if (x->no_room)
        serve_answer_busy(x);
    else if (x->body_wanted)
        serve_manifest_put_end(x);
    if (x->answer.status == 0 && !x->pending.user)
        serve_answer_error(x, SERVE_API_UNKNOWN, "internal error", NULL);
}
