/* SPDX-License-Identifier: Apache-2.0 */
/* Removing blobs that nothing needs: those without a link, and files without a row. */
#include "serve/storage/collect.h"

#include "base/clock.h"
#include "base/error.h"
#include "serve/http/log.h"

/* What one look finds at most: a signal to stop waits for all of it, publishers for each batch. */
#define FOUND 4096
/* Nobody waits for a look, but the signal does. */
#define LOOKS 4096

static void remove_files(struct serve_registry *r, const coras_strlist *digests)
{
    for (size_t i = 0; i < digests->len; i++) {
        coras_auto(coras_error) err = NULL;
        coras_digest digest;

        if (coras_digest_parse(digests->items[i], &digest, NULL) < 0)
            continue;
        if (serve_blobs_remove(r->blobs, &digest, NULL, &err) < 0)
            serve_log_failure("collection", coras_error_message(err));
    }
}

static int collect_batch(struct serve_registry *r, int64_t before, const coras_strlist *found,
                         size_t first, coras_error **err)
{
    struct serve_collected gone = {0};
    int rc;

    pthread_rwlock_wrlock(&r->store->collecting);
    rc = serve_metadata_collect(r->metadata, before, found, first, &gone, err);
    if (rc == 0)
        remove_files(r, &gone.digests); /* forgotten first: no name without content */
    pthread_rwlock_unlock(&r->store->collecting);
    serve_metrics_add(r->metrics, SERVE_METRIC_COLLECTED, NULL,
                      rc == 0 ? (int64_t)gone.digests.len : 0);
    serve_metrics_add(r->metrics, SERVE_METRIC_COLLECTED_BYTES, NULL, gone.bytes);
    coras_strlist_clear(&gone.digests);
    return rc;
}

/* One batch at least: it does what else is done then. */
static int collect_found(struct serve_registry *r, int64_t before, const coras_strlist *found,
                         coras_error **err)
{
    size_t first = 0;

    do {
        CORAS_TRY(collect_batch(r, before, found, first, err));
        first += SERVE_COLLECT_BATCH;
    } while (first < found->len);
    return 0;
}

bool serve_collect(struct serve_registry *registry, int64_t grace_s)
{
    coras_auto(coras_error) err = NULL;
    coras_auto_value(coras_strlist) found = {0};
    int64_t before = coras_wall_s() - grace_s;
    int rc = serve_metadata_find_garbage(registry->metadata, before, FOUND, &found, &err);

    if (rc == 0)
        rc = collect_found(registry, before, &found, &err);
    if (rc < 0)
        serve_log_failure("collection", coras_error_message(err));
    return rc == 0 && found.len == FOUND;
}

static bool is_unknown(struct serve_registry *r, const coras_digest *digest)
{
    int64_t size;

    return serve_metadata_find_blob(r->metadata, NULL, digest, &size, NULL) == CORAS_ERR_NOT_FOUND;
}

void serve_collect_stray(struct serve_registry *registry, const coras_digest *digest)
{
    coras_auto(coras_error) err = NULL;

    /* who holds it for reading may have given the file its name, and not yet its row */
    pthread_rwlock_wrlock(&registry->store->collecting);
    if (is_unknown(registry, digest) && serve_blob_store_remove(registry->store, digest, &err) < 0)
        serve_log_failure("collection", coras_error_message(err));
    pthread_rwlock_unlock(&registry->store->collecting);
}

bool serve_collect_strays(struct serve_registry *registry, struct serve_blob_walk *walk,
                          int64_t grace_s)
{
    int64_t before = coras_wall_s() - grace_s, written_s = 0;
    coras_digest digest;

    for (int i = 0; i < LOOKS; i++) {
        if (!serve_blob_store_next(registry->store, walk, &digest, &written_s))
            return false;
        if (written_s < before && is_unknown(registry, &digest))
            serve_collect_stray(registry, &digest);
    }
    return true;
}
