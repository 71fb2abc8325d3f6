/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messenger of an upload: each function makes one request, once, and brings back what came.
 */
#include "registry/upload_session.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "http/retry_after.h"
#include "oci/digest.h"
#include "registry/url_policy.h"

void coras_upload_reply_clear(coras_upload_reply *reply)
{
    coras_response_free(reply->response);
    coras_error_free(reply->trouble);
    free(reply->location);
    *reply = (coras_upload_reply){0};
}

/* The source of one request, which stops when the transfer is cancelled, and reports how far it is.
 */
struct feed {
    const coras_upload_body *body;
    int64_t sent;
    int64_t sent_ms;
};

static int feed_read(void *user, void *buf, size_t cap, int64_t offset, size_t *ret,
                     coras_error **err)
{
    const coras_upload_body *body = ((struct feed *)user)->body;

    if (body->transfer)
        CORAS_TRY(coras_cancel_check(body->transfer->cancel, err));
    return body->source->read_at(body->source->user, buf, cap, offset, ret, err);
}

static void feed_sent(void *user, int64_t bytes)
{
    struct feed *feed = user;
    const coras_upload_body *body = feed->body;

    feed->sent = bytes;
    feed->sent_ms = coras_now_ms();
    if (body->transfer && body->transfer->progress)
        body->transfer->progress(body->transfer->user, body->offset + bytes);
}

static int read_answer(coras_registry *r, const coras_request *req, coras_upload_reply *ret,
                       coras_error **err)
{
    const coras_response *resp = ret->response;
    const char *location = coras_response_header(resp, "Location");
    ret->answer.status = coras_response_status(resp);
    ret->answer.range = coras_response_header(resp, "Range");
    ret->retry_after_s = coras_response_retry_after_s(resp);
    if (ret->answer.status >= 300)
        coras_response_to_error(req, resp, &ret->trouble);
    /* The Location of a closing PUT is the blob's: not a place to go on at, and not checked. */
    if (!location || !*location || coras_streq(req->method, "PUT"))
        return 0;
    return coras_upload_location(r->base_url, coras_response_url(resp), location, &ret->location,
                                 err);
}

static int content_range(const coras_upload_body *body, bool patch, char **ret, coras_error **err)
{
    if (!body->source || body->length == 0 || (!patch && body->offset == 0))
        return 0;
    *ret = coras_asprintf("%lld-%lld", (long long)body->offset,
                          (long long)(body->offset + body->length - 1));
    return *ret ? 0 : coras_fail_no_memory(err);
}

int coras_upload_exchange(coras_registry *r, const char *method, const char *url,
                          const coras_upload_body *body, coras_upload_reply *ret, coras_error **err)
{
    static const int allowed[] = {400, 404, 405, 408, 410, 413, 415, 416, 417, 425, 429, 500, 501,
                                  502, 503, 504, 507, 520, 521, 522, 523, 524, 525, 526, 527, 0};
    coras_auto_free char *range = NULL;
    coras_auto(coras_error) failure = NULL;
    struct feed feed = {.body = body, .sent_ms = coras_now_ms()};
    coras_source source = {body->source ? body->source->size : 0, feed_read, &feed};
    coras_header headers[2] = {{"Content-Type", CORAS_MT_OCTET_STREAM}};
    coras_request req = coras_registry_request(r, method, url, &r->push);

    CORAS_TRY(content_range(body, coras_streq(method, "PATCH"), &range, err));
    headers[1] = (coras_header){"Content-Range", range};
    req.headers = headers;
    if (coras_streq(method, "PATCH") || coras_streq(method, "PUT"))
        req.header_count = range ? 2 : 1;
    if (body->source) {
        req.source = &source;
        req.source_offset = body->offset;
        req.body_length = body->length;
        req.sent = feed_sent;
        req.sent_user = &feed;
        req.small = false;
        req.expect_continue = body->expect;
    }
    req.no_retry = true;
    *ret = (coras_upload_reply){.retry_after_s = -1};
    int rc = coras_client_send(r->client, &req, allowed, &ret->response, &failure);
    ret->sent_ms = feed.sent_ms;
    if (rc == 0)
        return read_answer(r, &req, ret, err);
    if (coras_error_is_retryable(failure)) {
        ret->unanswered = rc == CORAS_ERR_TIMEOUT && feed.sent >= body->length;
        ret->trouble = coras_steal(&failure);
        return 0;
    }
    coras_error_propagate(err, &failure);
    return rc;
}

/* A floor that no blob of ours could meet is not one. */
static int64_t min_chunk_of(const coras_response *resp)
{
    const char *header = coras_response_header(resp, "OCI-Chunk-Min-Length");
    int64_t n;

    return header && coras_parse_int64(coras_str_trim(coras_str_of(header)), &n) ? n : 0;
}

int coras_upload_begin(coras_registry *r, const coras_digest *digest, char **ret_session,
                       int64_t *ret_min_chunk, coras_error **err)
{
    coras_auto_buf url = CORAS_BUF_UNLIMITED;
    coras_auto(coras_response) resp = NULL;

    coras_registry_put_url(r, &url, "blobs/uploads/");
    if (digest->algorithm && digest->algorithm != CORAS_SHA256)
        coras_buf_printf(&url, "?digest-algorithm=%s",
                         coras_digest_algorithm_name(digest->algorithm));
    CORAS_TRY(coras_buf_done(&url, err));
    coras_request req = coras_registry_request(r, "POST", url.ptr, &r->push);
    CORAS_TRY(coras_client_send(r->client, &req, NULL, &resp, err));
    const char *location = coras_response_header(resp, "Location");
    if (!location || !*location)
        return coras_fail(err, CORAS_ERR_PROTOCOL, "POST \"%s\": answer without a Location",
                          url.ptr);
    *ret_min_chunk = min_chunk_of(resp);
    return coras_upload_location(r->base_url, coras_response_url(resp), location, ret_session, err);
}

void coras_upload_abandon(coras_registry *r, const char *session)
{
    static const int allowed[] = {400, 401, 403, 404, 405, 0};
    coras_auto(coras_response) resp = NULL;
    coras_request req = coras_registry_request(r, "DELETE", session, &r->push);

    req.no_retry = true;
    if (coras_client_send(r->client, &req, allowed, &resp, NULL) < 0)
        return; /* it expires by itself too */
}
