/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All connections do the same: take the first missing piece, ask for it, write what comes, give
 * back what did not come. The first runs on the caller's thread; it alone adds others, and its
 * failure is the failure of all. It begins with everything; when another is added, its piece ends
 * where that of the other begins.
 */
#include "transfer/fill.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/retry.h"
#include "base/thread.h"
#include "transfer/fill_impl.h"
#include "transfer/partial_file.h"

enum { WAIT_MS = 200 }; /* longest wait between two looks at the cancel flag */

/* ---- helpers ---- */

/* Whether to go on, and then with what. */
static bool take_next(coras_fill_connection *c)
{
    coras_filling *f = c->f;

    pthread_mutex_lock(&f->lock);
    bool retires = f->retiring > 0;
    f->retiring -= retires;
    bool taken = !retires && !atomic_load(&f->helpers_stop) && coras_fill_take(c);
    pthread_mutex_unlock(&f->lock);
    return taken;
}

/* Until nothing is left to take. A helper that fails leaves its piece to the others. */
static void help(coras_fill_connection *c)
{
    coras_filling *f = c->f;
    coras_retry tries = {.what = CORAS_RETRY_HELPER};

    while (take_next(c)) {
        coras_auto(coras_error) failure = NULL;
        int64_t before = c->at;
        int rc = coras_fill_fetch(c, &failure);
        bool progress = c->at > before;
        coras_fill_give_back(c);
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
    coras_fill_connection *c = arg;
    coras_filling *f = c->f;

    help(c);
    coras_lanes_leave(f->lanes, c->opened);
    pthread_mutex_lock(&f->lock);
    c->state = CORAS_FILL_ENDED;
    f->working--;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

/* After its thread has said that it ends, or was told to. */
static void join_helper(coras_fill_connection *c)
{
    if (c->has_thread)
        pthread_join(c->thread, NULL);
    c->has_thread = false;
}

/* Nobody else looks at the connections: with the lock held, or when all helpers were joined. */
static void clear_helper(coras_fill_connection *c)
{
    join_helper(c);
    free(c->gathered);
    *c = (coras_fill_connection){.state = CORAS_FILL_UNUSED};
}

/* lock held: where a further helper has its place; NULL: there is none */
static coras_fill_connection *free_place(coras_filling *f)
{
    for (unsigned i = 1; i < CORAS_GROWTH_CONNECTIONS_MAX; i++)
        if (f->connections[i].state != CORAS_FILL_AT_WORK)
            return &f->connections[i];
    return NULL;
}

/* lock held */
static bool start_helper(coras_filling *f)
{
    coras_fill_connection *c = f->refused ? NULL : free_place(f);

    if (!c)
        return false;
    clear_helper(c);
    *c = (coras_fill_connection){
        .f = f, .gathered = coras_malloc(CORAS_FILL_HELPER_BYTES), .cap = CORAS_FILL_HELPER_BYTES};
    if (!c->gathered || coras_thread_start(0, helper_thread, c, &c->thread) != 0) {
        free(c->gathered);
        c->gathered = NULL;
        return false;
    }
    c->has_thread = true;
    c->state = CORAS_FILL_AT_WORK;
    f->working++;
    return true;
}

/* Before anything is written out of order, for the file's length would claim what lies before it.
 */
static bool may_scatter(coras_filling *f)
{
    if (f->scattered)
        return true;
    coras_arrival_hash_scatter(f->fill->hash);
    f->scattered = coras_fill_note(f) == 0;
    return f->scattered;
}

/* Up to `count` more, as long as they are wanted and there is something for them to do. */
static void add_connections(coras_filling *f, unsigned count)
{
    pthread_mutex_lock(&f->lock);
    unsigned connections = f->working + 1 + count;
    bool useless = f->refused || f->one_stream;
    if (!useless)
        coras_fill_split(f, connections);
    pthread_mutex_unlock(&f->lock);
    if (useless || !may_scatter(f))
        return;
    while (count-- && coras_lanes_take(f->lanes)) {
        pthread_mutex_lock(&f->lock);
        bool started = start_helper(f);
        pthread_mutex_unlock(&f->lock);
        if (started)
            continue;
        coras_lanes_leave(f->lanes, false);
        break;
    }
}

static void take_away_connections(coras_filling *f, unsigned count)
{
    pthread_mutex_lock(&f->lock);
    f->retiring = count < f->working ? count : f->working;
    pthread_mutex_unlock(&f->lock);
}

void coras_fill_look(coras_filling *f, int64_t missing)
{
    int more = f->lanes ? coras_lanes_look(f->lanes, missing) : 0;

    if (more > 0)
        add_connections(f, (unsigned)more);
    else if (f->lanes)
        take_away_connections(f, (unsigned)-more);
}

/* ---- the caller's connection ---- */

/* lock held: wait a moment for the helpers */
static void wait_for_helpers(coras_filling *f)
{
    struct timespec until = coras_deadline_ms(WAIT_MS);

    pthread_cond_timedwait(&f->changed, &f->lock, &until);
}

/* 1: the caller's connection has a piece; 0: everything is there. */
static int next_piece(coras_filling *f, coras_error **err)
{
    int rc = 0;

    pthread_mutex_lock(&f->lock);
    while (!coras_fill_take(f->connections)) {
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
static void use_one_stream(coras_filling *f)
{
    f->one_stream = true;
    atomic_store(&f->helpers_stop, true);
    pthread_mutex_lock(&f->lock);
    while (f->working)
        wait_for_helpers(f);
    int64_t front = coras_fill_front(f);
    f->free.len = 0;
    coras_gaps_add(&f->free, front, f->d->desc->size);
    f->piece = 0;
    pthread_mutex_unlock(&f->lock);
}

static void tell_retrying(coras_filling *f, const coras_error *failure)
{
    const coras_transfer *transfer = f->d->transfer;

    if (!transfer || !transfer->retrying)
        return;
    pthread_mutex_lock(&f->lock);
    coras_gaps missing = coras_fill_missing(f);
    pthread_mutex_unlock(&f->lock);
    transfer->retrying(transfer->user, f->d->desc->size - coras_gaps_sum(&missing),
                       coras_error_message(failure));
}

/* Until all bytes are there, or a failure that trying again does not mend. */
static int fill_all(coras_filling *f, coras_error **err)
{
    coras_fill_connection *c = f->connections;
    coras_retry tries = {.what = CORAS_RETRY_DOWNLOAD};
    int more;

    while ((more = next_piece(f, err)) > 0) {
        coras_auto(coras_error) failure = NULL;
        int64_t before = c->at;
        c->skip = f->one_stream ? c->at : 0;
        int rc = coras_fill_fetch(c, &failure);
        bool all = c->at >= c->end, progress = c->at > before;
        coras_fill_give_back(c);
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

static void end_helpers(coras_filling *f)
{
    atomic_store(&f->helpers_stop, true);
    for (unsigned i = 1; i < CORAS_GROWTH_CONNECTIONS_MAX; i++)
        join_helper(&f->connections[i]);
    for (unsigned i = 1; i < CORAS_GROWTH_CONNECTIONS_MAX; i++)
        clear_helper(&f->connections[i]);
}

/* ---- the whole ---- */

/* How many connections were worth it before, with this target. */
static void begin(coras_filling *f)
{
    coras_target *origin = coras_target_origin(f->d->from);
    unsigned known = origin->ops->known_lanes ? origin->ops->known_lanes(origin) : 0;
    bool is_here = origin->ops->is_here && origin->ops->is_here(origin);

    coras_lanes_expect(f->lanes, known, is_here);
    if (is_here && origin->ops->is_encrypted && origin->ops->is_encrypted(origin))
        coras_lanes_share_processors(f->lanes);
    coras_lanes_enter(f->lanes);
    coras_fill_look(f, coras_gaps_sum(&f->free));
}

static void end(coras_filling *f, bool well)
{
    coras_target *origin = coras_target_origin(f->d->from);
    unsigned learnt = well ? coras_lanes_learnt(f->lanes) : 0;

    coras_lanes_leave(f->lanes, f->connections->opened);
    if (learnt && origin->ops->learn_lanes)
        origin->ops->learn_lanes(origin, learnt);
}

static int fill(coras_filling *f, coras_error **err)
{
    if (f->lanes)
        begin(f);
    int rc = fill_all(f, err);
    end_helpers(f);
    if (f->lanes)
        end(f, rc == 0);
    return rc;
}

static bool is_scattered(const coras_gaps *missing, int64_t size)
{
    return missing->len > 1 || (missing->len == 1 && missing->items[0].end != size);
}

int coras_fill(struct coras_fill *filled, coras_error **err)
{
    const struct coras_download *d = filled->download;
    bool small = d->desc->size < (int64_t)CORAS_FILL_GATHER_BYTES;
    size_t cap = small ? (size_t)d->desc->size + 1 : CORAS_FILL_GATHER_BYTES;
    char *gathered = coras_malloc(cap);
    coras_filling f = {.fill = filled,
                       .d = d,
                       .free = filled->missing,
                       .scattered = is_scattered(&filled->missing, d->desc->size)};

    if (!gathered)
        return coras_fail_no_memory(err);
    if (coras_gaps_sum(&f.free) >= CORAS_GROWTH_BYTES_MIN)
        f.lanes = &d->run->lanes;
    f.connections[0] = (coras_fill_connection){.f = &f, .gathered = gathered, .cap = cap};
    pthread_mutex_init(&f.lock, NULL);
    coras_cond_init(&f.changed);
    int rc = fill(&f, err);
    filled->missing = f.free;
    filled->disk_is_full = f.disk_is_full;
    free(f.connections[0].gathered); /* another one by now, maybe */
    int noted = 0;
    if (rc < 0 || f.scattered) /* else its length is that of the content */
        noted = coras_partial_settle(filled->fd, d->partial, d->desc->size, &f.free,
                                     rc == 0 ? err : NULL);
    pthread_cond_destroy(&f.changed);
    pthread_mutex_destroy(&f.lock);
    return rc < 0 ? rc : noted;
}
