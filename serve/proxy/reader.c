/* SPDX-License-Identifier: Apache-2.0 */
/* Reading behind a filler, or beside it. */
#include "serve/proxy/reader.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "serve/proxy/ahead.h"
#include "serve/proxy/fills.h"

struct serve_reader {
    struct serve_exchange *exchange;
    serve_fill *fill;
    serve_follower follower;
    unsigned label;     /* of the upstream, for metrics */
    int64_t first, end; /* of the blob */
    bool is_part;
    bool has_begun;       /* to read */
    unsigned round;       /* of the fill, of which it has read */
    serve_waiter *waiter; /* that may be on the fill's list */
};

static bool is_gone(void *user)
{
    const serve_reader *r = user;

    return serve_exchange_is_gone(r->exchange);
}

serve_reader *serve_reader_new(struct serve_exchange *x, serve_fill *f,
                               const struct serve_range *range, bool is_part)
{
    serve_reader *r = coras_new(serve_reader);

    if (!r) {
        serve_fills_leave(f->fills, f);
        return NULL;
    }
    *r = (serve_reader){
        .exchange = x,
        .fill = f,
        .label = f->upstream->metrics_label,
        .first = range->first,
        .end = range->last < 0 ? -1 : range->last + 1,
        .is_part = is_part,
    };
    r->follower.position = r->first;
    serve_fill_follow(f, &r->follower);
    serve_metrics_add(x->registry->metrics, SERVE_METRIC_CACHE_READERS, NULL, 1);
    return r;
}

void serve_reader_free(serve_reader *r)
{
    if (!r)
        return;
    serve_metrics_add(r->exchange->registry->metrics, SERVE_METRIC_CACHE_READERS, NULL, -1);
    serve_fill_unfollow(r->fill, &r->follower, r->waiter);
    serve_fills_leave(r->fill->fills, r->fill);
    free(r);
}

/* ---- with the fill's lock ---- */

static bool is_there(const serve_reader *r, int64_t position)
{
    return serve_fill_can_read(r->fill, position) ||
           (r->is_part && serve_ahead_has(r->fill, position));
}

/* The filler is too far away: what is wanted is asked for beside it. */
static void want(const serve_reader *r, int64_t position)
{
    serve_fill *f = r->fill;

    if (!r->is_part || !serve_ahead_is_far(f, position, coras_now_ms()))
        return;
    pthread_mutex_unlock(&f->lock);
    serve_ahead_want(f, position, r->end);
    pthread_mutex_lock(&f->lock);
}

/* 1: it is there. 0: the waiter is woken when it may be. */
static int look_locked(serve_reader *r, int64_t position, const struct serve_fill_wait *wait,
                       coras_error **err)
{
    serve_fill *f = r->fill;

    serve_fill_forget(f, wait->waiter);
    serve_fill_move(f, &r->follower, position);
    if (!is_there(r, position) && f->state == SERVE_FILL_RUNNING)
        want(r, position);
    if (is_there(r, position))
        return 1;
    if (f->state == SERVE_FILL_FAILED)
        return serve_fill_why(f, err);
    return serve_fill_enlist(f, wait, position, err);
}

/* What the filler has written from `position` on, at most `cap`: 0 at the end. */
static int64_t written(const serve_fill *f, int64_t position, size_t cap)
{
    int64_t bytes = serve_fill_limit(f->state, f->got, f->size) - position;

    return bytes > (int64_t)cap ? (int64_t)cap : bytes;
}

/* The same of what is not in the file, which is copied. */
static ssize_t pass(const serve_reader *r, int64_t position, char *buffer, size_t cap)
{
    const serve_fill *f = r->fill;
    int64_t bytes = written(f, position, cap);

    if (r->follower.is_behind || position < serve_window_first(f->window, f->got))
        return -1;
    serve_window_copy(f->window, position, buffer, (size_t)bytes);
    return (ssize_t)bytes;
}

/* What was sent of an answer is void when the fill has begun anew. */
static bool is_void(serve_reader *r)
{
    if (!r->has_begun)
        r->round = r->fill->round;
    r->has_begun = true;
    return r->round != r->fill->round;
}

/* Up to `cap` bytes: from the fill's file after the lock (*ret_fd is set), or copied now. */
static ssize_t take_locked(serve_reader *r, int64_t position, char *buffer, size_t cap, int *ret_fd)
{
    const serve_fill *f = r->fill;

    if (is_void(r))
        return -1;
    if (!serve_fill_can_read(f, position))
        return (ssize_t)serve_ahead_copy(f, position, buffer, cap);
    if (f->window && position >= f->window->kept)
        return pass(r, position, buffer, cap);
    if (f->window && f->window->kept - position < (int64_t)cap)
        cap = (size_t)(f->window->kept - position);
    *ret_fd = f->fd;
    return written(f, position, cap);
}

/* ---- the body ---- */

/* Bytes that were copied, or are to be read from a file. */
struct reader_piece {
    ssize_t bytes;
    int fd; /* -1: copied */
};

/* 1: something is there, and taken. */
static int take(serve_reader *r, int64_t position, char *buffer, size_t cap, serve_waiter *waiter,
                struct reader_piece *ret)
{
    const struct serve_fill_wait wait = {.is_gone = is_gone, .user = r, .waiter = waiter};
    int rc;

    if (waiter)
        r->waiter = waiter;
    pthread_mutex_lock(&r->fill->lock);
    if (waiter)
        rc = look_locked(r, position, &wait, NULL);
    else
        rc = is_there(r, position);
    if (rc > 0)
        ret->bytes = take_locked(r, position, buffer, cap, &ret->fd);
    pthread_mutex_unlock(&r->fill->lock);
    return rc;
}

static ssize_t follow(void *user, int64_t at, char *buffer, size_t cap, serve_waiter *waiter)
{
    serve_reader *r = user;
    int64_t position = r->first + at;
    struct reader_piece piece = {-1, -1};
    size_t got = 0;
    int rc = take(r, position, buffer, cap, waiter, &piece);

    if (rc <= 0)
        return rc < 0 ? -1 : SERVE_STREAM_LATER;
    if (piece.bytes > 0 && piece.fd >= 0) {
        if (coras_pread_full(piece.fd, buffer, (size_t)piece.bytes, position, &got, NULL) < 0 ||
            got == 0)
            return -1;
        piece.bytes = (ssize_t)got;
    }
    if (piece.bytes > 0)
        serve_metrics_add(r->exchange->registry->metrics, SERVE_METRIC_CACHE_SENT_BYTES,
                          SERVE_LABELS(.upstream = r->label), piece.bytes);
    return piece.bytes;
}

static void close_reader(void *user)
{
    serve_reader_free(user);
}

int serve_reader_look(serve_reader *r, const struct serve_fill_wait *wait, coras_error **err)
{
    int rc;

    r->waiter = wait->waiter;
    pthread_mutex_lock(&r->fill->lock);
    rc = look_locked(r, r->first, wait, err);
    pthread_mutex_unlock(&r->fill->lock);
    return rc;
}

void serve_reader_answer(serve_reader *r)
{
    r->exchange->answer.stream =
        (struct serve_stream){.follow = follow, .close = close_reader, .user = r};
}
