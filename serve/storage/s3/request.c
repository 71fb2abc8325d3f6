/* SPDX-License-Identifier: Apache-2.0 */
/* One request to the store: signed anew for each try, and what its refusal means. */
#include "serve/storage/s3/store.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/retry.h"
#include "http/retry_after.h"
#include "serve/storage/s3/xml.h"

static int put_path(const serve_s3 *s, const char *key, coras_buf *ret, coras_error **err)
{
    serve_s3_put_path(ret, s->path);
    if (key) {
        coras_buf_putc(ret, '/');
        serve_s3_put_path(ret, s->prefix);
        serve_s3_put_path(ret, key);
    }
    return coras_buf_done(ret, err);
}

static int add(coras_header_list *l, const char *name, const char *value, bool secret,
               coras_error **err)
{
    return coras_header_list_add(l, coras_str_of(name), coras_str_of(value), secret, err);
}

static int sign(const serve_s3 *s, const struct serve_s3_signed *what, coras_header_list *ret,
                coras_error **err)
{
    const struct serve_s3_signer signer = {&s->credentials, s->region};
    coras_auto_buf authorization = CORAS_BUF_UNLIMITED;
    char date[SERVE_S3_DATE_MAX];
    int64_t now_s = coras_wall_s();

    serve_s3_date(now_s, date);
    CORAS_TRY(serve_s3_authorization(&signer, what, now_s, &authorization, err));
    CORAS_TRY(add(ret, "x-amz-date", date, false, err));
    CORAS_TRY(add(ret, "x-amz-content-sha256", what->payload, false, err));
    if (s->credentials.token)
        CORAS_TRY(add(ret, "x-amz-security-token", s->credentials.token, true, err));
    if (what->range)
        CORAS_TRY(add(ret, "Range", what->range, false, err));
    return add(ret, "Authorization", authorization.ptr, true, err);
}

/* ---- refusals ---- */

static int code_of(int status)
{
    switch (status) {
    case 404:
        return CORAS_ERR_NOT_FOUND;
    case 401:
    case 403:
        return CORAS_ERR_DENIED;
    case 507:
        return CORAS_ERR_NO_SPACE;
    default: /* after all repetitions */
        return coras_status_is_transient(status) ? CORAS_ERR_TIMEOUT : CORAS_ERR_HTTP;
    }
}

/* The store's own words, made harmless; "" for none. New string, NULL without memory. */
static char *words_of(const coras_response *r)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_auto_free char *code = serve_xml_text(coras_response_body(r), "Code");
    coras_auto_free char *message = serve_xml_text(coras_response_body(r), "Message");
    char *words = NULL;

    if (code) {
        coras_buf_puts(&text, ": ");
        coras_escape(&text, code, strlen(code), CORAS_LIMIT_S3_WORDS);
    }
    if (message) {
        coras_buf_puts(&text, ": ");
        coras_escape(&text, message, strlen(message), CORAS_LIMIT_S3_WORDS);
    }
    return coras_buf_take(&text, &words, NULL) == 0 ? words : NULL;
}

static int refuse(const serve_s3 *s, const struct serve_s3_call *call, const coras_response *r,
                  int code, coras_error **err)
{
    coras_auto_free char *words = words_of(r);

    return coras_fail(err, code, "store %s: %s %s%s%s: HTTP %d%s", s->endpoint, call->method,
                      s->path, call->key ? "/" : "", call->key ? call->key : "",
                      coras_response_status(r), words ? words : "");
}

int serve_s3_check_body(serve_s3 *s, const struct serve_s3_call *call, const coras_response *r,
                        coras_error **err)
{
    coras_str rest = coras_response_body(r), error;

    if (!serve_xml_next(&rest, "Error", &error))
        return 0;
    return refuse(s, call, r, CORAS_ERR_HTTP, err);
}

/* ---- tries ---- */

