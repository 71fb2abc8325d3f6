/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All connections do the same: take the first missing piece, ask for it, write what comes, give
 * back what did not come. The first runs on the caller's thread; it alone adds others, and its
 * failure is the failure of all. It begins with everything; when another is added, its piece ends
 * where that of the other begins.
 */
#include "transfer/fill.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/retry.h"
#include "transfer/growth.h"
#include "transfer/partial_file.h"

enum {
    GATHER_BYTES = 256 * 1024, /* libcurl gives 16 KiB at a time: too little for a write */
    WRITE_BEHIND_BYTES = 16 * 1024 * 1024, /* put on its way to the disk in pieces of this size */
    NOTE_BYTES = 16 * 1024 * 1024, /* after this much, or a part of the content, what is missing */
    NOTE_PARTS = 64,               /* is noted: a killed process may lose that */
    PIECE_MIN = 4 * 1024 * 1024,   /* smaller ones cost more requests than they balance */
    PIECE_MAX = 64 * 1024 * 1024,
    WAIT_MS = 200, /* longest wait between two looks at the cancel flag */
};

struct connection {
    struct filling *f;
    int64_t at, end;   /* its piece; own thread writes with the lock held; empty: idle */
    char *gathered;    /* own thread: what follows `at` and is not written yet */
    size_t held;       /* own thread: bytes of it */
    int64_t asked_end; /* own thread: of the request under way */
    int64_t skip;      /* own thread: bytes to drop, for a server without ranges begins at 0 */
    int64_t flushed;   /* own thread: handed to the disk until here */
    pthread_t thread;  /* of the caller's */
};

struct filling {
    const struct coras_fill *fill;  /* const */
    const struct coras_download *d; /* const */
    struct coras_growth growth;     /* caller's thread */
    bool one_stream;                /* caller's thread: no ranges, everything from the first byte */
    atomic_bool helpers_stop;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under lock */
    coras_gaps free; /* missing, and nobody fills it */
    struct connection connections[CORAS_GROWTH_CONNECTIONS_MAX];
    unsigned count;         /* connections that were started; the first is the caller's */
    unsigned wanted;        /* those with a higher number take no further piece */
    unsigned working;       /* helpers that have not ended */
    bool refused;           /* a helper has failed for good */
    bool disk_is_full;      /* no room for what came */
    bool scattered;         /* parts arrive out of order: the file's length says nothing */
    int64_t arrived, noted; /* bytes of this call; of them when the last note was made */
    int64_t piece;          /* longest piece; 0 while one connection takes all */
};

/* ---- pieces ---- */

/* lock held */
static int64_t front_of(const struct filling *f)
{
    int64_t front = f->free.len ? f->free.items[0].start : f->d->desc->size;

    for (unsigned i = 0; i < f->count; i++) {
        const struct connection *c = &f->connections[i];
        if (c->at < c->end && c->at < front)
            front = c->at;
    }
    return front;
}

/* lock held: all that is not in the file */
static coras_gaps missing_of(const struct filling *f)
{
    coras_gaps missing = f->free;

    for (unsigned i = 0; i < f->count; i++)
        coras_gaps_add(&missing, f->connections[i].at, f->connections[i].end);
    return missing;
}

/* lock held */
static bool take_piece(struct connection *c)
{
    coras_gap piece;

    if (!coras_gaps_take(&c->f->free, c->f->piece, &piece))
        return false;
    c->at = c->flushed = piece.start;
    c->end = piece.end;
    return true;
}

static void give_back(struct connection *c)
{
    pthread_mutex_lock(&c->f->lock);
    coras_gaps_add(&c->f->free, c->at, c->end);
    c->at = c->end = 0;
    pthread_cond_broadcast(&c->f->changed);
    pthread_mutex_unlock(&c->f->lock);
}

/* So that another process can go on. That it cannot is no reason to stop. */
static int note_missing(struct filling *f)
{
    pthread_mutex_lock(&f->lock);
    coras_gaps missing = missing_of(f);
    f->noted = f->arrived;
    pthread_mutex_unlock(&f->lock);
    return coras_partial_note(f->fill->fd, f->d->partial, f->d->desc->size, &missing, NULL);
}

/* ---- receiving ---- */

