/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request to one URL: its headers composed, sent until the retry policy says stop.
 */
#include "http/hop.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/retry.h"
#include "base/error.h"
#include "http/debug_log.h"
#include "http/failure.h"
#include "http/retry_after.h"

static int add(coras_header_list *l, const char *name, const char *value, bool secret,
               coras_error **err)
{
    return coras_header_list_add(l, coras_str_of(name), coras_str_of(value), secret, err);
}

static int compose_headers(const struct coras_send *s, const struct coras_hop *hop, bool own,
                           coras_header_list *l, coras_error **err)
{
    const coras_request *req = s->request;

    for (size_t i = 0; i < req->header_count; i++)
        CORAS_TRY(add(l, req->headers[i].name, req->headers[i].value, false, err));
    for (size_t i = 0; own && i < s->sender->custom.len; i++)
        CORAS_TRY(
            add(l, s->sender->custom.items[i].name, s->sender->custom.items[i].value, true, err));
    if (own && req->via)
        CORAS_TRY(add(l, "Via", req->via, false, err));
    if (!coras_header_list_at(l, "User-Agent", 0))
        CORAS_TRY(add(l, "User-Agent", s->sender->user_agent, false, err));
    if (s->authorization && !hop->left && !coras_header_list_at(l, "Authorization", 0))
        CORAS_TRY(add(l, "Authorization", s->authorization, true, err));
    return 0;
}

static struct coras_retry_case describe(const char *method, const coras_response *r, int rc,
                                        const coras_error *failure)
{
    return (struct coras_retry_case){
        .method = method,
        .status = r ? r->status : 0,
        .error_code = rc,
        .error_retryable = failure && coras_error_is_retryable(failure),
        .asked_s = r ? coras_response_asked_s(r) : -1,
        .random = coras_random_below(UINT32_MAX),
    };
}

static bool is_final(const coras_response *r)
{
    return r && r->status < 400;
}

static bool is_in_time(const coras_request *req, int64_t wait_ms)
{
    return !req->deadline_ms || coras_now_ms() + wait_ms < req->deadline_ms;
}

static int exchange(const struct coras_send *s, const struct coras_exchange *ex,
                    coras_response **ret, struct coras_exchange_end *end, coras_error **err)
{
    const coras_observer *observer = &s->sender->observer;
    int64_t began = coras_now_ms();
    int rc = coras_http_exchange(s->sender->http, ex, ret, end, err);

    if (observer->exchanged)
        observer->exchanged(observer->user, ex->method, *ret,
                            (end->answered_ms ? end->answered_ms : coras_now_ms()) - began);
    return rc;
}

/* Tries until the policy says stop; the last answer or failure comes out. */
static int try_all(const struct coras_send *s, const struct coras_exchange *ex,
                   coras_response **ret, struct coras_exchange_end *end, coras_error **err)
{
    coras_retry tries = {.what = CORAS_RETRY_REQUEST};

    for (;;) {
        coras_auto(coras_response) r = NULL;
        coras_auto(coras_error) failure = NULL;
        int rc = exchange(s, ex, &r, end, &failure);
        struct coras_retry_verdict verdict = {0};
        if (!is_final(r) && !s->request->no_retry && !end->sink_bytes && !end->callers_own) {
            const struct coras_retry_case c = describe(ex->method, r, rc, failure);
            verdict = coras_retry_decide(&tries, &c);
            verdict.again = verdict.again && is_in_time(s->request, verdict.wait_ms);
        }
        if (!verdict.again) {
            if (rc == 0)
                *ret = coras_steal(&r);
            coras_error_propagate(err, &failure);
            return rc;
        }
        CORAS_TRY(coras_cancel_sleep_ms(s->sender->cancel, verdict.wait_ms, err));
    }
}

int coras_hop_send(const struct coras_send *s, const struct coras_hop *hop, coras_response **ret,
                   coras_error **err)
{
    coras_auto_value(coras_header_list) headers = {0};
    coras_auto(coras_error) failure = NULL;
    struct coras_exchange_end end = {0};

    bool own = !hop->left && coras_url_origin_equal(&hop->url, &s->origin->url);
    CORAS_TRY(compose_headers(s, hop, own, &headers, err));
    struct coras_exchange ex = {
        .method = hop->method,
        .url = &hop->url,
        .headers = &headers,
        .request = s->request,
        .send_body = hop->send_body,
        .own_origin = own,
        .guarded = hop->guarded,
        .guard_private = hop->guard_private,
    };
    int64_t number = coras_debuglog_request(&ex);
    int rc = try_all(s, &ex, ret, &end, &failure);
    if (own)
        coras_origin_note(s->origin, end.peer);
    if (rc == 0) {
        coras_debuglog_response(number, *ret);
        return 0;
    }
    coras_debuglog_failure(number, failure);
    coras_error_propagate(err, &failure);
    if (end.callers_own || rc == CORAS_ERR_CANCELLED)
        return rc;
    return coras_http_wrap(err, rc, hop->method, hop->text);
}
