/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of uploads. They come in small pieces; a worker hashes and writes what is there, while the
 * next ones come in: the faster they come, the more at a time. The connection sleeps when both are
 * full, so that a client is not faster than the disk.
 */
#include <stddef.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "serve/http/front_impl.h"

/* What fits into the caches of a processor; and what there is for everybody. */
#define BLOCK_BYTES (256 * CORAS_KIB)
#define LEAST_BYTES (16 * CORAS_KIB)
/* How many one upload may have written before others have a turn. */
#define TURN_BLOCKS 8

/* false: out of memory. */
static bool open_blocks(serve_request *r)
{
    struct serve_intake *in = &r->intake;
    int64_t length = r->exchange.content_length;

    pthread_mutex_init(&in->lock, NULL);
    in->cap = BLOCK_BYTES;
    if (length >= 0 && length < BLOCK_BYTES)
        in->cap = length > LEAST_BYTES ? (size_t)length : LEAST_BYTES;
    if (serve_budget_try(r->front->blocks, 2 * in->cap))
        in->budgeted = 2 * in->cap;
    else
        in->cap = LEAST_BYTES;
    in->blocks[0] = coras_malloc(in->cap);
    in->blocks[1] = coras_malloc(in->cap);
    return in->blocks[0] && in->blocks[1];
}

void serve_intake_clear(serve_request *r)
{
    struct serve_intake *in = &r->intake;

    if (in->budgeted > 0)
        serve_budget_give(r->front->blocks, in->budgeted);
    if (in->cap > 0)
        pthread_mutex_destroy(&in->lock);
    free(in->blocks[0]);
    free(in->blocks[1]);
}

/* ---- the worker's side ---- */

static serve_request *request_of(serve_job *job)
{
    return (serve_request *)((char *)job - offsetof(serve_request, intake.job));
}

/* What has come meanwhile is next, unless it is in vain. With the lock. */
static bool swap(serve_request *r)
{
    struct serve_intake *in = &r->intake;

    if (r->exchange.body_error)
        in->len = 0;
    in->given = in->len;
    in->filling = !in->filling;
    in->len = 0;
    return in->given > 0;
}

/* Up to so many blocks at a time; false: there is more. */
static bool append_some(serve_request *r)
{
    struct serve_intake *in = &r->intake;
    bool more = true;

    for (int i = 0; i < TURN_BLOCKS && more; i++) {
        serve_exchange_data(&r->exchange, in->blocks[!in->filling], in->given);
        pthread_mutex_lock(&in->lock);
        more = swap(r);
        atomic_store(&in->busy, more);
        pthread_mutex_unlock(&in->lock);
        serve_parked_wake(&r->parked); /* there is room */
    }
    return !more;
}

static void append(serve_job *job)
{
    serve_request *r = request_of(job);

    /* others have a turn; when nothing is taken any more, it is ours still */
    while (!append_some(r)) {
        if (serve_workers_add(r->front->workers, job))
            return;
    }
    serve_request_let_go(r);
}

/* The request stays alive for it, whatever becomes of its connection. */
static bool give(serve_request *r)
{
    struct serve_intake *in = &r->intake;

    (void)swap(r);
    in->job = (serve_job){.run = append, .kind = SERVE_WORK_BODY, .party = r->exchange.network};
    atomic_store(&in->busy, true);
    atomic_fetch_add(&r->users, 1);
    if (serve_workers_add(r->front->workers, &in->job))
        return true;
    atomic_store(&in->busy, false);
    atomic_fetch_sub(&r->users, 1);
    return false;
}

void serve_intake_flush(serve_request *r)
{
    struct serve_intake *in = &r->intake;

    if (in->len > 0)
        serve_exchange_data(&r->exchange, in->blocks[in->filling], in->len);
    in->len = 0;
}

/* ---- the connection's side ---- */

static void put(serve_request *r, const char **data, size_t *len)
{
    struct serve_intake *in = &r->intake;
    size_t room, taken;

    pthread_mutex_lock(&in->lock);
    room = in->cap - in->len;
    taken = *len < room ? *len : room;
    memcpy(in->blocks[in->filling] + in->len, *data, taken);
    in->len += taken;
    in->taken += (int64_t)taken;
    pthread_mutex_unlock(&in->lock);
    *data += taken;
    *len -= taken;
}

static bool is_full(struct serve_intake *in)
{
    bool full;

    pthread_mutex_lock(&in->lock);
    full = in->len == in->cap;
    pthread_mutex_unlock(&in->lock);
    return full;
}

/* false: the connection sleeps until there is room. */
static bool await_room(serve_request *r)
{
    while (atomic_load(&r->intake.busy) && is_full(&r->intake)) {
        serve_parked_arm(&r->parked);
        if (!atomic_load(&r->intake.busy) || !is_full(&r->intake))
            serve_parked_disarm(&r->parked);
        else if (serve_parked_sleep(&r->parked, 0))
            return false;
    }
    return true;
}

/* What is there goes to a worker, unless the end comes at once. false: there is none. */
static bool hand_over(serve_request *r)
{
    struct serve_intake *in = &r->intake;

    if (atomic_load(&in->busy) || in->len == 0 || in->taken == r->exchange.content_length)
        return true;
    return give(r);
}

static void fail(serve_request *r)
{
    if (!r->exchange.body_error)
        (void)!coras_fail_no_memory(&r->exchange.body_error);
}

bool serve_intake_take(serve_request *r, const char *data, size_t *len)
{
    struct serve_intake *in = &r->intake;

    if (in->cap == 0 && !open_blocks(r)) {
        fail(r);
        return true;
    }
    do {
        if (!await_room(r))
            return false;
        if (!atomic_load(&in->busy) && r->exchange.body_error)
            return true; /* the rest is drained */
        put(r, &data, len);
        if (!hand_over(r)) {
            fail(r);
            return true;
        }
    } while (*len > 0);
    return true;
}
