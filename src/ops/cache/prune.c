/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking away what was not used for long. What was used longest ago goes first, whatever it is;
 * manifests go last, since they cost next to nothing and name the rest.
 */
#include <errno.h>
#include <sys/file.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/options.h"
#include "ops/cache/inventory.h"

struct pruning {
    const coras_cache_prune_options *opts;
    const coras_run_options *run; /* may be NULL */
    coras_inventory *inventory;
    int64_t now, bytes; /* that the cache holds */
    coras_cache_pruned done;
};

static bool is_old(const struct pruning *p, const coras_stored *item)
{
    return p->opts->limits_age && p->now - item->last_use > p->opts->max_age_s;
}

static bool must_go(const struct pruning *p, const coras_stored *item)
{
    return is_old(p, item) || (p->opts->limits_bytes && p->bytes > p->opts->max_bytes);
}

static void note_freed(struct pruning *p, int64_t bytes)
{
    p->bytes -= bytes;
    p->done.bytes += bytes;
}

/* ---- blobs ---- */

/* A blob, or an unfinished file that nobody writes. */
static int remove_file(struct pruning *p, coras_stored *item, coras_error **err)
{
    if (item->kind == CORAS_STORED_PARTIAL) {
        coras_auto_fd fd =
            openat(p->inventory->dirfd, item->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
            return 0;
    }
    if (unlinkat(p->inventory->dirfd, item->name, 0) < 0 && errno != ENOENT)
        return coras_fail_errno(err, errno, "remove %s", item->name);
    item->is_gone = true;
    p->done.blobs++;
    if (item->links == 1)
        note_freed(p, item->bytes);
    return 0;
}

/* index.json first: it never names what is not there. */
static int remove_manifest(struct pruning *p, coras_stored *item, coras_error **err)
{
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    coras_auto(coras_error) failure = NULL;

    CORAS_TRY(coras_descriptor_set(&desc, CORAS_MT_OCTET_STREAM, &item->digest, item->bytes, err));
    int rc = p->inventory->store->ops->remove(p->inventory->store, &desc, &failure);
    if (rc < 0 && rc != CORAS_ERR_NOT_FOUND) {
        coras_error_propagate(err, &failure);
        return rc;
    }
    item->is_gone = true;
    p->done.blobs++;
    note_freed(p, item->bytes);
    return 0;
}

/* ---- models ---- */

/* What the model alone has kept goes with it, its blob too. */
static int forget_file(struct pruning *p, const coras_tree_file *file, coras_error **err)
{
    coras_stored *blob = coras_inventory_blob(p->inventory, file->st.st_ino);

    if (blob && !blob->is_gone) {
        blob->links--;
        if (blob->links == 1)
            return remove_file(p, blob, err);
    } else if (file->st.st_nlink == 1) {
        note_freed(p, file->size);
    }
    return 0;
}

static int remove_model(struct pruning *p, coras_stored *item, coras_error **err)
{
    coras_auto_fd lease = -1, lock = -1;

    if (!coras_stored_lock(p->inventory, item, &lease, &lock)) {
        p->done.kept_in_use++;
        return 0;
    }
    CORAS_TRY(coras_model_cache_remove(&p->inventory->models, &item->digest, err));
    item->is_gone = true;
    p->done.models++;
    for (size_t i = 0; i < item->tree.files.len; i++)
        CORAS_TRY(forget_file(p, &item->tree.files.items[i], err));
    return 0;
}

/* ---- what goes ---- */

static int compare_last_use(const void *a, const void *b)
{
    const coras_stored *x = *(coras_stored *const *)a, *y = *(coras_stored *const *)b;
    bool x_last = x->kind == CORAS_STORED_MANIFEST, y_last = y->kind == CORAS_STORED_MANIFEST;

    if (x_last != y_last)
        return x_last ? 1 : -1;
    return x->last_use < y->last_use ? -1 : x->last_use > y->last_use;
}

static int remove_item(struct pruning *p, coras_stored *item, coras_error **err)
{
    if (item->kind == CORAS_STORED_MODEL)
        return remove_model(p, item, err);
    if (item->kind == CORAS_STORED_MANIFEST)
        return remove_manifest(p, item, err);
    return item->links > 1 ? 0 : remove_file(p, item, err); /* a model's: it goes with that */
}

static int prune(struct pruning *p, coras_error **err)
{
    size_t count = p->inventory->items.len;
    coras_auto_free coras_stored **order = coras_calloc(count + 1, sizeof(coras_stored *));

    if (!order)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < count; i++)
        order[i] = &p->inventory->items.items[i];
    qsort(order, count, sizeof(coras_stored *), compare_last_use);
    for (size_t i = 0; i < count; i++) {
        CORAS_TRY(coras_cancel_check(p->run ? p->run->cancel : NULL, err));
        if (!order[i]->is_gone && must_go(p, order[i]))
            CORAS_TRY(remove_item(p, order[i], err));
    }
    return 0;
}

int coras_cache_prune(const coras_cache_prune_options *opts, const coras_run_options *run,
                      coras_cache_pruned *ret, coras_error **err)
{
    coras_cache_prune_options known = CORAS_CACHE_PRUNE_OPTIONS_INIT;
    coras_auto_value(coras_inventory) inventory = CORAS_INVENTORY_INIT;
    struct pruning p = {.opts = &known, .run = run, .inventory = &inventory, .now = coras_wall_s()};

    if (!ret)
        return coras_missing_argument(err);
    CORAS_TRY(coras_options_read(&known, sizeof(known), opts, err));
    CORAS_TRY(coras_inventory_take(known.directory, run, &inventory, err));
    p.bytes = coras_inventory_bytes(&inventory);
    if (p.bytes < 0)
        return coras_fail_no_memory(err);
    CORAS_TRY(prune(&p, err));
    p.done.left = p.bytes;
    *ret = p.done;
    return 0;
}
