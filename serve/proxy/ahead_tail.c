/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the file of a fill says of itself while parts come out of turn (partial.h): written when
 * there is something new, read by the next one that fills, taken off where the length can tell.
 */
#include <unistd.h>
#include "base/error.h"
#include "base/fs.h"
#include "serve/proxy/ahead_impl.h"
#include "serve/proxy/partial.h"

/* What a kill may cost. */
#define NOTE_BYTES ((int64_t)CORAS_MIB)

/* ---- writing ---- */

/* With the lock: where the byte is that no part in the file has, from `position` on; and where the
 * next part begins. */
static int64_t skip_parts(const serve_fill *f, int64_t position, int64_t *ret_next)
{
    bool moved = true;

    while (moved) {
        moved = false;
        *ret_next = f->size;
        for (size_t i = 0; i < f->ahead->len; i++) {
            const struct serve_ahead_part *p = f->ahead->items[i];
            int64_t end = p->first + p->got;
            if (p->is_aside || end <= position)
                continue;
            if (p->first <= position) {
                position = end;
                moved = true;
            } else if (p->first < *ret_next) {
                *ret_next = p->first;
            }
        }
    }
    return position;
}

coras_gaps serve_ahead_missing(const serve_fill *f)
{
    coras_gaps missing = {.len = 0};
    int64_t at = f->got > f->found ? f->got : f->found, next = f->size;

    if (!f->ahead) {
        coras_gaps_add(&missing, at, f->size);
        return missing;
    }
    for (at = skip_parts(f, at, &next); at < f->size; at = skip_parts(f, next, &next))
        coras_gaps_add(&missing, at, next);
    return missing;
}

int64_t serve_ahead_missing_bytes(const serve_fill *f)
{
    coras_gaps missing = serve_ahead_missing(f);

    return coras_gaps_sum(&missing);
}

/* With the lock. */
static bool should_note(const serve_fill *f)
{
    const struct serve_ahead *a = f->ahead;

    return f->size >= 0 && !f->window && f->fd >= 0 && (!a->has_tail || a->unnoted >= NOTE_BYTES);
}

int serve_ahead_note(serve_fill *f, coras_error **err)
{
    coras_gaps missing = {.len = 0};
    int64_t size;
    bool due;
    int fd;

    pthread_mutex_lock(&f->lock);
    due = should_note(f);
    size = f->size;
    fd = f->fd;
    if (due) {
        missing = serve_ahead_missing(f);
        f->ahead->unnoted = 0;
    }
    pthread_mutex_unlock(&f->lock);
    if (!due)
        return 0;
    CORAS_TRY(serve_partial_write_tail(fd, size, &missing, err));
    pthread_mutex_lock(&f->lock);
    f->ahead->has_tail = true;
    pthread_mutex_unlock(&f->lock);
    return 0;
}

void serve_ahead_advanced(serve_fill *f, int64_t bytes)
{
    bool has_tail;

    pthread_mutex_lock(&f->lock);
    has_tail = f->ahead && f->ahead->has_tail;
    if (has_tail)
        f->ahead->unnoted += bytes;
    pthread_mutex_unlock(&f->lock);
    if (has_tail && serve_ahead_note(f, NULL) < 0)
        return; /* what was noted before is still true */
}

/* ---- the end ---- */

/* The length can tell: with the lock. */
static bool is_in_order(const serve_fill *f, const coras_gaps *missing)
{
    return missing->len == 0 || (missing->len == 1 && missing->items[0].end == f->size);
}

static int end_locked(serve_fill *f, coras_error **err)
{
    struct serve_ahead *a = f->ahead;
    coras_gaps missing;
    int64_t length;

    if (!a || !a->has_tail || f->fd < 0)
        return 0;
    missing = serve_ahead_missing(f);
    if (!is_in_order(f, &missing))
        return serve_partial_write_tail(f->fd, f->size, &missing, err);
    length = missing.len > 0 ? missing.items[0].start : f->size;
    if (ftruncate(f->fd, length) < 0)
        return coras_fail_errno(err, errno, "truncate");
    a->has_tail = false;
    return 0;
}

int serve_ahead_end(serve_fill *f, coras_error **err)
{
    int rc;

    pthread_mutex_lock(&f->lock);
    rc = end_locked(f, err);
    pthread_mutex_unlock(&f->lock);
    return rc;
}

bool serve_ahead_is_noted(serve_fill *f)
{
    bool is_noted;

    pthread_mutex_lock(&f->lock);
    is_noted = f->ahead && f->ahead->has_tail;
    pthread_mutex_unlock(&f->lock);
    return is_noted;
}

/* ---- reading ---- */

static bool restore_part(struct serve_ahead *a, int64_t first, int64_t end)
{
    struct serve_ahead_part *p = first < end ? serve_ahead_add(a, first) : NULL;

    if (p) {
        p->end = end;
        p->got = end - first;
    }
    return p || first == end;
}

static bool restore(serve_fill *f, const coras_gaps *missing, int64_t size)
{
    struct serve_ahead *a = serve_ahead_open(f);
    bool well = a != NULL;

    for (size_t i = 0; well && i < missing->len; i++)
        well = restore_part(a, missing->items[i].end,
                            i + 1 < missing->len ? missing->items[i + 1].start : size);
    if (a)
        a->has_tail = true;
    return well;
}

int serve_ahead_restore(serve_fill *f, int64_t *found, bool *ret_parts, coras_error **err)
{
    coras_gaps missing;
    int64_t size;
    bool well;

    *ret_parts = false;
    pthread_mutex_lock(&f->lock);
    f->found = *found;
    pthread_mutex_unlock(&f->lock);
    if (f->fd < 0 || !serve_partial_read_tail(f->fd, *found, &size, &missing))
        return 0;
    *found = missing.len > 0 ? missing.items[0].start : size;
    if (missing.len == 0 || missing.items[0].end == size)
        return ftruncate(f->fd, *found) < 0 ? coras_fail_errno(err, errno, "truncate") : 0;
    pthread_mutex_lock(&f->lock);
    f->found = *found;
    well = restore(f, &missing, size);
    pthread_mutex_unlock(&f->lock);
    *ret_parts = well;
    return well ? 0 : coras_fail_no_memory(err);
}
