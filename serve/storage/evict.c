/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing what goes, and removing it. */
#include "serve/storage/evict.h"

#include "base/error.h"
#include "serve/http/log.h"
#include "serve/storage/metadata_leases.h"
#include "serve/storage/uses.h"

/* Looked at in one go. */
#define BATCH 64
/* Down to so many percent of the limit, so that not every new blob costs a search. */
#define DOWN_TO_PERCENT 95
#define LEASE           "eviction"
#define LEASE_MS        60000

/* Row first, so that no name is without content; but where there is no room for as much as to
 * forget a row, the file goes before: who asks for the blob then has it fetched. */
static int remove_locked(struct serve_registry *r, const coras_digest *digest, coras_error **err)
{
    coras_auto(coras_error) full = NULL;
    int rc;

    if (serve_uses_is_held(r->uses, digest))
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "it is being read");
    rc = serve_metadata_forget_cached(r->metadata, digest, &full);
    if (rc != CORAS_ERR_NO_SPACE) {
        coras_error_propagate(err, &full);
        return rc < 0 ? rc : serve_blobs_remove(r->blobs, digest, NULL, err);
    }
    CORAS_TRY(serve_blobs_remove(r->blobs, digest, NULL, err));
    return serve_metadata_forget_cached(r->metadata, digest, err);
}

/* Nobody may link it while it goes. */
static bool remove_blob(struct serve_registry *r, const coras_digest *digest)
{
    coras_auto(coras_error) err = NULL;
    int rc;

    pthread_rwlock_wrlock(&r->store->collecting);
    rc = remove_locked(r, digest, &err);
    pthread_rwlock_unlock(&r->store->collecting);
    if (rc < 0 && rc != CORAS_ERR_NOT_FOUND)
        serve_log_failure("eviction", coras_error_message(err));
    return rc == 0;
}

/* One batch from the place where the last one ended. false: there are no more. */
static bool evict_batch(struct serve_registry *r, int64_t bytes, int64_t *after_ms, int64_t *freed)
{
    struct serve_cached_blob blobs[BATCH];
    size_t count = 0;

    if (serve_metadata_oldest_cached(r->metadata, *after_ms, blobs, BATCH, &count, NULL) < 0)
        return false;
    for (size_t i = 0; i < count && *freed < bytes; i++) {
        *after_ms = blobs[i].used_ms;
        if (remove_blob(r, &blobs[i].digest))
            *freed += blobs[i].size;
    }
    return count == BATCH;
}

int64_t serve_evict(struct serve_registry *registry, int64_t bytes)
{
    coras_auto(coras_error) err = NULL;
    int64_t after_ms = -1, freed = 0;

    if (serve_uses_save(registry->uses, registry->metadata, &err) < 0)
        serve_log_failure("eviction", coras_error_message(err));
    while (freed < bytes && evict_batch(registry, bytes, &after_ms, &freed))
        ;
    if (freed > 0)
        serve_log_note("cache: evicted %lld bytes", (long long)freed);
    serve_metrics_add(registry->metrics, SERVE_METRIC_CACHE_EVICTED_BYTES, NULL, freed);
    return freed;
}

int64_t serve_evict_from_disk(struct serve_registry *registry, int64_t bytes)
{
    return registry->blobs->has_places ? 0 : serve_evict(registry, bytes);
}

/* How much is here beyond the limit, with what is under way; 0: nothing. */
static int64_t excess(struct serve_registry *r, int64_t unfinished)
{
    int64_t limit = r->options.cache_size, bytes = 0;

    if (serve_metadata_cached_bytes(r->metadata, &bytes, NULL) < 0)
        return 0;
    serve_metrics_set(r->metrics, SERVE_METRIC_CACHE_SIZE_BYTES, NULL, bytes);
    serve_metrics_set(r->metrics, SERVE_METRIC_CACHE_LIMIT_BYTES, NULL, limit);
    bytes += unfinished;
    return limit > 0 && bytes > limit ? bytes - limit / 100 * DOWN_TO_PERCENT : 0;
}

void serve_evict_to_limit(struct serve_registry *registry, int64_t unfinished)
{
    serve_metadata *m = registry->metadata;

    bool is_shared = serve_metadata_is_shared(m);

    if (excess(registry, unfinished) == 0)
        return;
    /* two processes that make room at the same time would make twice as much */
    if (is_shared && serve_metadata_take_lease(m, LEASE, LEASE_MS, NULL) < 0)
        return;
    (void)serve_evict(registry, excess(registry, unfinished));
    if (is_shared)
        (void)!serve_metadata_give_lease(m, LEASE, NULL);
}
