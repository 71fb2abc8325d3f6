/* SPDX-License-Identifier: Apache-2.0 */
/* Answers: from text, from a file, from what comes into being while it is sent. */
#include "base/alloc.h"
#include "base/limits.h"
#include "serve/http/front_impl.h"

/* Of a body that comes into being while it is sent; each such connection has one of these, and
 * another one where a worker reads for it. */
#define STREAM_BLOCK (64 * CORAS_KIB)

int64_t serve_reply_bytes(const serve_request *r)
{
    const struct serve_exchange *x = &r->exchange;
    const struct serve_answer *a = &x->answer;

    if (a->stream.user)
        return r->streamed;
    /* the descriptor is the response's by now: its length tells that there was one */
    return x->method == SERVE_HEAD ? 0 : a->length + (int64_t)a->body.len;
}

/* ---- streams ---- */

/* Where nobody has to wait: what is there now, or sleep. */
static ssize_t follow(serve_request *r, int64_t at, char *buffer, size_t cap)
{
    const struct serve_stream *s = &r->exchange.answer.stream;
    ssize_t got = s->follow(s->user, at, buffer, cap, NULL);

    while (got == SERVE_STREAM_LATER) {
        if (atomic_load(&r->front->stopping))
            return -1;
        serve_parked_arm(&r->parked);
        got = s->follow(s->user, at, buffer, cap, &r->waiter);
        if (got != SERVE_STREAM_LATER)
            serve_parked_disarm(&r->parked);
        else if (!serve_request_wait(r))
            return SERVE_STREAM_LATER;
    }
    r->wait_ms = 1;
    return got;
}

static void read_block(serve_request *r)
{
    const struct serve_stream *s = &r->exchange.answer.stream;

    r->block_got = s->read(s->user, r->block_at, r->block, STREAM_BLOCK);
    r->block_is_read = true;
}

/* Of what a worker has read. */
static ssize_t copy_block(serve_request *r, int64_t at, char *buffer, size_t cap)
{
    int64_t skipped = at - r->block_at, there = r->block_got - skipped;

    if (r->block_got <= 0) {
        r->block_is_read = false;
        return r->block_got;
    }
    if ((int64_t)cap < there)
        there = (int64_t)cap;
    memcpy(buffer, r->block + skipped, (size_t)there);
    r->block_is_read = at + there < r->block_at + r->block_got;
    return (ssize_t)there;
}

static ssize_t fetch(serve_request *r, int64_t at, char *buffer, size_t cap)
{
    if (!r->block)
        r->block = coras_malloc(STREAM_BLOCK);
    if (!r->block)
        return -1;
    if (!r->block_is_read) {
        r->block_at = at;
        r->job.party = r->exchange.network;
        if (!serve_request_do(r, SERVE_WORK_STREAM, read_block))
            return SERVE_STREAM_LATER;
        if (!r->block_is_read) /* the server is going down */
            return -1;
    }
    return copy_block(r, at, buffer, cap);
}

static ssize_t read_stream(void *user, uint64_t at, char *buffer, size_t cap)
{
    serve_request *r = user;
    const struct serve_stream *s = &r->exchange.answer.stream;
    ssize_t got = -1;

    if (!serve_request_settle(r, &r->is_working))
        return 0;
    if (s->follow)
        got = follow(r, (int64_t)at, buffer, cap);
    else if (s->read)
        got = fetch(r, (int64_t)at, buffer, cap);
    if (got > 0)
        r->streamed += got;
    if (got == SERVE_STREAM_LATER)
        return 0; /* it sleeps */
    if (got == 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    return got < 0 ? MHD_CONTENT_READER_END_WITH_ERROR : got;
}

/* The exchange closes the stream: it outlives the response. */
static struct MHD_Response *make_stream_response(serve_request *r)
{
    int64_t length = r->exchange.answer.length;

    return MHD_create_response_from_callback(length < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)length,
                                             STREAM_BLOCK, read_stream, r, NULL);
}

/* ---- answers ---- */

static struct MHD_Response *make_response(serve_request *r)
{
    struct serve_answer *a = &r->exchange.answer;
    struct MHD_Response *response;

    if (a->stream.user)
        return make_stream_response(r);
    if (a->fd >= 0) {
        response = MHD_create_response_from_fd_at_offset64((uint64_t)a->length, a->fd,
                                                           (uint64_t)a->offset);
        if (response)
            a->fd = -1; /* closed with the response */
        return response;
    }
    /* the text lives as long as the exchange, which outlives the response */
    return MHD_create_response_from_buffer(a->body.len, a->body.ptr, MHD_RESPMEM_PERSISTENT);
}

enum MHD_Result serve_reply(serve_request *r)
{
    struct serve_answer *a = &r->exchange.answer;
    struct MHD_Response *response;
    enum MHD_Result queued;

    if (a->incomplete || a->body.failed)
        return MHD_NO;
    response = make_response(r);
    if (!response)
        return MHD_NO;
    for (size_t i = 0; i < a->header_count; i++)
        (void)MHD_add_response_header(response, a->headers[i].name, a->headers[i].value);
    if (a->close || atomic_load(&r->front->draining))
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    serve_request_enter(r, SERVE_PHASE_SENDING);
    queued = MHD_queue_response(r->connection, (unsigned)a->status, response);
    MHD_destroy_response(response);
    return queued;
}
