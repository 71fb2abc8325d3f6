/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of the bytes of a fill: they go into the file; where the disk has no room, something
 * older goes for them, and where there is nothing older, they are handed to the readers alone.
 */
#include "serve/proxy/fill_lease.h"
#include "serve/proxy/filler_impl.h"

#include <inttypes.h>
#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "serve/http/log.h"
#include "serve/proxy/ahead.h"
#include "serve/proxy/partial.h"
#include "serve/storage/evict.h"

/* Start writing out in pieces of this size, so that the final flush finds little left to do. */
#define FLUSH_BYTES (16 * CORAS_MIB)
/* How often the free space is looked at, where some has to stay. */
#define LOOK_BYTES (4 * CORAS_MIB)
/* Given up at a time for what has no room: no more than it needs. */
#define ROOM_MOST ((int64_t)64 * CORAS_MIB)

static void begin_flush(struct serve_filler *w)
{
    if (w->got - w->flushed < FLUSH_BYTES)
        return;
    (void)sync_file_range(w->fd, w->flushed, w->got - w->flushed, SYNC_FILE_RANGE_WRITE);
    w->flushed = w->got;
}

void serve_filler_take(struct serve_filler *w, const void *data, size_t len)
{
    coras_hasher_update(w->hasher, data, len);
    w->got += (int64_t)len;
    serve_fill_advance(w->fill, (int64_t)len);
    serve_ahead_advanced(w->fill, (int64_t)len);
}

/* Whether the disk keeps the free space that the operator asked for. Asked now and then. */
static bool is_above_floor(struct serve_filler *w)
{
    int64_t floor = w->registry->options.min_free, space;

    if (floor <= 0 || w->got < w->look_at)
        return true;
    w->look_at = w->got + LOOK_BYTES;
    space = coras_free_space(w->registry->store->uploads_fd);
    return space < 0 || space >= floor;
}

static int write_file(struct serve_filler *w, const void *data, size_t len, coras_error **err)
{
    if (w->fd < 0 || !is_above_floor(w))
        return coras_fail(err, CORAS_ERR_NO_SPACE, "no space left");
    return coras_pwrite_full(w->fd, data, len, w->got, err);
}

/* There is no room, and nothing to give up for it: readers get it all the same. */
static int stop_keeping(struct serve_filler *w, coras_error **err)
{
    CORAS_TRY(serve_fill_open_window(w->fill, err));
    serve_partial_remove(w->registry->store, &w->fill->digest);
    w->is_passed = true;
    serve_filler_tell(w, "no space left, passed through and not kept", NULL);
    return 0;
}

static int64_t wanted_room(const struct serve_filler *w)
{
    int64_t missing = w->size - w->got;

    if (missing < SERVE_FILLER_ROOM)
        return SERVE_FILLER_ROOM;
    return missing < ROOM_MOST ? missing : ROOM_MOST;
}

/* Into the file; *ret_stored false: it has no room. */
static int store(struct serve_filler *w, const void *data, size_t len, bool *ret_stored,
                 coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    int rc = write_file(w, data, len, &failure);

    if (rc == CORAS_ERR_NO_SPACE && serve_evict_from_disk(w->registry, wanted_room(w)) > 0) {
        coras_error_clear(&failure);
        w->look_at = w->got;
        rc = write_file(w, data, len, &failure);
    }
    *ret_stored = rc == 0;
    if (rc == CORAS_ERR_NO_SPACE)
        return stop_keeping(w, err);
    coras_error_propagate(err, &failure);
    return rc;
}

/* At the pace of the readers. */
static int pass(struct serve_filler *w, const char *data, size_t len, coras_error **err)
{
    while (len > 0) {
        size_t passed = serve_fill_pass(w->fill, data, len, w->target->cancel);
        CORAS_TRY(coras_cancel_check(w->target->cancel, err));
        if (passed == 0)
            return coras_fail(err, CORAS_ERR_NO_SPACE, "no space left, and nobody reads");
        serve_metrics_add(w->registry->metrics, SERVE_METRIC_CACHE_PASSED_BYTES, NULL,
                          (int64_t)passed);
        serve_filler_take(w, data, passed);
        data += passed;
        len -= passed;
    }
    return 0;
}

static void moved(struct serve_filler *w)
{
    serve_patience_moved(&w->patience, coras_now_ms());
    serve_fill_lease_keep(w);
}

int serve_filler_append(struct serve_filler *w, const void *data, size_t len, coras_error **err)
{
    bool stored = false;

    if (w->size < 0 && w->got > CORAS_LIMIT_UNSIZED_BLOB)
        return coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "there is no end to it");
    if (!w->is_passed)
        CORAS_TRY(store(w, data, len, &stored, err));
    if (stored) {
        serve_filler_take(w, data, len);
        begin_flush(w);
    } else {
        CORAS_TRY(pass(w, data, len, err));
    }
    moved(w);
    return 0;
}

int serve_filler_adopt(struct serve_filler *w, const void *data, size_t len, coras_error **err)
{
    if (w->is_passed)
        return serve_filler_append(w, data, len, err);
    serve_filler_take(w, data, len);
    begin_flush(w);
    moved(w);
    return 0;
}

void serve_filler_tell(const struct serve_filler *w, const char *what, const coras_error *failure)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    serve_log_note("proxy %s: %s %s: %s%s%" PRId64 " bytes in %" PRId64 " ms, resumed %d times",
                   w->fill->upstream->label, w->fill->repository,
                   coras_digest_format(&w->fill->digest, text), what, failure ? ": " : ", ", w->got,
                   coras_now_ms() - w->began_ms, w->resumes);
    if (failure)
        serve_log_failure(w->fill->repository, coras_error_message(failure));
}
