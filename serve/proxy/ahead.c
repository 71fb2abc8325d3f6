/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a blob that come before their turn. */
#include "serve/proxy/ahead_impl.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"
#include "serve/http/exchange.h"
#include "serve/proxy/fills.h"

/* Pieces that did not come to their end, of one blob. */
#define FAILURES_MAX 4
/* Nobody but the filler writes so close before it. */
#define KEPT_CLEAR ((int64_t)512 * CORAS_KIB)
/* What readers and the filler learn of at a time, where they do not wait for each byte. */
#define TELL_MS 2

typedef struct serve_ahead_part ahead_part;

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

struct serve_ahead *serve_ahead_open(serve_fill *f)
{
    if (f->ahead)
        return f->ahead;
    f->ahead = coras_new(struct serve_ahead);
    if (f->ahead)
        f->ahead->fd = -1;
    return f->ahead;
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
static ahead_part *part_at(const struct serve_ahead *a, int64_t position)
{
    ahead_part *found = NULL;

    for (size_t i = 0; i < a->len; i++) {
        ahead_part *p = a->items[i];
        if (position >= p->first && position <= p->end && (!found || position < p->end))
            found = p;
    }
    return found;
}

/* What the part has from `position` on. */
static size_t copy_of(const serve_fill *f, const ahead_part *p, int64_t position, void *buffer,
                      size_t cap)
{
    int64_t there = p->first + p->got - position;
    size_t got = 0;

    if (there <= 0)
        return 0;
    if ((int64_t)cap > there)
        cap = (size_t)there;
    if (coras_pread_full(p->is_aside ? f->ahead->fd : f->fd, buffer, cap, position, &got, NULL) < 0)
        return 0;
    return got;
}

size_t serve_ahead_copy(const serve_fill *f, int64_t position, void *buffer, size_t cap)
{
    const ahead_part *p = f->ahead ? part_at(f->ahead, position) : NULL;

    return p ? copy_of(f, p, position, buffer, cap) : 0;
}

int64_t serve_ahead_piece_end(const serve_fill *f, int64_t position, int64_t end)
{
    const struct serve_ahead *a = f->ahead;

    if (end > f->size)
        end = f->size;
    for (size_t i = 0; i < a->len; i++) {
        if (a->items[i]->first > position && a->items[i]->first < end)
            end = a->items[i]->first;
    }
    return end;
}

bool serve_ahead_has(const serve_fill *f, int64_t position)
{
    const ahead_part *p = f->ahead ? part_at(f->ahead, position) : NULL;

    return p && p->first + p->got > position;
}

ahead_part *serve_ahead_add(struct serve_ahead *a, int64_t position)
{
    ahead_part *p;

    if (a->len >= SERVE_AHEAD_PARTS_MAX || coras_vec_grow(a, 1) < 0)
        return NULL;
    p = coras_new(ahead_part);
    if (!p)
        return NULL;
    p->first = p->end = position;
    a->items[a->len++] = p;
    return p;
}

static void remove_part(struct serve_ahead *a, const ahead_part *p)
{
    size_t i = 0;

    while (a->items[i] != p)
        i++;
    free(a->items[i]);
    a->items[i] = a->items[--a->len];
}

/* The room of what was taken is needed no more; in the fill's file it is the blob's. */
static void forget(serve_fill *f, ahead_part *p)
{
    if (p->is_aside)
        (void)fallocate(f->ahead->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, p->first,
                        p->got > 0 ? p->got : 1);
    remove_part(f->ahead, p);
}

void serve_ahead_forget_overtaken(serve_fill *f)
{
    for (size_t i = 0; i < f->ahead->len;) {
        ahead_part *p = f->ahead->items[i];
        if (!p->is_running && p->end <= f->got)
            forget(f, p);
        else
            i++;
    }
}

/* Whether the filler that is at `position` will stop for it: others write there, or have written
 * enough. */
static bool is_stop(const ahead_part *p, int64_t position)
{
    return p->first >= position && p->end - p->first >= SERVE_AHEAD_WORTH && !p->is_aside;
}

/* Where a new part is to be; false: there is no room. */
static bool place_part(serve_fill *f, ahead_part *p)
{
    struct serve_ahead *a = f->ahead;

    p->is_aside = p->end - p->first < SERVE_AHEAD_WORTH || p->first - f->got < KEPT_CLEAR ||
                  p->first < f->found;
    if (p->is_aside && a->fd < 0)
        a->fd = openat(serve_fills_registry(f->fills)->store->uploads_fd, ".",
                       O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return (p->is_aside ? a->fd : f->fd) >= 0;
}

/* There is nothing behind the end, and before the size is known nobody knows where that is. */
static bool may_begin(const serve_fill *f, int64_t position)
{
    const struct serve_ahead *a = f->ahead;

    return !a->is_refused && !a->is_stopped && a->running < CORAS_LIMIT_AHEAD &&
           f->state == SERVE_FILL_RUNNING && position < f->size;
}

/* The part that is to bring the byte, prepared to run; NULL when it is on its way, or cannot be. */
static ahead_part *prepare(serve_fill *f, int64_t position, int64_t end)
{
    struct serve_ahead *a = f->ahead;
    ahead_part *p = part_at(a, position);
    bool is_new;

    if (!may_begin(f, position) || (p && (p->is_running || position < p->first + p->got)))
        return NULL;
    serve_ahead_forget_overtaken(f);
    p = part_at(a, position);
    is_new = !p || p->first + p->got != position || !is_stop(p, f->got);
    if (is_new)
        p = serve_ahead_add(a, position);
    if (!p)
        return NULL;
    p->end = serve_ahead_piece_end(
        f, position, end - position > SERVE_AHEAD_PIECE ? position + SERVE_AHEAD_PIECE : end);
    if (is_new && !place_part(f, p)) {
        a->is_refused = true;
        remove_part(a, p);
        return NULL;
    }
    p->is_running = true;
    a->running++;
    return p;
}

void serve_ahead_settle(serve_fill *f, ahead_part *p)
{
    p->is_running = false;
    p->end = p->first + p->got;
    if (p->got == 0)
        remove_part(f->ahead, p);
    serve_fill_tell(f);
}

void serve_ahead_note_failure(serve_fill *f, int rc)
{
    struct serve_ahead *a = f->ahead;

    /* the filler has patience, and readers wait for it then */
    if (rc == CORAS_ERR_RANGE || rc == CORAS_ERR_NO_SPACE || ++a->failures >= FAILURES_MAX)
        a->is_refused = true;
}

/* ---- bringing a piece ---- */

struct ahead_piece {
    serve_fill *fill;
    ahead_part *part;
    const struct serve_ahead_watch *watch;
};

/* Only the thread that has the part changes where it ends. false: it is not wanted any more. */
static bool grow_part(serve_fill *f, ahead_part *p, size_t len)
{
    bool goes_on;

    pthread_mutex_lock(&f->lock);
    p->got += (int64_t)len;
    f->ahead->unnoted += (int64_t)len;
    goes_on = !f->ahead->is_stopped;
    if (f->ahead->lanes == 0 || coras_now_ms() - f->told_ms >= TELL_MS) {
        f->told_ms = coras_now_ms();
        serve_fill_tell(f);
    }
    pthread_mutex_unlock(&f->lock);
    return goes_on;
}

static int write_piece(void *user, const void *data, size_t len, coras_error **err)
{
    const struct ahead_piece *piece = user;
    serve_fill *f = piece->fill;
    ahead_part *p = piece->part;
    struct serve_registry *r = serve_fills_registry(f->fills);

    if (!p->is_aside) /* before it is complete, so that nobody has taken the tail off */
        CORAS_TRY(serve_ahead_note(f, err));
    CORAS_TRY(
        coras_pwrite_full(p->is_aside ? f->ahead->fd : f->fd, data, len, p->first + p->got, err));
    serve_metrics_add(r->metrics, SERVE_METRIC_CACHE_FETCHED_BYTES,
                      SERVE_LABELS(.upstream = f->upstream->metrics_label), (int64_t)len);
    if (piece->watch)
        piece->watch->arrived(piece->watch->user, len);
    return grow_part(f, p, len) ? 0 : CORAS_SINK_STOP;
}

/* The free space that the operator asked for is not for this. */
static int check_room(const serve_fill *f, const ahead_part *p, coras_error **err)
{
    const struct serve_registry *r = serve_fills_registry(f->fills);
    int64_t space = r->options.min_free > 0 ? coras_free_space(r->store->uploads_fd) : -1;

    if (space < 0 || space - (p->end - p->first) >= r->options.min_free)
        return 0;
    return coras_fail(err, CORAS_ERR_NO_SPACE, "no space left");
}

int serve_ahead_bring(serve_fill *f, ahead_part *p, const struct serve_ahead_watch *watch,
                      coras_error **err)
{
    struct ahead_piece piece = {f, p, watch};
    const coras_sink sink = {write_piece, &piece};
    coras_blob_read read = {.digest = &f->digest, .sink = &sink};
    coras_auto(coras_target) target = NULL;

    pthread_mutex_lock(&f->lock);
    read.size = f->size;
    read.offset = p->first + p->got;
    read.length = p->end - read.offset;
    pthread_mutex_unlock(&f->lock);
    CORAS_TRY(check_room(f, p, err));
    CORAS_TRY(serve_fills_target(f->fills, f, &target, err));
    return target->ops->read_blob(target, &read, err);
}

static void bring_piece(serve_fill *f, void *user)
{
    ahead_part *p = user;
    int rc = serve_ahead_bring(f, p, NULL, NULL);

    pthread_mutex_lock(&f->lock);
    if (rc < 0)
        serve_ahead_note_failure(f, rc);
    f->ahead->running--;
    serve_ahead_settle(f, p);
    pthread_mutex_unlock(&f->lock);
}

void serve_ahead_want(serve_fill *f, int64_t position, int64_t end)
{
    ahead_part *p = NULL;

    pthread_mutex_lock(&f->lock);
    if (serve_ahead_open(f))
        p = prepare(f, position, end);
    pthread_mutex_unlock(&f->lock);
    if (!p || serve_fills_help(f->fills, f, bring_piece, p))
        return;
    pthread_mutex_lock(&f->lock);
    f->ahead->running--;
    serve_ahead_settle(f, p);
    pthread_mutex_unlock(&f->lock);
}

/* ---- for the filler ---- */

int64_t serve_ahead_next(serve_fill *f, int64_t position)
{
    int64_t next = -1;

    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; f->ahead && i < f->ahead->len; i++) {
        const ahead_part *p = f->ahead->items[i];
        if (is_stop(p, position) && (next < 0 || p->first < next))
            next = p->first;
    }
    pthread_mutex_unlock(&f->lock);
    return next;
}

/* The part in the file at this place. One beside it may be there, too, and is no help: who writes
 * what it has would write where another does. */
static ahead_part *part_in_file(const struct serve_ahead *a, int64_t position)
{
    for (size_t i = 0; i < a->len; i++) {
        ahead_part *p = a->items[i];
        if (!p->is_aside && position >= p->first && position < p->end)
            return p;
    }
    return NULL;
}

size_t serve_ahead_take(serve_fill *f, int64_t position, void *buffer, size_t cap)
{
    ahead_part *p;
    size_t got = 0;

    pthread_mutex_lock(&f->lock);
    while (f->ahead && got == 0 && (p = part_in_file(f->ahead, position))) {
        got = copy_of(f, p, position, buffer, cap);
        if (got == 0 && !p->is_running) /* what cannot be read is asked for again */
            forget(f, p);
        else if (got == 0)
            pthread_cond_wait(&f->changed, &f->lock);
    }
    if (got == 0 && f->ahead)
        serve_ahead_forget_overtaken(f);
    pthread_mutex_unlock(&f->lock);
    return got;
}

void serve_ahead_stop(serve_fill *f)
{
    pthread_mutex_lock(&f->lock);
    if (serve_ahead_open(f)) /* or somebody opens it after this */
        f->ahead->is_stopped = true;
    while (f->ahead && (f->ahead->running > 0 || f->ahead->lanes > 0))
        pthread_cond_wait(&f->changed, &f->lock);
    pthread_mutex_unlock(&f->lock);
}

void serve_ahead_clear(serve_fill *f)
{
    while (f->ahead && f->ahead->len > 0)
        forget(f, f->ahead->items[0]);
    if (f->ahead) {
        f->ahead->is_stopped = false;
        f->ahead->has_tail = false;
    }
}
