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
#include "serve/http/exchange.h"
#include "serve/storage/s3/words.h"
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

static int sign(const struct serve_s3_signer *signer, const struct serve_s3_signed *what,
                coras_header_list *ret, coras_error **err)
{
    coras_auto_buf authorization = CORAS_BUF_UNLIMITED;
    char date[SERVE_S3_DATE_MAX];
    int64_t now_s = coras_wall_s();

    serve_s3_date(now_s, date);
    CORAS_TRY(serve_s3_authorization(signer, what, now_s, &authorization, err));
    CORAS_TRY(add(ret, "x-amz-date", date, false, err));
    CORAS_TRY(add(ret, "x-amz-content-sha256", what->payload, false, err));
    if (signer->credentials->token)
        CORAS_TRY(add(ret, "x-amz-security-token", signer->credentials->token, true, err));
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

static int refuse(const serve_s3 *s, const struct serve_s3_call *call, const coras_response *r,
                  int code, coras_error **err)
{
    coras_auto_free char *words = serve_s3_words(r);

    return coras_fail(err, code, "store %s: %s %s%s%s: HTTP %d%s", s->endpoint, call->method,
                      s->path, call->key ? "/" : "", call->key ? call->key : "",
                      coras_response_status(r), words ? words : "");
}

int serve_s3_check_body(serve_s3 *s, const struct serve_s3_call *call, const coras_response *r,
                        coras_error **err)
{
    coras_str rest = coras_response_body(r), error;
    coras_auto_free char *code = NULL;

    if (!serve_xml_next(&rest, "Error", &error))
        return 0;
    code = serve_xml_text(error, "Code");
    return refuse(s, call, r, serve_s3_code_passes(code) ? CORAS_ERR_TIMEOUT : CORAS_ERR_HTTP, err);
}

/* ---- tries ---- */

static void count(const serve_s3 *s, const struct serve_s3_call *call, const coras_response *r,
                  const struct coras_exchange_end *end, int64_t took_ms)
{
    const struct serve_labels labels = {.method = serve_method_of(call->method),
                                        .code = r ? coras_response_status(r) : 0};

    serve_metrics_add(s->metrics, SERVE_METRIC_STORE_REQUESTS, &labels, 1);
    serve_metrics_took(s->metrics, SERVE_METRIC_STORE_SECONDS, &labels, took_ms);
    serve_metrics_add(s->metrics, SERVE_METRIC_STORE_SENT_BYTES, NULL, r ? call->length : 0);
    serve_metrics_add(s->metrics, SERVE_METRIC_STORE_RECEIVED_BYTES, NULL, end->sink_bytes);
}

/* Where a request goes, and who sends it. */
struct s3_sending {
    const coras_url *url;
    const char *path;
    serve_s3_credentials as;
};

static int exchange(serve_s3 *s, const struct serve_s3_call *call, const struct s3_sending *to,
                    coras_response **ret, struct coras_exchange_end *end, coras_error **err)
{
    const struct serve_s3_signer signer = {&to->as, s->region};
    coras_auto_value(coras_header_list) headers = {0};
    int64_t began_ms = coras_now_ms();
    int rc;
    const struct serve_s3_signed what = {
        .method = call->method,
        .host = s->host,
        .path = to->path,
        .query = call->query ? call->query : "",
        .range = call->range,
        .payload = call->payload ? call->payload : SERVE_S3_EMPTY_PAYLOAD,
    };
    const coras_request request = {
        .method = call->method,
        .url = to->url->text,
        .source = call->body,
        .source_offset = call->offset,
        .body_length = call->length,
        .sink = call->sink,
        .accept = call->accept,
        .accept_user = call->accept_user,
        .body_limit = CORAS_LIMIT_S3_ANSWER,
    };
    const struct coras_exchange ex = {
        .method = call->method,
        .url = to->url,
        .headers = &headers,
        .request = &request,
        .send_body = true,
    };

    CORAS_TRY(sign(&signer, &what, &headers, err));
    rc = coras_http_exchange(s->http, &ex, ret, end, err);
    count(s, call, *ret, end, coras_now_ms() - began_ms);
    return rc;
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

/* Another request would be as wrong, unless it came from somebody else. */
static bool may_be_somebody_else(const coras_response *r)
{
    int status = r ? coras_response_status(r) : 0;

    return status == 400 || status == 401 || status == 403;
}

static int conclude(const serve_s3 *s, const struct serve_s3_call *call, int rc, coras_response **r,
                    coras_error **failure, coras_response **ret, coras_error **err)
{
    if (rc < 0) {
        coras_error_propagate(err, failure);
        return coras_wrap(err, rc, "store %s: %s %s%s%s", s->endpoint, call->method, s->path,
                          call->key ? "/" : "", call->key ? call->key : "");
    }
    if (!is_good(*r))
        return refuse(s, call, *r, code_of(coras_response_status(*r)), err);
    *ret = coras_steal(r);
    return 0;
}

static int send_as(serve_s3 *s, const struct serve_s3_call *call, struct s3_sending *to,
                   coras_response **ret, coras_error **err)
{
    coras_retry tries = {.what = CORAS_RETRY_REQUEST};
    bool renewed = false;

    for (;;) {
        coras_auto(coras_response) r = NULL;
        coras_auto(coras_error) failure = NULL;
        struct coras_exchange_end end = {0};
        int rc = exchange(s, call, to, &r, &end, &failure);
        struct coras_retry_verdict verdict = judge(&tries, call, r, rc, failure, &end);
        atomic_store(&s->is_away, !r && rc != CORAS_ERR_CANCELLED && !end.callers_own);
        if (may_be_somebody_else(r) && !renewed && serve_s3_identity_renew(&s->identity, &to->as)) {
            renewed = true;
            serve_s3_credentials_clear(&to->as);
            CORAS_TRY(serve_s3_identity_get(&s->identity, &to->as, err));
        } else if (!verdict.again) {
            return conclude(s, call, rc, &r, &failure, ret, err);
        } else {
            CORAS_TRY(coras_cancel_sleep_ms(s->cancel, verdict.wait_ms, err));
        }
        serve_metrics_add(s->metrics, SERVE_METRIC_STORE_RETRIES, NULL, 1);
    }
}

static int send_to(serve_s3 *s, const struct serve_s3_call *call, const coras_url *url,
                   const char *path, coras_response **ret, coras_error **err)
{
    struct s3_sending to = {.url = url, .path = path};
    int rc = serve_s3_identity_get(&s->identity, &to.as, err);

    if (rc == 0)
        rc = send_as(s, call, &to, ret, err);
    serve_s3_credentials_clear(&to.as);
    return rc;
}

void serve_s3_look(serve_s3 *s)
{
    coras_auto(coras_response) r = NULL;

    (void)!serve_s3_send(s, &(struct serve_s3_call){.method = "HEAD", .once = true}, &r, NULL);
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
    coras_auto_value(serve_s3_credentials) as = {0};
    const struct serve_s3_signer signer = {&as, s->region};
    coras_auto_buf path = CORAS_BUF_UNLIMITED;
    struct serve_s3_signed what = {.method = "GET", .host = s->host};

    CORAS_TRY(serve_s3_identity_get(&s->identity, &as, err));
    CORAS_TRY(put_path(s, key, &path, err));
    what.path = path.ptr;
    coras_buf_printf(ret, "%s%s?", s->endpoint, path.ptr);
    return serve_s3_presign(&signer, &what, coras_wall_s(), SERVE_S3_LINK_S, ret, err);
}