static int exchange(serve_s3 *s, const struct serve_s3_call *call, const coras_url *url,
                    const char *path, coras_response **ret, struct coras_exchange_end *end,
                    coras_error **err)
{
    coras_auto_value(coras_header_list) headers = {0};
    const struct serve_s3_signed what = {
        .method = call->method,
        .host = s->host,
        .path = path,
        .query = call->query ? call->query : "",
        .range = call->range,
        .payload = call->payload ? call->payload : SERVE_S3_EMPTY_PAYLOAD,
    };
    const coras_request request = {
        .method = call->method,
        .url = url->text,
        .source = call->body,
        .source_offset = call->offset,
        .body_length = call->length,
        .sink = call->sink,
        .body_limit = CORAS_LIMIT_S3_ANSWER,
    };
    const struct coras_exchange ex = {
        .method = call->method,
        .url = url,
        .headers = &headers,
        .request = &request,
        .send_body = true,
    };

    CORAS_TRY(sign(s, &what, &headers, err));
    return coras_http_exchange(s->http, &ex, ret, end, err);
}

static bool is_good(const coras_response *r)
{
    return r && coras_response_status(r) / 100 == 2;
}

static struct coras_retry_verdict judge(coras_retry *tries, const struct serve_s3_call *call,
                                        const coras_response *r, int rc, const coras_error *failure,
                                        const struct coras_exchange_end *end)
{
    const struct coras_retry_case c = {
        .method = call->method,
        .status = r ? coras_response_status(r) : 0,
        .error_code = rc,
        .error_retryable = failure && coras_error_is_retryable(failure),
        .asked_s = r ? coras_response_asked_s(r) : -1,
        .random = coras_random_below(UINT32_MAX),
    };

    if (is_good(r) || call->once || end->sink_bytes > 0 || end->callers_own)
        return (struct coras_retry_verdict){0};
    return coras_retry_decide(tries, &c);
}

static int send_to(serve_s3 *s, const struct serve_s3_call *call, const coras_url *url,
                   const char *path, coras_response **ret, coras_error **err)
{
    coras_retry tries = {.what = CORAS_RETRY_REQUEST};

    for (;;) {
        coras_auto(coras_response) r = NULL;
        coras_auto(coras_error) failure = NULL;
        struct coras_exchange_end end = {0};
        int rc = exchange(s, call, url, path, &r, &end, &failure);
        struct coras_retry_verdict verdict = judge(&tries, call, r, rc, failure, &end);
        atomic_store(&s->is_away, !r && rc != CORAS_ERR_CANCELLED && !end.callers_own);
        if (verdict.again) {
            CORAS_TRY(coras_cancel_sleep_ms(s->cancel, verdict.wait_ms, err));
            continue;
        }
        if (rc < 0) {
            coras_error_propagate(err, &failure);
            return coras_wrap(err, rc, "store %s: %s %s", s->endpoint, call->method, path);
        }
        if (!is_good(r))
            return refuse(s, call, r, code_of(coras_response_status(r)), err);
        *ret = coras_steal(&r);
        return 0;
    }
}

int serve_s3_send(serve_s3 *s, const struct serve_s3_call *call, coras_response **ret,
                  coras_error **err)
{
    coras_auto_buf path = CORAS_BUF_UNLIMITED, text = CORAS_BUF_UNLIMITED;
    coras_url url;

    CORAS_TRY(put_path(s, call->key, &path, err));
    coras_buf_printf(&text, "%s%s", s->endpoint, path.ptr);
    if (call->query)
        coras_buf_printf(&text, "?%s", call->query);
    CORAS_TRY(coras_buf_done(&text, err));
    CORAS_TRY(coras_url_parse(text.ptr, &url, err));
    return send_to(s, call, &url, path.ptr, ret, err);
}

int serve_s3_link(serve_s3 *s, const char *key, coras_buf *ret, coras_error **err)
{
    const struct serve_s3_signer signer = {&s->credentials, s->region};
    coras_auto_buf path = CORAS_BUF_UNLIMITED;
    struct serve_s3_signed what = {.method = "GET", .host = s->host};

    CORAS_TRY(put_path(s, key, &path, err));
    what.path = path.ptr;
    coras_buf_printf(ret, "%s%s?", s->endpoint, path.ptr);
    return serve_s3_presign(&signer, &what, coras_wall_s(), SERVE_S3_LINK_S, ret, err);
}
