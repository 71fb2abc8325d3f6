/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a blob that come before their turn. */
#include "serve/proxy/ahead.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"
#include "serve/http/exchange.h"
#include "serve/proxy/fills.h"

/* Of one blob. Each is a reader's trail: pieces that follow one another make one part. */
#define PARTS_MAX 64
/* Pieces that did not come to their end, of one blob. */
#define FAILURES_MAX 4

struct ahead_part {
    int64_t first, end; /* asked for */
    int64_t got;        /* that have come */
    bool is_running;
};

struct serve_ahead {
    int fd;
    bool is_refused; /* the upstream sends no parts, or there is no room for them */
    unsigned running;
    unsigned failures;
    struct ahead_part **items;
    size_t len, cap;
};

void serve_ahead_free(struct serve_ahead *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->len; i++)
        free(a->items[i]);
    free(a->items);
    coras_close_fd(&a->fd);
    free(a);
}

static struct serve_ahead *ahead_new(int uploads_fd)
{
    struct serve_ahead *a = coras_new(struct serve_ahead);

    if (!a)
        return NULL;
    a->fd = openat(uploads_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    a->is_refused = a->fd < 0;
    return a;
}

/* ---- with the lock ---- */

bool serve_ahead_is_far(const serve_fill *f, int64_t position, int64_t now_ms)
{
    int64_t elapsed_ms = now_ms - f->measured_ms, distance = position - f->got;
    int64_t in_a_second =
        elapsed_ms > 0 ? (f->got - f->measured_got) / elapsed_ms * 1000 : f->got - f->measured_got;

    return distance > SERVE_AHEAD_NEAR && distance > in_a_second;
}

/* The part that has asked for this byte, or ends just before it. */
static struct ahead_part *part_at(const struct serve_ahead *a, int64_t position)
{
    struct ahead_part *found = NULL;

    for (size_t i = 0; i < a->len; i++) {
        struct ahead_part *p = a->items[i];
        if (position >= p->first && position <= p->end && (!found || position < p->end))
            found = p;
    }
    return found;
}

size_t serve_ahead_copy(const serve_fill *f, int64_t position, void *buffer, size_t cap)
{
    const struct ahead_part *p = f->ahead ? part_at(f->ahead, position) : NULL;
    int64_t there = p ? p->first + p->got - position : 0;
    size_t got = 0;

    if (there <= 0)
        return 0;
    if ((int64_t)cap > there)
        cap = (size_t)there;
    return coras_pread_full(f->ahead->fd, buffer, cap, position, &got, NULL) < 0 ? 0 : got;
}

/* A piece must not run into what comes by another one. */
static int64_t piece_end(const serve_fill *f, int64_t position, int64_t end)
{
    const struct serve_ahead *a = f->ahead;

    if (end > f->size)
        end = f->size;
    if (end - position > SERVE_AHEAD_PIECE)
        end = position + SERVE_AHEAD_PIECE;
    for (size_t i = 0; i < a->len; i++) {
        if (a->items[i]->first > position && a->items[i]->first < end)
            end = a->items[i]->first;
    }
    return end;
}

bool serve_ahead_has(const serve_fill *f, int64_t position)
{
    const struct ahead_part *p = f->ahead ? part_at(f->ahead, position) : NULL;

    return p && p->first + p->got > position;
}

static struct ahead_part *add_part(struct serve_ahead *a, int64_t position)
{
    struct ahead_part *p;

    if (a->len >= PARTS_MAX || coras_vec_grow(a, 1) < 0)
        return NULL;
    p = coras_new(struct ahead_part);
    if (!p)
        return NULL;
    p->first = p->end = position;
    a->items[a->len++] = p;
    return p;
}

static void remove_part(struct serve_ahead *a, const struct ahead_part *p)
{
    size_t i = 0;

    while (a->items[i] != p)
        i++;
    free(a->items[i]);
    a->items[i] = a->items[--a->len];
}

/* The part that is to bring the byte, prepared to run; NULL when it is on its way, or cannot be. */
static struct ahead_part *prepare(serve_fill *f, int64_t position, int64_t end)
{
    struct serve_ahead *a = f->ahead;
    struct ahead_part *p = part_at(a, position);

