/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cache holds, for those who look at it.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "ops/cache/inventory.h"

static bool is_leased(const coras_inventory *inventory, const coras_stored *model)
{
    coras_auto_fd lease = -1, lock = -1;

    return !coras_stored_lock(inventory, model, &lease, &lock);
}

static int tell_model(const coras_inventory *inventory, coras_stored *item, coras_cached_model *ret,
                      coras_error **err)
{
    *ret = (coras_cached_model){.digest = item->digest,
                                .reference = coras_steal(&item->reference),
                                .path = coras_path_join(inventory->directory, item->name),
                                .bytes = item->bytes,
                                .last_use = item->last_use,
                                .is_leased = is_leased(inventory, item),
                                .is_intact = item->is_intact};
    return ret->path ? 0 : coras_fail_no_memory(err);
}

static int tell(coras_inventory *inventory, coras_cache_contents *ret, coras_error **err)
{
    ret->models = coras_calloc(inventory->items.len + 1, sizeof(*ret->models));
    ret->bytes = coras_inventory_bytes(inventory);
    if (!ret->models || ret->bytes < 0)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < inventory->items.len; i++) {
        coras_stored *item = &inventory->items.items[i];
        if (item->kind == CORAS_STORED_MODEL) {
            CORAS_TRY(tell_model(inventory, item, &ret->models[ret->model_count++], err));
            continue;
        }
        ret->blob_count += item->kind != CORAS_STORED_PARTIAL;
        if (item->links == 1 &&
            __builtin_add_overflow(ret->blob_bytes, item->bytes, &ret->blob_bytes))
            ret->blob_bytes = INT64_MAX;
    }
    ret->directory = coras_steal(&inventory->directory);
    return 0;
}

int coras_cache_list(const char *directory, const coras_run_options *run, coras_cache_contents *ret,
                     coras_error **err)
{
    coras_auto_value(coras_inventory) inventory = CORAS_INVENTORY_INIT;
    coras_cache_contents contents = {0};

    if (!ret)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing argument");
    CORAS_TRY(coras_inventory_take(directory, run, &inventory, err));
    int rc = tell(&inventory, &contents, err);
    if (rc < 0)
        coras_cache_contents_clear(&contents);
    else
        *ret = contents;
    return rc;
}

void coras_cache_contents_clear(coras_cache_contents *contents)
{
    for (size_t i = 0; i < contents->model_count; i++) {
        free(contents->models[i].reference);
        free(contents->models[i].path);
    }
    free(contents->models);
    free(contents->directory);
    *contents = (coras_cache_contents){0};
}
