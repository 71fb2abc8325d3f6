/* SPDX-License-Identifier: Apache-2.0 */
/* The course of a fill. */
#include "serve/proxy/fill_lease.h"
#include "serve/proxy/filler_impl.h"

#include <errno.h>
#include <inttypes.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "serve/proxy/ahead.h"
#include "serve/proxy/partial.h"
#include "serve/proxy/patience.h"
#include "serve/proxy/wide.h"
#include "serve/storage/evict.h"

/* Read at a time from what an earlier life has left. */
#define READ_BYTES (256 * CORAS_KIB)
/* What is hashed anew takes long from here on: the upstream is asked for the size meanwhile. */
#define LONG_BYTES (64 * CORAS_MIB)

/* Whoever has begun it may be about to read. */
#define IDLE_LEAST_MS 1000

/* ---- what comes ---- */

/* How much of it is not here by another way. */
static size_t up_to_stop(struct serve_filler *w, size_t len)
{
    w->stop_at = w->no_parts ? -1 : serve_ahead_next(w->fill, w->got);
    if (w->stop_at >= 0 && w->stop_at - w->got < (int64_t)len)
        return (size_t)(w->stop_at - w->got);
    return len;
}

/* A blob that nobody waits for is still worth its bytes, if it is not almost all of them. */
static int check_wanted(const struct serve_filler *w, coras_error **err)
{
    int64_t idle_ms = serve_fill_idle_ms(w->fill);

    if (w->size < 0 || w->got > w->size / 10 || idle_ms < IDLE_LEAST_MS ||
        idle_ms < w->registry->options.keep_filling * 1000)
        return 0;
    return coras_fail(err, CORAS_ERR_CANCELLED, "nobody waits for it");
}

static int write_piece(void *user, const void *data, size_t len, coras_error **err)
{
    struct serve_filler *w = user;
    size_t skipped = w->skip < (int64_t)len ? (size_t)w->skip : len, wanted;

    serve_metrics_add(w->registry->metrics, SERVE_METRIC_CACHE_FETCHED_BYTES,
                      SERVE_LABELS(.upstream = w->label), (int64_t)len);
    w->skip -= (int64_t)skipped;
    if (skipped == len)
        return 0;
    data = (const char *)data + skipped;
    len -= skipped;
    CORAS_TRY(check_wanted(w, err));
    serve_wide_arrived(w, len);
    wanted = up_to_stop(w, len);
    if (wanted > 0)
        CORAS_TRY(serve_filler_append(w, data, wanted, err));
    return wanted < len ? CORAS_SINK_STOP : 0;
}

static int measured(void *user, int64_t size, coras_error **err)
{
    struct serve_filler *w = user;

    serve_upstream_note(w->fill->upstream, 0, NULL);
    CORAS_TRY(serve_fill_set_size(w->fill, size, err));
    if (size >= 0)
        w->size = size;
    return 0;
}

/* Ask for what is missing, once; no further than to where somebody has brought it already. */
static int attempt(struct serve_filler *w, coras_error **err)
{
    const coras_sink sink = {write_piece, w};
    coras_blob_read read = {.digest = &w->fill->digest,
                            .size = -1,
                            .offset = w->no_parts ? 0 : w->got,
                            .length = -1,
                            .sink = &sink,
                            .measured = measured,
                            .user = w};
    int rc;

    w->stop_at = w->no_parts ? -1 : serve_ahead_next(w->fill, w->got);
    if (w->stop_at >= 0)
        read.length = w->stop_at - w->got;
    w->skip = w->no_parts ? w->got : 0;
    serve_wide_ask(w);
    rc = w->target->ops->read_blob(w->target, &read, err);
    serve_wide_asked(w);
    if (rc < 0)
        return rc;
    if (w->size < 0)
        w->size = w->got; /* it ended, as one of unknown size does */
    return 0;
}

/* What somebody has brought out of turn. */
static int take_brought(struct serve_filler *w, coras_error **err)
{
    coras_auto_free char *chunk = coras_malloc(READ_BYTES);
    size_t got;

    if (!chunk)
        return coras_fail_no_memory(err);
    while ((got = serve_ahead_take(w->fill, w->got, chunk, READ_BYTES)) > 0) {
        CORAS_TRY(coras_cancel_check(w->target->cancel, err));
        CORAS_TRY(check_wanted(w, err));
        CORAS_TRY(serve_filler_adopt(w, chunk, got, err));
        serve_wide_follow(w);
    }
    return 0;
}