    if (a->is_refused || a->running >= CORAS_LIMIT_AHEAD || f->state != SERVE_FILL_RUNNING ||
        (p && (p->is_running || position < p->first + p->got)))
        return NULL;
    if (!p || p->first + p->got != position)
        p = add_part(a, position);
    if (!p)
        return NULL;
    p->end = piece_end(f, position, end);
    p->is_running = true;
    a->running++;
    return p;
}

static void settle(serve_fill *f, struct ahead_part *p)
{
    p->is_running = false;
    p->end = p->first + p->got;
    f->ahead->running--;
    if (p->got == 0)
        remove_part(f->ahead, p);
    serve_fill_tell(f);
}

/* ---- bringing a piece ---- */

struct ahead_piece {
    serve_fill *fill;
    struct ahead_part *part;
};

static int write_piece(void *user, const void *data, size_t len, coras_error **err)
{
    const struct ahead_piece *piece = user;
    serve_fill *f = piece->fill;
    struct ahead_part *p = piece->part;
    struct serve_registry *r = serve_fills_registry(f->fills);

    /* only this thread changes where it ends */
    CORAS_TRY(coras_pwrite_full(f->ahead->fd, data, len, p->first + p->got, err));
    serve_metrics_add(r->metrics, SERVE_METRIC_CACHE_FETCHED_BYTES,
                      SERVE_LABELS(.upstream = f->upstream->metrics_label), (int64_t)len);
    pthread_mutex_lock(&f->lock);
    p->got += (int64_t)len;
    serve_fill_tell(f);
    pthread_mutex_unlock(&f->lock);
    return 0;
}

static int bring(const struct ahead_piece *piece, int64_t size, coras_error **err)
{
    const struct ahead_part *p = piece->part;
    const coras_sink sink = {write_piece, (void *)(uintptr_t)piece};
    const coras_blob_read read = {.digest = &piece->fill->digest,
                                  .size = size,
                                  .offset = p->first + p->got,
                                  .length = p->end - p->first - p->got,
                                  .sink = &sink};
    coras_target *target = NULL;
    int rc;

    CORAS_TRY(serve_fills_target(piece->fill->fills, piece->fill, &target, err));
    rc = target->ops->read_blob(target, &read, err);
    coras_target_close(target);
    return rc;
}

static void bring_piece(serve_fill *f, void *user)
{
    const struct ahead_piece piece = {f, user};
    int64_t size;
    int rc;

    pthread_mutex_lock(&f->lock);
    size = f->size;
    pthread_mutex_unlock(&f->lock);
    rc = bring(&piece, size, NULL);
    pthread_mutex_lock(&f->lock);
    /* the filler has patience, and the reader waits for it then */
    if (rc < 0 &&
        (rc == CORAS_ERR_RANGE || rc == CORAS_ERR_NO_SPACE || ++f->ahead->failures >= FAILURES_MAX))
        f->ahead->is_refused = true;
    settle(f, piece.part);
    pthread_mutex_unlock(&f->lock);
}

void serve_ahead_want(serve_fill *f, int64_t position, int64_t end)
{
    struct ahead_part *p = NULL;

    pthread_mutex_lock(&f->lock);
    if (!f->ahead)
        f->ahead = ahead_new(serve_fills_registry(f->fills)->store->uploads_fd);
    if (f->ahead)
        p = prepare(f, position, end);
    pthread_mutex_unlock(&f->lock);
    if (!p || serve_fills_help(f->fills, f, bring_piece, p))
        return;
    pthread_mutex_lock(&f->lock);
    settle(f, p);
    pthread_mutex_unlock(&f->lock);
}

/* ---- for the filler ---- */

static bool is_worth_it(const struct ahead_part *p, int64_t position)
{
    return p->first >= position && p->end - p->first >= SERVE_AHEAD_WORTH;
}

int64_t serve_ahead_next(serve_fill *f, int64_t position)
{
    int64_t next = -1;

    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; f->ahead && i < f->ahead->len; i++) {
        const struct ahead_part *p = f->ahead->items[i];
        if (is_worth_it(p, position) && (next < 0 || p->first < next))
            next = p->first;
    }
    pthread_mutex_unlock(&f->lock);
    return next;
}

/* What was taken needs its room no more. */
static void forget(serve_fill *f, struct ahead_part *p)
{
    (void)fallocate(f->ahead->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, p->first,
                    p->got > 0 ? p->got : 1);
    remove_part(f->ahead, p);
}

size_t serve_ahead_take(serve_fill *f, int64_t position, void *buffer, size_t cap)
{
    struct ahead_part *p;
    size_t got = 0;

    pthread_mutex_lock(&f->lock);
    while (f->ahead && (p = part_at(f->ahead, position))) {
        got = serve_ahead_copy(f, position, buffer, cap);
        if (got > 0)
            break;
        if (!p->is_running) {
            forget(f, p);
            break;
        }
        pthread_cond_wait(&f->changed, &f->lock);
    }
    pthread_mutex_unlock(&f->lock);
    return got;
}

void serve_ahead_clear(serve_fill *f)
{
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; f->ahead && i < f->ahead->len;) {
        if (f->ahead->items[i]->is_running)
            i++; /* its thread has it; what it brings is right or wrong as any */
        else
            forget(f, f->ahead->items[i]);
    }
    pthread_mutex_unlock(&f->lock);
}
