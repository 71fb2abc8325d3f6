/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who fills what: pieces of what is missing, taken from the front, given back when they did not
 * come, and shared when there is nothing else left to do.
 */
#include "base/clock.h"
#include "transfer/fill_impl.h"
#include "transfer/partial_file.h"

enum {
    PIECE_MIN = 4 * 1024 * 1024, /* smaller ones cost more requests than they balance */
    PIECE_MAX = 64 * 1024 * 1024,
    /* Half of it is still more than its connection may hold unwritten. */
    SHARED_MIN = 1024 * 1024,
};

int64_t coras_fill_front(const coras_filling *f)
{
    int64_t front = f->free.len ? f->free.items[0].start : f->d->desc->size;

    for (unsigned i = 0; i < CORAS_GROWTH_CONNECTIONS_MAX; i++) {
        const coras_fill_connection *c = &f->connections[i];
        if (c->at < c->end && c->at < front)
            front = c->at;
    }
    return front;
}

coras_gaps coras_fill_missing(const coras_filling *f)
{
    coras_gaps missing = f->free;

    for (unsigned i = 0; i < CORAS_GROWTH_CONNECTIONS_MAX; i++)
        coras_gaps_add(&missing, f->connections[i].at, f->connections[i].end);
    return missing;
}

static void have(coras_fill_connection *c, int64_t start, int64_t end)
{
    c->at = c->flushed = start;
    c->end = end;
}

/* lock held: the connection that has most to do */
static coras_fill_connection *busiest(coras_filling *f)
{
    coras_fill_connection *most = f->connections;

    for (unsigned i = 1; i < CORAS_GROWTH_CONNECTIONS_MAX; i++)
        if (f->connections[i].end - f->connections[i].at > most->end - most->at)
            most = &f->connections[i];
    return most;
}

/* lock held: the other one's answer ends in the middle of what it has still to bring, and there
 * this one's begins */
static bool share(coras_fill_connection *c)
{
    coras_fill_connection *other = busiest(c->f);
    int64_t left = other->end - other->at, end = other->end;

    if (!c->f->piece || left < SHARED_MIN)
        return false;
    other->end = other->at + left / 2;
    have(c, other->end, end);
    return true;
}

bool coras_fill_take(coras_fill_connection *c)
{
    coras_gap piece;

    if (!coras_gaps_take(&c->f->free, c->f->piece, &piece))
        return share(c);
    have(c, piece.start, piece.end);
    return true;
}

void coras_fill_give_back(coras_fill_connection *c)
{
    pthread_mutex_lock(&c->f->lock);
    coras_gaps_add(&c->f->free, c->at, c->end);
    c->at = 0;
    c->end = 0;
    pthread_cond_broadcast(&c->f->changed);
    pthread_mutex_unlock(&c->f->lock);
}

void coras_fill_split(coras_filling *f, unsigned connections)
{
    coras_fill_connection *first = f->connections;

    coras_gaps missing = coras_fill_missing(f);
    f->piece = coras_gaps_sum(&missing) / connections / 2;
    f->piece = f->piece < PIECE_MIN ? PIECE_MIN : f->piece > PIECE_MAX ? PIECE_MAX : f->piece;
    if (first->end - first->at <= f->piece)
        return;
    coras_gaps_add(&f->free, first->at + f->piece, first->end);
    first->end = first->at + f->piece;
}

int coras_fill_note(coras_filling *f)
{
    pthread_mutex_lock(&f->lock);
    coras_gaps missing = coras_fill_missing(f);
    f->noted = f->arrived;
    f->noted_ms = coras_now_ms();
    pthread_mutex_unlock(&f->lock);
    return coras_partial_note(f->fill->fd, f->d->partial, f->d->desc->size, &missing, NULL);
}
