/* SPDX-License-Identifier: Apache-2.0 */
/* Whole objects: put, read in part, measured, listed, removed. */
#include "serve/storage/s3/store.h"

#include <inttypes.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/retry.h"
#include "codec/date.h"
#include "registry/content_range.h"
#include "serve/http/uri.h"
#include "serve/storage/s3/xml.h"

#define LIST_MOST 1000

int serve_s3_put(serve_s3 *s, const char *key, const coras_source *body, const char *payload,
                 coras_error **err)
{
    coras_auto(coras_response) r = NULL;
    const struct serve_s3_call call = {.method = "PUT",
                                       .key = key,
                                       .body = body->size > 0 ? body : NULL,
                                       .length = body->size,
                                       .payload = payload};

    return serve_s3_send(s, &call, &r, err);
}

int serve_s3_size(serve_s3 *s, const char *key, int64_t *ret, coras_error **err)
{
    coras_auto(coras_response) r = NULL;

    CORAS_TRY(serve_s3_send(s, &(struct serve_s3_call){.method = "HEAD", .key = key}, &r, err));
    *ret = coras_response_length(r);
    return 0;
}

int serve_s3_delete(serve_s3 *s, const char *key, coras_error **err)
{
    coras_auto(coras_response) r = NULL;
    coras_auto(coras_error) failure = NULL;
    int rc =
        serve_s3_send(s, &(struct serve_s3_call){.method = "DELETE", .key = key}, &r, &failure);

    if (rc == CORAS_ERR_NOT_FOUND)
        return 0;
    coras_error_propagate(err, &failure);
    return rc;
}

/* ---- reading ---- */

/* What has come of a part, over several connections. */
struct far_reading {
    const coras_sink *sink;
    int64_t offset; /* of what this one is to bring */
    int64_t left;   /* bytes that are still to come */
    bool stopped;   /* the sink has had enough */
};

/* One that ignores ranges sends the whole, which is right when it is asked for from its start. */
static int check_part(void *user, const coras_response *r, coras_error **err)
{
    const struct far_reading *reading = user;
    const char *header = coras_response_header(r, "Content-Range");
    struct coras_content_range got = {.first = 0};

    if (coras_response_status(r) == 206 && !(header && coras_content_range_parse(header, &got)))
        got.first = -1;
    if (got.first == reading->offset)
        return 0;
    return coras_fail(err, CORAS_ERR_RANGE, "other bytes than those that were asked for");
}

static int take(void *user, const void *data, size_t len, coras_error **err)
{
    struct far_reading *reading = user;
    int rc;

    if ((int64_t)len > reading->left)
        return coras_fail(err, CORAS_ERR_PROTOCOL, "the store sends more than was asked for");
    rc = reading->sink->write(reading->sink->user, data, len, err);
    if (rc < 0)
        return rc;
    reading->left -= (int64_t)len;
    reading->stopped = rc == CORAS_SINK_STOP;
    return rc;
}

static int read_once(serve_s3 *s, const char *key, struct far_reading *reading, coras_error **err)
{
    const coras_sink sink = {take, reading};
    coras_auto(coras_response) r = NULL;
    coras_auto_free char *range = coras_asprintf("bytes=%" PRId64 "-%" PRId64, reading->offset,
                                                 reading->offset + reading->left - 1);
    const struct serve_s3_call call = {.method = "GET",
                                       .key = key,
                                       .range = range,
                                       .sink = &sink,
                                       .accept = check_part,
                                       .accept_user = reading};

    if (!range)
        return coras_fail_no_memory(err);
    CORAS_TRY(serve_s3_send(s, &call, &r, err));
    if (reading->left > 0 && !reading->stopped) {
        coras_fail(err, CORAS_ERR_CHANGED, "store %s: %s is shorter than it was", s->endpoint, key);
        return CORAS_ERR_CHANGED;
    }
    return 0;
}

int serve_s3_get(serve_s3 *s, const char *key, int64_t offset, int64_t length,
                 const coras_sink *sink, coras_error **err)
{
    struct far_reading reading = {.sink = sink, .left = length};
    coras_retry tries = {.what = CORAS_RETRY_DOWNLOAD};

    while (reading.left > 0 && !reading.stopped) {
        int64_t before = reading.left;
        coras_auto(coras_error) failure = NULL;
        struct coras_retry_verdict verdict = {0};
        int rc;
        reading.offset = offset + length - reading.left;
        rc = read_once(s, key, &reading, &failure);
        if (rc == 0)
            return 0;
        if (before > reading.left) /* else the request was repeated already */
            verdict = coras_retry_after(&tries, failure, true);
        if (!verdict.again) {
            coras_error_propagate(err, &failure);
            return rc;
        }
        CORAS_TRY(coras_cancel_sleep_ms(s->cancel, verdict.wait_ms, err));
    }
    return 0;
}

/* ---- listing ---- */

static int visit_object(const serve_s3 *s, coras_str text,
                        int (*visit)(const struct serve_s3_object *, void *, coras_error **),
                        void *user, char **ret_last, coras_error **err)
{
    coras_auto_free char *key = serve_xml_text(text, "Key");
    coras_auto_free char *written = serve_xml_text(text, "LastModified");
    struct serve_s3_object object = {0};

    if (!key || !coras_str_starts(key, s->prefix))
        return 0;
    object.key = key + strlen(s->prefix);
    if (!written || coras_parse_rfc3339(written, &object.written_s, NULL) < 0)
        object.written_s = INT64_MAX; /* nobody knows: it counts as new */
    CORAS_TRY(visit(&object, user, err));
    free(*ret_last);
    *ret_last = coras_strdup(object.key);
    return *ret_last ? 0 : coras_fail_no_memory(err);
}

int serve_s3_list(serve_s3 *s, const char *under, const char *after,
                  int (*visit)(const struct serve_s3_object *object, void *user, coras_error **err),
                  void *user, char **ret_last, coras_error **err)
{
    coras_auto_buf query = CORAS_BUF_UNLIMITED;
    coras_auto(coras_response) r = NULL;
    coras_str rest, object;
    int rc = 0;

    *ret_last = NULL;
    coras_buf_printf(&query, "list-type=2&max-keys=%d&prefix=", LIST_MOST);
    serve_uri_encode(&query, s->prefix);
    serve_uri_encode(&query, under);
    if (after) {
        coras_buf_puts(&query, "&start-after=");
        serve_uri_encode(&query, s->prefix);
        serve_uri_encode(&query, after);
    }
    CORAS_TRY(coras_buf_done(&query, err));
    CORAS_TRY(
        serve_s3_send(s, &(struct serve_s3_call){.method = "GET", .query = query.ptr}, &r, err));
    rest = coras_response_body(r);
    while (rc == 0 && serve_xml_next(&rest, "Contents", &object))
        rc = visit_object(s, object, visit, user, ret_last, err);
    return rc;
}