static int go_on(struct serve_filler *w, coras_error **err)
{
    if (!w->no_parts && serve_ahead_next(w->fill, w->got) == w->got)
        return take_brought(w, err);
    return attempt(w, err);
}

static enum serve_metric_reason reason_of(const coras_error *failure)
{
    int status = coras_error_http_status(failure);

    if (status == 429)
        return SERVE_REASON_429;
    if (status >= 500)
        return SERVE_REASON_5XX;
    return coras_error_code(failure) == CORAS_ERR_TIMEOUT ? SERVE_REASON_STALL : SERVE_REASON_CUT;
}

/* After a failure: 0 to try again. */
static int wait_to_resume(struct serve_filler *w, const coras_error *failure, coras_error **err)
{
    int64_t wait_ms = 0;
    enum serve_patience_verdict verdict = serve_patience_decide(
        &w->patience, coras_now_ms(), failure, !w->no_parts && w->got > 0, &wait_ms);

    if (verdict == SERVE_PATIENCE_OVER)
        return coras_error_code(failure);
    w->resumes++;
    serve_metrics_add(w->registry->metrics, SERVE_METRIC_CACHE_FILL_RESUMES,
                      SERVE_LABELS(.reason = reason_of(failure)), 1);
    if (verdict == SERVE_PATIENCE_WHOLE) {
        w->no_parts = true;
        serve_ahead_stop(w->fill); /* it does not go round what others write any more */
        return 0;
    }
    return coras_cancel_sleep_ms(w->target->cancel, wait_ms, err);
}

static bool is_complete(const struct serve_filler *w)
{
    return w->size >= 0 && w->got == w->size;
}

static int open_target(struct serve_filler *w, coras_error **err)
{
    coras_target_close(w->target);
    w->target = NULL;
    return serve_fills_target(w->fill->fills, w->fill, &w->target, err);
}

/* The upstream may not have liked to be told a registry's name, or knows a newer password. Each is
 * found once, or seldom. */
static bool should_ask_anew(const struct serve_filler *w, const coras_error *failure)
{
    serve_upstream *u = w->fill->upstream;

    return serve_upstream_doubts_ns(u, failure) || serve_upstream_rereads(u, failure);
}

/* What an earlier life has left may be more than there is: nothing that comes would make it whole.
 */
static int check_not_too_long(const struct serve_filler *w, coras_error **err)
{
    if (w->size < 0 || w->got <= w->size)
        return 0;
    return coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "%" PRId64 " bytes are here of %" PRId64,
                      w->got, w->size);
}

/* Everything that is missing, with patience. */
static int fetch(struct serve_filler *w, coras_error **err)
{
    w->patience = (struct serve_patience){.since_ms = coras_now_ms()};
    while (!is_complete(w)) {
        CORAS_TRY(check_not_too_long(w, err));
        coras_auto(coras_error) failure = NULL;
        int64_t before = w->got;
        int rc = go_on(w, &failure);
        if (rc == 0)
            continue;
        if (w->got == before)
            serve_upstream_note(w->fill->upstream, rc, failure);
        if (should_ask_anew(w, failure)) {
            CORAS_TRY(open_target(w, err));
            continue;
        }
        rc = wait_to_resume(w, failure, err);
        if (rc < 0) {
            coras_error_propagate(err, &failure);
            return rc;
        }
    }
    return 0;
}

/* ---- what was there ---- */

static int hash_found(struct serve_filler *w, coras_error **err)
{
    coras_auto_free char *chunk = coras_malloc(READ_BYTES);
    size_t got = READ_BYTES;

    if (!chunk)
        return coras_fail_no_memory(err);
    while (w->got < w->found && got > 0) {
        int64_t left = w->found - w->got;
        size_t wanted = left < (int64_t)READ_BYTES ? (size_t)left : READ_BYTES;
        CORAS_TRY(coras_cancel_check(w->target->cancel, err));
        CORAS_TRY(coras_pread_full(w->fd, chunk, wanted, w->got, &got, err));
        serve_filler_take(w, chunk, got);
    }
    w->flushed = w->got;
    return 0;
}

/* The file may be long, and who waits for its first byte waits for its size before. */
static int measure(struct serve_filler *w, coras_error **err)
{
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;

    CORAS_TRY(w->target->ops->resolve_blob(w->target, &w->fill->digest, &desc, err));
    return measured(w, desc.size, err);
}

