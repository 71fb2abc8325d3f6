#include "collect.h"

#include "base/clock.h"
#include "base/error.h"
#include "log.h"

/* Publishers wait while a batch is removed, and a signal to stop does: small batches. */
#define BATCH 256

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

bool coras_collect(struct coras_registry *registry, int64_t grace_s)
{
    coras_auto(coras_error) err = NULL;
    coras_auto_value(coras_strlist) digests = {0};
    int64_t before = coras_wall_s() - grace_s;

    pthread_rwlock_wrlock(&registry->store->collecting);
    if (coras_metadata_collect(registry->metadata, before, BATCH, &digests, &err) < 0)
        coras_log_failure("collection", coras_error_message(err));
    else
        remove_files(registry, &digests); /* forgotten first: no name without content */
    pthread_rwlock_unlock(&registry->store->collecting);
    return !err && digests.len == BATCH;
}
