/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a fill that is over: published, passed on, left for a next one, or refused. */
#include "serve/proxy/filler_impl.h"

#include <inttypes.h>
#include "base/alloc.h"
#include "base/error.h"
#include "serve/http/log.h"
#include "serve/proxy/ahead.h"
#include "serve/proxy/fills.h"
#include "serve/proxy/partial.h"
#include "serve/proxy/wide.h"
#include "serve/storage/collect.h"
#include "serve/storage/evict.h"

/* One that ends too early is not wrong, only not complete. */
bool serve_filler_is_mismatch(int rc, const coras_error *failure)
{
    return rc == CORAS_ERR_DIGEST_MISMATCH ||
           (rc == CORAS_ERR_SIZE_MISMATCH && !coras_error_is_retryable(failure));
}

/* ---- a blob of the store ---- */

/* Make a link for each repository that has been promised one. With those who come later it is their
 * own business. */
static int record(struct serve_filler *w, coras_error **err)
{
    serve_fill *f = w->fill;
    int rc = 0;

    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->repositories.len && rc == 0; i++) {
        coras_auto_free char *name = coras_strdup(f->repositories.items[i]);
        pthread_mutex_unlock(&f->lock); /* the database may take its time */
        rc = name ? serve_metadata_link_cached_blob(w->registry->metadata, name, &f->digest, w->got,
                                                    w->place, err)
                  : coras_fail_no_memory(err);
        pthread_mutex_lock(&f->lock);
    }
    f->is_recorded = rc == 0;
    pthread_mutex_unlock(&f->lock);
    return rc;
}

static int move_file(struct serve_filler *w, coras_error **err)
{
    char name[SERVE_PARTIAL_NAME_MAX];

    if (w->is_published)
        return 0;
    CORAS_TRY(serve_blobs_publish(w->registry->blobs, serve_partial_name(&w->fill->digest, name),
                                  w->fd, &w->fill->digest, &w->place, err));
    w->is_published = true;
    return 0;
}

static int publish(struct serve_filler *w, coras_error **err)
{
    serve_blob_store *store = w->registry->store;
    int rc;

    /* before the lock: what takes long, and touches nothing that is a blob already */
    if (w->registry->blobs->has_places)
        CORAS_TRY(move_file(w, err));
    else
        CORAS_TRY(coras_fsync(w->fd, "blob", err));
    pthread_rwlock_rdlock(&store->collecting);
    rc = move_file(w, err);
    if (rc == 0)
        rc = record(w, err);
    pthread_rwlock_unlock(&store->collecting);
    return rc;
}

/* The last bytes may have been the last that the disk had: the database needs some, too. */
static int keep(struct serve_filler *w, coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    int rc = publish(w, &failure);

    if (rc == CORAS_ERR_NO_SPACE && serve_evict_from_disk(w->registry, SERVE_FILLER_ROOM) > 0) {
        coras_error_clear(&failure);
        rc = publish(w, &failure);
    }
    coras_error_propagate(err, &failure);
    return rc;
}

/* ---- how it ended ---- */

/* Of one that is passed through the name is gone, and may be another fill's by now. */
static void remove_partial(const struct serve_filler *w)
{
    if (!w->is_passed)
        serve_partial_remove(w->registry->store, &w->fill->digest);
}

/* What an earlier life has left is something, whether or not it came to be read. */
static bool is_empty(const struct serve_filler *w)
{
    return w->fd >= 0 && w->found == 0 && w->got == 0 && !serve_ahead_is_noted(w->fill);
}

/* Readers hear of it before. While others still bring something the file is this fill's, and nobody
 * begins another one. */
static void leave_file(struct serve_filler *w, bool is_wrong)
{
    coras_auto(coras_error) failure = NULL;

    serve_ahead_stop(w->fill);
    if (!is_wrong && serve_ahead_end(w->fill, &failure) < 0)
        serve_log_failure(w->fill->repository, coras_error_message(failure));
    if (is_wrong || failure || is_empty(w))
        remove_partial(w);
    serve_fills_unlist(w->fill->fills, w->fill);
}

static void end_badly(struct serve_filler *w, int rc, const coras_error *failure)
{
    if (serve_filler_is_mismatch(rc, failure)) {
        serve_fills_refuse(w->fill->fills, w->fill);
        serve_metrics_add(w->registry->metrics, SERVE_METRIC_CACHE_MISMATCHES,
                          SERVE_LABELS(.upstream = w->label), 1);
    }
    serve_fill_fail(w->fill, failure);
    leave_file(w, serve_filler_is_mismatch(rc, failure));
    if (rc != CORAS_ERR_CANCELLED) /* who reads of it in the log finds it ended */
        serve_filler_tell(
            w, serve_filler_is_mismatch(rc, failure) ? "mismatch, not kept" : "given up", failure);
}

static void end_well(struct serve_filler *w)
{
    coras_auto(coras_error) failure = NULL;
    int rc;

    if (w->is_passed) {
        serve_fill_finish(w->fill);
        serve_fill_set_kept(w->fill, false);
        return;
    }
    serve_fill_finish(w->fill); /* verified: readers need not wait for the disk */
    serve_wide_learn(w);
    rc = keep(w, &failure);
    serve_uses_note(w->registry->uses, &w->fill->digest); /* there is a row to hear of it now */
    serve_fill_set_kept(w->fill, rc == 0);
    if (rc < 0) {
        serve_partial_remove(w->registry->store, &w->fill->digest);
        if (w->is_published)
            serve_collect_stray(w->registry, &w->fill->digest);
        serve_filler_tell(w, "not kept", failure);
    } else {
        serve_filler_tell(w, "filled", NULL);
    }
}

/* Another process has stored it: readers are sent to what is stored. */
static void end_elsewhere(struct serve_filler *w, const coras_error *stored)
{
    coras_auto(coras_error) failure = NULL;
    int rc =
        serve_metadata_find_blob(w->registry->metadata, NULL, &w->fill->digest, &w->got, &failure);

    if (rc == 0)
        rc = record(w, &failure);
    serve_ahead_stop(w->fill);
    serve_partial_remove(w->registry->store, &w->fill->digest);
    serve_fill_fail(w->fill, rc < 0 ? failure : stored);
    serve_fills_unlist(w->fill->fills, w->fill);
    serve_filler_tell(w, "stored by another process", failure);
}

void serve_filler_end(struct serve_filler *w, int rc, const coras_error *failure)
{
    if (rc == 0)
        end_well(w);
    else if (rc == CORAS_ERR_EXISTS)
        end_elsewhere(w, failure);
    else
        end_badly(w, rc, failure);
}
