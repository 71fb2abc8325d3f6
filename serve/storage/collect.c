/* SPDX-License-Identifier: Apache-2.0 */
/* Removing blobs that nothing needs: those without a link, and files without a row. */
#include "serve/storage/collect.h"

#include "base/clock.h"
#include "base/error.h"
#include "serve/http/log.h"

/* Publishers wait while a batch is removed, and a signal to stop does: small batches. */
#define BATCH 256
/* Nobody waits for a look, but the signal does. */
#define LOOKS 4096

static void count_file(struct serve_registry *r, const coras_digest *digest)
{
    coras_auto_fd fd = serve_blob_store_look(r->store, digest);
    struct stat st;

    serve_metrics_add(r->metrics, SERVE_METRIC_COLLECTED, NULL, 1);
    if (fd >= 0 && fstat(fd, &st) == 0)
        serve_metrics_add(r->metrics, SERVE_METRIC_COLLECTED_BYTES, NULL, st.st_size);
}

static void remove_files(struct serve_registry *r, const coras_strlist *digests)
{
    for (size_t i = 0; i < digests->len; i++) {
        coras_auto(coras_error) err = NULL;
        coras_digest digest;

        if (coras_digest_parse(digests->items[i], &digest, NULL) < 0)
            continue;
        count_file(r, &digest);
        if (serve_blobs_remove(r->blobs, &digest, NULL, &err) < 0)
            serve_log_failure("collection", coras_error_message(err));
    }
}

bool serve_collect(struct serve_registry *registry, int64_t grace_s)
{
    coras_auto(coras_error) err = NULL;
    coras_auto_value(coras_strlist) digests = {0};
    int64_t before = coras_wall_s() - grace_s;

    pthread_rwlock_wrlock(&registry->store->collecting);
    if (serve_metadata_collect(registry->metadata, before, BATCH, &digests, &err) < 0)
        serve_log_failure("collection", coras_error_message(err));
    else
        remove_files(registry, &digests); /* forgotten first: no name without content */
    pthread_rwlock_unlock(&registry->store->collecting);
    return !err && digests.len == BATCH;
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
