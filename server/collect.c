#include "collect.h"

#include "base/clock.h"
#include "base/error.h"
#include "log.h"

/* Publishers wait while a batch is removed: small batches. */
#define BATCH 64

static void remove_files(struct coras_registry *r, const coras_strlist *digests)
{
    for (size_t i = 0; i < digests->len; i++) {
        coras_auto(coras_error) err = NULL;
        coras_digest digest;

        if (coras_digest_parse(digests->items[i], &digest, NULL) == 0 &&
            coras_blob_store_remove(r->store, &digest, &err) < 0)
            coras_log_failure("collection", coras_error_message(err));
    }
}

/* Returns how many blobs went. */
static size_t collect_batch(struct coras_registry *r, int64_t before)
{
    coras_auto(coras_error) err = NULL;
    coras_auto_value(coras_strlist) digests = {0};

    pthread_rwlock_wrlock(&r->store->collecting);
    if (coras_metadata_collect(r->metadata, before, BATCH, &digests, &err) < 0)
        coras_log_failure("collection", coras_error_message(err));
    else
        remove_files(r, &digests); /* the database forgot them first: no name without content */
    pthread_rwlock_unlock(&r->store->collecting);
    return err ? 0 : digests.len;
}

void coras_collect(struct coras_registry *registry, int64_t grace_s)
{
    int64_t before = coras_wall_s() - grace_s;

    while (collect_batch(registry, before) == BATCH)
        continue;
}