/* Start writing out finished parts, so that a later fsync finds little to do. */
static void write_behind(struct connection *c)
{
    bool last = c->at == c->end && c->f->d->desc->size >= WRITE_BEHIND_BYTES;
    if (c->at - c->flushed < WRITE_BEHIND_BYTES && !last)
        return;
    (void)sync_file_range(c->f->fill->fd, c->flushed, c->at - c->flushed,
                          SYNC_FILE_RANGE_WRITE); /* advice */
    c->flushed = c->at;
}

static void add_connection(struct filling *f);

/* Whether this connection has to see to more than its piece. */
static void look_at_growth(struct filling *f, unsigned connections, int64_t arrived,
                           int64_t missing)
{
    switch (coras_growth_look(&f->growth, connections, arrived, missing, coras_now_ms())) {
    case CORAS_GROWTH_MORE:
        add_connection(f);
        break;
    case CORAS_GROWTH_LESS:
        pthread_mutex_lock(&f->lock);
        f->wanted--;
        pthread_mutex_unlock(&f->lock);
        break;
    case CORAS_GROWTH_KEEP:
        break;
    }
}

static int64_t note_interval(const struct filling *f)
{
    int64_t part = f->d->desc->size / NOTE_PARTS;

    return part > NOTE_BYTES ? part : NOTE_BYTES;
}

static void arrived(struct connection *c, size_t len)
{
    struct filling *f = c->f;
    const coras_transfer *transfer = f->d->transfer;

    pthread_mutex_lock(&f->lock);
    c->at += (int64_t)len;
    f->arrived += (int64_t)len;
    coras_gaps missing = missing_of(f);
    int64_t left = coras_gaps_sum(&missing), total = f->arrived;
    unsigned connections = f->working + 1;
    bool note = f->scattered && f->arrived - f->noted >= note_interval(f);
    if (f->fill->advanced)
        f->fill->advanced(f->fill->user, front_of(f));
    if (transfer && transfer->progress)
        transfer->progress(transfer->user, f->d->desc->size - left);
    pthread_mutex_unlock(&f->lock);
    write_behind(c);
    if (note)
        (void)note_missing(f); /* the one before is still true */
    if (c == f->connections)
        look_at_growth(f, connections, total, left);
}

static int fail_to_write(struct filling *f, int rc, coras_error **err)
{
    if (rc != CORAS_ERR_NO_SPACE)
        return rc;
    pthread_mutex_lock(&f->lock);
    coras_gaps missing = missing_of(f);
    f->disk_is_full = true;
    pthread_mutex_unlock(&f->lock);
    return coras_partial_tell_space(f->fill->fd, coras_gaps_sum(&missing), rc, err);
}

static int write_gathered(struct connection *c, coras_error **err)
{
    size_t len = c->held;

    if (len == 0)
        return 0;
    c->held = 0;
    int rc = coras_pwrite_full(c->f->fill->fd, c->gathered, len, c->at, err);
    if (rc < 0)
        return fail_to_write(c->f, rc, err);
    arrived(c, len);
    return 0;
}

static int64_t room(const struct connection *c)
{
    return c->end - c->at - (int64_t)c->held;
}

/* What belongs to the piece; the piece may become shorter meanwhile. */
static int gather(struct connection *c, const char *bytes, size_t len, coras_error **err)
{
    while (len && room(c) > 0) {
        size_t n = GATHER_BYTES - c->held;
        n = n > len ? len : n;
        n = (int64_t)n > room(c) ? (size_t)room(c) : n;
        memcpy(c->gathered + c->held, bytes, n);
        c->held += n;
        bytes += n;
        len -= n;
        if (c->held == GATHER_BYTES || room(c) == 0)
            CORAS_TRY(write_gathered(c, err));
    }
    return 0;
}

static int receive(void *user, const void *data, size_t len, coras_error **err)
{
    struct connection *c = user;
    size_t dropped = c->skip < (int64_t)len ? (size_t)c->skip : len;

    CORAS_TRY(coras_run_check(c->f->d->run, err));
    if (c != c->f->connections && atomic_load(&c->f->helpers_stop))
        return coras_fail(err, CORAS_ERR_CANCELLED, "transfer stopped");
    c->skip -= (int64_t)dropped;
    len -= dropped;
    if ((int64_t)len > room(c) && c->end == c->f->d->desc->size)
        return coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "trailing data");
    CORAS_TRY(gather(c, (const char *)data + dropped, len, err));
    /* Another connection has what follows: this answer must not go on. */
    return room(c) == 0 && c->end < c->asked_end ? CORAS_SINK_STOP : 0;
}

