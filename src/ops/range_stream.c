/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part of a blob as a stream: each byte once, however often the connection breaks.
 */
#include "ops/range_stream.h"

#include "base/error.h"
#include "base/retry.h"

/* What has passed so far. */
struct counted {
    const coras_sink *sink;
    int64_t got;
    bool stopped; /* the reader has enough */
};

static int pass_on(void *user, const void *data, size_t len, coras_error **err)
{
    struct counted *c = user;
    int rc = c->sink->write(c->sink->user, data, len, err);

    c->got += (int64_t)len;
    c->stopped = rc == CORAS_SINK_STOP;
    return rc;
}

static int stream_on(coras_target *target, const coras_descriptor *desc, int64_t offset,
                     int64_t length, struct counted *c, coras_error **err)
{
    const coras_sink sink = {pass_on, c};

    CORAS_TRY(target->ops->fetch(target, desc, offset + c->got, length - c->got, &sink, err));
    if (!c->stopped && c->got < length)
        return coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "got %lld of %lld bytes: unexpected EOF",
                          (long long)c->got, (long long)length);
    return 0;
}

static int stream_embedded(const coras_descriptor *desc, int64_t offset, int64_t length,
                           const coras_sink *sink, coras_error **err)
{
    int rc = sink->write(sink->user, (const char *)desc->data + offset, (size_t)length, err);

    return rc < 0 ? rc : 0;
}

int coras_stream_range(coras_target *target, const coras_descriptor *desc, int64_t offset,
                       int64_t length, const coras_sink *sink, coras_error **err)
{
    struct counted c = {.sink = sink};
    coras_retry tries = {.what = CORAS_RETRY_DOWNLOAD};

    if (length > 0 && desc->data && desc->data_len == (size_t)desc->size)
        return stream_embedded(desc, offset, length, sink, err);
    while (!c.stopped && c.got < length) {
        coras_auto(coras_error) failure = NULL;
        int64_t before = c.got;
        int rc = stream_on(target, desc, offset, length, &c, &failure);
        if (rc == 0)
            break;
        struct coras_retry_verdict verdict = coras_retry_after(&tries, failure, c.got > before);
        if (!verdict.again) {
            coras_error_propagate(err, &failure);
            return rc;
        }
        CORAS_TRY(coras_cancel_sleep_ms(target->cancel, verdict.wait_ms, err));
    }
    return 0;
}