/* Whether the file is all of it, but for its name. */
static bool is_whole(const struct serve_filler *w)
{
    coras_digest have;

    return w->found > 0 && coras_hasher_peek(w->hasher, &have, NULL) == 0 &&
           coras_digest_equal(&have, &w->fill->digest);
}

/* Without room for as much as a name there is no file. */
static int open_partial(struct serve_filler *w, coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    int rc = serve_partial_open(w->registry->store, &w->fill->digest, &w->fd, &w->found, &failure);

    serve_fill_set_file(w->fill, w->fd);
    if (rc == CORAS_ERR_NO_SPACE)
        return 0;
    if (rc == 0)
        rc = serve_ahead_restore(w->fill, &w->found, &w->has_parts, &failure);
    coras_error_propagate(err, &failure);
    return rc;
}

static int open_file(struct serve_filler *w, coras_error **err)
{
    CORAS_TRY(open_target(w, err));
    CORAS_TRY(coras_hasher_new(w->fill->digest.algorithm, &w->hasher, err));
    CORAS_TRY(open_partial(w, err));
    if (w->found >= LONG_BYTES)
        CORAS_TRY(measure(w, err));
    return hash_found(w, err);
}

/* ---- the end ---- */

static int fail_mismatch(const struct serve_filler *w, const coras_digest *have, coras_error **err)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    return coras_fail(err, CORAS_ERR_DIGEST_MISMATCH, "%" PRId64 " bytes of %s came", w->got,
                      coras_digest_format(have, text));
}

static int verify(struct serve_filler *w, coras_error **err)
{
    coras_digest have;

    coras_hasher_final(w->hasher, &have);
    return coras_digest_equal(&have, &w->fill->digest) ? 0 : fail_mismatch(w, &have, err);
}

/* What an earlier life has left was not what it should be: the upstream is not to blame yet. */
static int start_anew(struct serve_filler *w, coras_error **err)
{
    serve_ahead_stop(w->fill);
    w->found = w->got = w->flushed = 0;
    w->size = -1;
    w->no_parts = w->has_parts = false;
    w->wide_look_at = 0;
    serve_fill_restart(w->fill);
    if (w->fd >= 0 && ftruncate(w->fd, 0) < 0)
        return coras_fail_errno(err, errno, "truncate");
    coras_hasher_free(w->hasher);
    w->hasher = NULL;
    return coras_hasher_new(w->fill->digest.algorithm, &w->hasher, err);
}

static int fetch_verified(struct serve_filler *w, coras_error **err)
{
    if (!is_whole(w))
        CORAS_TRY(fetch(w, err));
    CORAS_TRY(serve_ahead_end(w->fill, err));
    return verify(w, err);
}

static int fill(struct serve_filler *w, coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    int rc;

    CORAS_TRY(open_file(w, err));
    rc = fetch_verified(w, &failure);
    if (serve_filler_is_mismatch(rc, failure) && (w->found > 0 || w->has_parts)) {
        coras_error_clear(&failure);
        CORAS_TRY(start_anew(w, err));
        rc = fetch_verified(w, &failure);
    }
    coras_error_propagate(err, &failure);
    return rc;
}

void serve_filler_run(serve_fill *f)
{
    coras_auto(coras_error) failure = NULL;
    serve_fills *fills = f->fills;
    struct serve_filler w = {.fill = f,
                             .registry = serve_fills_registry(fills),
                             .fd = -1,
                             .size = -1,
                             .began_ms = coras_now_ms()};
    int rc;

    w.label = f->upstream->metrics_label;
    serve_metrics_add(w.registry->metrics, SERVE_METRIC_CACHE_FILLS,
                      SERVE_LABELS(.upstream = w.label), 1);
    rc = serve_fill_lease_begin(&w, &failure);
    if (rc == 0)
        rc = fill(&w, &failure);
    serve_filler_end(&w, rc, failure);
    serve_fill_lease_end(&w);
    serve_fills_unlist(fills, f); /* who reads in the metrics that it is over joins it no more */
    serve_metrics_add(w.registry->metrics, SERVE_METRIC_CACHE_FILLS,
                      SERVE_LABELS(.upstream = w.label), -1);
    serve_evict_to_limit(w.registry, serve_partials_bytes(w.registry->store));
    coras_hasher_free(w.hasher);
    free(w.place);
    coras_target_close(w.target);
    serve_fills_end(fills, f);
}