/* One request, beginning `skip` bytes before the piece. 0: all of it came. */
static int fetch_piece(struct connection *c, coras_error **err)
{
    const coras_sink sink = {receive, c};
    const coras_descriptor *desc = c->f->d->desc;
    coras_target *from = c->f->d->from;
    coras_auto(coras_error) failure = NULL;

    CORAS_TRY(coras_run_check(c->f->d->run, err));
    c->asked_end = c->end;
    int64_t offset = c->at - c->skip;
    int rc = from->ops->fetch(from, desc, offset, c->end == desc->size ? -1 : c->end - offset,
                              &sink, &failure);
    CORAS_TRY(write_gathered(c, err));
    /* However the connection ended: the digest decides. */
    if (c->at == c->end && rc != CORAS_ERR_SIZE_MISMATCH)
        return 0;
    if (rc >= 0)
        return coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "got %lld of %lld bytes: unexpected EOF",
                          (long long)c->at, (long long)c->end);
    coras_error_propagate(err, &failure);
    return rc;
}

/* ---- helpers ---- */

/* Until nothing is left to take. A helper that fails leaves its piece to the others. */
static void help(struct connection *c, unsigned number)
{
    struct filling *f = c->f;
    coras_retry tries = {.what = CORAS_RETRY_HELPER};

    for (;;) {
        coras_auto(coras_error) failure = NULL;
        pthread_mutex_lock(&f->lock);
        bool taken = number < f->wanted && !atomic_load(&f->helpers_stop) && take_piece(c);
        pthread_mutex_unlock(&f->lock);
        if (!taken)
            return;
        int64_t before = c->at;
        int rc = fetch_piece(c, &failure);
        bool progress = c->at > before;
        give_back(c);
        if (rc == 0)
            continue;
        struct coras_retry_verdict verdict = coras_retry_after(&tries, failure, progress);
        if (verdict.again && coras_run_sleep_ms(f->d->run, verdict.wait_ms, NULL) == 0)
            continue;
        pthread_mutex_lock(&f->lock);
        f->refused = true;
        pthread_mutex_unlock(&f->lock);
        return;
    }
}

