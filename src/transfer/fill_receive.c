/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes on a connection: gathered, written to its place in the file, counted.
 */
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "transfer/fill_impl.h"
#include "transfer/partial_file.h"

enum {
    WRITE_BEHIND_BYTES = 16 * 1024 * 1024, /* put on its way to the disk in pieces of this size */
    COMPANY_BYTES = 4 * 1024 * 1024,       /* other downloads have begun by then */
    NOTE_BYTES = 16 * 1024 * 1024, /* after this much, or a part of the content, what is missing */
    NOTE_PARTS = 64,               /* is noted: a killed process may lose that, */
    NOTE_MS = 1000,                /* or what came in a second where that is less */
    NOTE_BYTES_MIN = 1024 * 1024,
};

/* Start writing out finished parts, so that a later fsync finds little to do. Of many small files
 * the places on the disk are found now, and the first fsync writes the journal for all of them. */
static void write_behind(coras_fill_connection *c)
{
    bool durable = !c->f->d->run->options->no_sync;
    bool last = c->at >= c->end && (durable || c->f->d->desc->size >= WRITE_BEHIND_BYTES);
    if (c->at - c->flushed < WRITE_BEHIND_BYTES && !last)
        return;
    (void)sync_file_range(c->f->fill->fd, c->flushed, c->at - c->flushed,
                          SYNC_FILE_RANGE_WRITE); /* advice */
    c->flushed = c->at;
}

static int64_t note_interval(const coras_filling *f)
{
    int64_t part = f->d->desc->size / NOTE_PARTS;

    return part > NOTE_BYTES ? part : NOTE_BYTES;
}

/* lock held */
static bool should_note(const coras_filling *f)
{
    int64_t since = f->arrived - f->noted;

    return f->scattered && (since >= note_interval(f) ||
                            (since >= NOTE_BYTES_MIN && coras_now_ms() - f->noted_ms >= NOTE_MS));
}

static void arrived(coras_fill_connection *c, size_t len)
{
    coras_filling *f = c->f;
    const coras_transfer *transfer = f->d->transfer;

    pthread_mutex_lock(&f->lock);
    c->at += (int64_t)len;
    f->arrived += (int64_t)len;
    coras_gaps missing = coras_fill_missing(f);
    int64_t left = coras_gaps_sum(&missing);
    bool note = should_note(f);
    coras_arrival_hash_advance(f->fill->hash, coras_fill_front(f));
    if (transfer && transfer->progress)
        transfer->progress(transfer->user, f->d->desc->size - left);
    pthread_mutex_unlock(&f->lock);
    write_behind(c);
    if (note)
        (void)coras_fill_note(f); /* the one before is still true */
    if (f->lanes)
        coras_lanes_arrived(f->lanes, len);
    if (c == f->connections)
        coras_fill_look(f, left);
}

static int fail_to_write(coras_filling *f, int rc, coras_error **err)
{
    if (rc != CORAS_ERR_NO_SPACE)
        return rc;
    pthread_mutex_lock(&f->lock);
    coras_gaps missing = coras_fill_missing(f);
    f->disk_is_full = true;
    pthread_mutex_unlock(&f->lock);
    return coras_partial_tell_space(f->fill->fd, coras_gaps_sum(&missing), rc, err);
}

/* While the memory that it came in is still in the processor's cache; where processors have nothing
 * else to do, by one of them instead. */
static void hash_arrived(coras_fill_connection *c, size_t len)
{
    const coras_filling *f = c->f;
    coras_arrival_hash *hash = f->fill->hash;

    if (c != f->connections)
        return;
    coras_arrival_hash_give(hash, c->at, &c->gathered, len);
    if (f->lanes && coras_arrival_hash_is_in_order(hash) && hash->reached >= COMPANY_BYTES &&
        !coras_lanes_fill_processors(f->lanes))
        coras_arrival_hash_leave_order(hash);
}

static int write_gathered(coras_fill_connection *c, coras_error **err)
{
    size_t len = c->held;

    if (len == 0)
        return 0;
    c->held = 0;
    int rc = coras_pwrite_full(c->f->fill->fd, c->gathered, len, c->at, err);
    if (rc < 0)
        return fail_to_write(c->f, rc, err);
    hash_arrived(c, len);
    arrived(c, len);
    return 0;
}

static int64_t room(const coras_fill_connection *c)
{
    return c->end - c->at - (int64_t)c->held;
}

static void note_opened(coras_fill_connection *c)
{
    if (!c->opened && c->f->lanes)
        coras_lanes_opened(c->f->lanes, coras_now_ms() - c->asked_ms);
    c->opened = true;
}

/* What belongs to the piece; the piece may become shorter meanwhile. */
static int gather(coras_fill_connection *c, const char *bytes, size_t len, coras_error **err)
{
    while (len && room(c) > 0) {
        size_t n = c->cap - c->held;
        n = n > len ? len : n;
        n = (int64_t)n > room(c) ? (size_t)room(c) : n;
        memcpy(c->gathered + c->held, bytes, n);
        c->held += n;
        bytes += n;
        len -= n;
        if (c->held == c->cap || room(c) == 0)
            CORAS_TRY(write_gathered(c, err));
    }
    return 0;
}

static int receive(void *user, const void *data, size_t len, coras_error **err)
{
    coras_fill_connection *c = user;
    int64_t end = c->end; /* it may become less meanwhile */
    size_t dropped = c->skip < (int64_t)len ? (size_t)c->skip : len;

    CORAS_TRY(coras_run_check(c->f->d->run, err));
    if (c != c->f->connections && atomic_load(&c->f->helpers_stop))
        return coras_fail(err, CORAS_ERR_CANCELLED, "transfer stopped");
    note_opened(c);
    c->skip -= (int64_t)dropped;
    len -= dropped;
    if (end == c->f->d->desc->size && (int64_t)len > end - c->at - (int64_t)c->held)
        return coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "trailing data");
    CORAS_TRY(gather(c, (const char *)data + dropped, len, err));
    /* Another connection has what follows: this answer must not go on. */
    return room(c) == 0 && c->end < c->asked_end ? CORAS_SINK_STOP : 0;
}

int coras_fill_fetch(coras_fill_connection *c, coras_error **err)
{
    const coras_sink sink = {receive, c};
    const coras_descriptor *desc = c->f->d->desc;
    coras_target *from = c->f->d->from;
    coras_auto(coras_error) failure = NULL;

    CORAS_TRY(coras_run_check(c->f->d->run, err));
    int64_t offset = c->at - c->skip, end = c->end; /* it may become less meanwhile */
    c->asked_end = end;
    c->asked_ms = coras_now_ms();
    int rc = from->ops->fetch(from, desc, offset, end == desc->size ? -1 : end - offset, &sink,
                              &failure);
    CORAS_TRY(write_gathered(c, err));
    /* However the connection ended: the digest decides. */
    if (c->at >= c->end && rc != CORAS_ERR_SIZE_MISMATCH)
        return 0;
    if (rc >= 0)
        return coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "got %lld of %lld bytes: unexpected EOF",
                          (long long)c->at, (long long)c->end);
    coras_error_propagate(err, &failure);
    return rc;
}