static void *helper_thread(void *arg)
{
    struct connection *c = arg;
    struct filling *f = c->f;

    help(c, (unsigned)(c - f->connections));
    pthread_mutex_lock(&f->lock);
    f->working--;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

/* lock held: the caller's piece becomes one of several */
static void split_first(struct filling *f)
{
    struct connection *first = f->connections;

    if (!f->piece) {
        coras_gaps missing = missing_of(f);
        f->piece = coras_gaps_sum(&missing) / CORAS_GROWTH_CONNECTIONS_MAX / 2;
        f->piece = f->piece < PIECE_MIN ? PIECE_MIN : f->piece > PIECE_MAX ? PIECE_MAX : f->piece;
    }
    if (first->end - first->at <= f->piece)
        return;
    coras_gaps_add(&f->free, first->at + f->piece, first->end);
    first->end = first->at + f->piece;
}

/* lock held */
static bool start_helper(struct filling *f)
{
    if (f->refused || f->count == CORAS_GROWTH_CONNECTIONS_MAX)
        return false;
    struct connection *c = &f->connections[f->count];
    *c = (struct connection){.f = f, .gathered = coras_malloc(GATHER_BYTES)};
    if (!c->gathered || pthread_create(&c->thread, NULL, helper_thread, c) != 0) {
        free(c->gathered);
        return false;
    }
    f->count++;
    f->wanted++;
    f->working++;
    return true;
}

static void add_connection(struct filling *f)
{
    pthread_mutex_lock(&f->lock);
    split_first(f);
    f->scattered = true;
    pthread_mutex_unlock(&f->lock);
    /* Before anything is written, for the file's length would claim what lies before it. */
    bool noted = note_missing(f) == 0;
    pthread_mutex_lock(&f->lock);
    if (!noted || !start_helper(f))
        f->growth.settled = true;
    pthread_mutex_unlock(&f->lock);
}

/* ---- the caller's connection ---- */

/* lock held: wait a moment for the helpers */
static void wait_for_helpers(struct filling *f)
{
    struct timespec until = coras_deadline_ms(WAIT_MS);

    pthread_cond_timedwait(&f->changed, &f->lock, &until);
}

/* 1: the caller's connection has a piece; 0: everything is there. */
static int next_piece(struct filling *f, coras_error **err)
{
    int rc = 0;

    pthread_mutex_lock(&f->lock);
    while (!take_piece(f->connections)) {
        rc = coras_run_check(f->d->run, err);
        if (rc < 0 || !f->working)
            break;
        wait_for_helpers(f);
    }
    bool taken = f->connections->at < f->connections->end;
    pthread_mutex_unlock(&f->lock);
    return rc < 0 ? rc : taken;
}

/* The server does not serve ranges: what lies behind the front comes again. */
static void use_one_stream(struct filling *f)
{
    f->one_stream = true;
    f->growth.settled = true;
    atomic_store(&f->helpers_stop, true);
    pthread_mutex_lock(&f->lock);
    while (f->working)
        wait_for_helpers(f);
    int64_t front = front_of(f);
    f->free.len = 0;
    coras_gaps_add(&f->free, front, f->d->desc->size);
    f->piece = 0;
    pthread_mutex_unlock(&f->lock);
}

static void tell_retrying(struct filling *f, const coras_error *failure)
{
    const coras_transfer *transfer = f->d->transfer;

    if (!transfer || !transfer->retrying)
        return;
    pthread_mutex_lock(&f->lock);
    coras_gaps missing = missing_of(f);
    pthread_mutex_unlock(&f->lock);
    transfer->retrying(transfer->user, f->d->desc->size - coras_gaps_sum(&missing),
                       coras_error_message(failure));
}

/* Until all bytes are there, or a failure that trying again does not mend. */
static int fill_all(struct filling *f, coras_error **err)
{
    struct connection *c = f->connections;
    coras_retry tries = {.what = CORAS_RETRY_DOWNLOAD};
    int more;

    while ((more = next_piece(f, err)) > 0) {
        coras_auto(coras_error) failure = NULL;
        int64_t before = c->at;
        c->skip = f->one_stream ? c->at : 0;
        int rc = fetch_piece(c, &failure);
        bool all = c->at == c->end, progress = c->at > before;
        give_back(c);
        if (rc == 0)
            continue;
        if (rc == CORAS_ERR_RANGE && !f->one_stream) {
            use_one_stream(f);
            continue;
        }
        if (rc == CORAS_ERR_SIZE_MISMATCH && progress) /* it was cut */
            coras_error_set_retryable(&failure, true);
        struct coras_retry_verdict verdict = coras_retry_after(&tries, failure, progress);
        if (!verdict.again || all) {
            coras_error_propagate(err, &failure);
            return rc;
        }
        tell_retrying(f, failure);
        CORAS_TRY(coras_run_sleep_ms(f->d->run, verdict.wait_ms, err));
    }
    return more;
}

static void end_helpers(struct filling *f)
{
    atomic_store(&f->helpers_stop, true);
    for (unsigned i = 1; i < f->count; i++) {
        pthread_join(f->connections[i].thread, NULL);
        free(f->connections[i].gathered);
    }
}

int coras_fill(struct coras_fill *fill, coras_error **err)
{
    coras_auto_free char *gathered = coras_malloc(GATHER_BYTES);
    struct filling f = {.fill = fill,
                        .d = fill->download,
                        .free = fill->missing,
                        .scattered = fill->missing.len > 1 ||
                                     (fill->missing.len == 1 &&
                                      fill->missing.items[0].end != fill->download->desc->size),
                        .count = 1,
                        .wanted = 1};

    if (!gathered)
        return coras_fail_no_memory(err);
    f.connections[0] = (struct connection){.f = &f, .gathered = gathered};
    pthread_mutex_init(&f.lock, NULL);
    coras_cond_init(&f.changed);
    coras_growth_start(&f.growth, 0, coras_now_ms());
    int rc = fill_all(&f, err);
    end_helpers(&f);
    fill->missing = f.free;
    fill->disk_is_full = f.disk_is_full;
    int noted = 0;
    if (rc < 0 || f.scattered) /* else its length is that of the content */
        noted = coras_partial_settle(fill->fd, f.d->partial, f.d->desc->size, &f.free,
                                     rc == 0 ? err : NULL);
    pthread_cond_destroy(&f.changed);
    pthread_mutex_destroy(&f.lock);
    return rc < 0 ? rc : noted;
}
