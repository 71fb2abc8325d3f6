/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listing what a cache holds. Other processes work in it meanwhile: what has gone since its name
 * was read is passed over.
 */
#include "ops/cache/inventory.h"

#include <errno.h>
#include <sys/file.h>

#include "base/alloc.h"
#include "base/environment.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/vec.h"
#include "layout/layout.h"
#include "oci/digest.h"

static void clear_item(coras_stored *item)
{
    free(item->name);
    free(item->reference);
    coras_model_tree_clear(&item->tree);
}

void coras_inventory_clear(coras_inventory *inventory)
{
    for (size_t i = 0; i < inventory->items.len; i++)
        clear_item(&inventory->items.items[i]);
    free(inventory->items.items);
    free(inventory->by_inode);
    coras_model_cache_clear(&inventory->models);
    coras_close_fd(&inventory->dirfd);
    coras_target_close(inventory->store);
    free(inventory->directory);
    *inventory = (coras_inventory)CORAS_INVENTORY_INIT;
}

/* Takes what the item owns. */
static int add_item(coras_inventory *inventory, coras_stored *item, coras_error **err)
{
    if (!item->name || coras_vec_grow(&inventory->items, 1) < 0) {
        clear_item(item);
        return coras_fail_no_memory(err);
    }
    inventory->items.items[inventory->items.len++] = *item;
    return 0;
}

static int64_t last_use_of(const struct stat *st)
{
    return st->st_atim.tv_sec > st->st_mtim.tv_sec ? st->st_atim.tv_sec : st->st_mtim.tv_sec;
}

/* ---- files of the layout ---- */

static bool is_manifest(const coras_inventory *inventory, const coras_digest *digest)
{
    const struct coras_layout *l = (const struct coras_layout *)inventory->store;

    return coras_layout_index_by_digest(&l->index, digest) != NULL;
}

static int add_file(coras_inventory *inventory, int dirfd, const char *directory, const char *name,
                    const coras_digest *digest, coras_error **err)
{
    struct stat st;

    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return 0;
    coras_stored item = {.kind = !digest                          ? CORAS_STORED_PARTIAL
                                 : is_manifest(inventory, digest) ? CORAS_STORED_MANIFEST
                                                                  : CORAS_STORED_BLOB,
                         .name = coras_path_join(directory, name),
                         .bytes = digest ? st.st_size : coras_allocated_bytes(&st),
                         .last_use = last_use_of(&st),
                         .inode = st.st_ino,
                         .links = st.st_nlink};
    if (digest)
        item.digest = *digest;
    return add_item(inventory, &item, err);
}

static bool digest_of_name(const char *algorithm, const char *hex, size_t len, coras_digest *ret)
{
    coras_auto_free char *text = coras_asprintf("%s:%.*s", algorithm, (int)len, hex);

    return text && coras_digest_parse(text, ret, NULL) == 0;
}

/* `algorithm` NULL: unfinished files. */
static int add_files(coras_inventory *inventory, const char *directory, const char *algorithm,
                     coras_error **err)
{
    coras_auto_value(coras_strlist) names = {0};
    coras_auto_fd dirfd = openat(inventory->dirfd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dirfd < 0)
        return errno == ENOENT ? 0 : coras_fail_errno(err, errno, "open %s", directory);
    CORAS_TRY(coras_list_directory(dirfd, directory, &names, err));
    for (size_t i = 0; i < names.len; i++) {
        const char *name = names.items[i];
        coras_digest digest;
        if (algorithm && !digest_of_name(algorithm, name, strlen(name), &digest))
            continue; /* none of ours */
        CORAS_TRY(add_file(inventory, dirfd, directory, name, algorithm ? &digest : NULL, err));
    }
    return 0;
}

static int add_blobs(coras_inventory *inventory, coras_error **err)
{
    for (int algorithm = CORAS_SHA256; algorithm <= CORAS_SHA512; algorithm++) {
        const char *name = coras_digest_algorithm_name(algorithm);
        coras_auto_free char *directory = coras_path_join("blobs", name);
        if (!directory)
            return coras_fail_no_memory(err);
        CORAS_TRY(add_files(inventory, directory, name, err));
    }
    return add_files(inventory, "ingest", NULL, err);
}

/* ---- models ---- */

static int64_t bytes_of(const coras_model_tree *tree)
{
    int64_t sum = 0;

    for (size_t i = 0; i < tree->files.len; i++)
        if (__builtin_add_overflow(sum, tree->files.items[i].size, &sum))
            return INT64_MAX;
    return sum;
}

static void read_tree(const coras_inventory *inventory, const coras_digest *digest,
                      const char *suffix, coras_model_tree *ret)
{
    char name[CORAS_MODEL_NAME_MAX];
    coras_auto_fd dirfd = openat(inventory->models.fd, coras_model_name(digest, suffix, name),
                                 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (dirfd >= 0 && coras_model_tree_read(dirfd, ret, NULL) < 0)
        return; /* it counts as empty */
}

static int64_t use_of_model(const coras_inventory *inventory, const coras_digest *digest)
{
    static const char *const told_by[] = {CORAS_MODEL_LEASE, CORAS_MODEL_PARTIAL, ""};
    char name[CORAS_MODEL_NAME_MAX];
    struct stat st;

    for (size_t i = 0; i < CORAS_ARRAY_LEN(told_by); i++)
        if (fstatat(inventory->models.fd, coras_model_name(digest, told_by[i], name), &st,
                    AT_SYMLINK_NOFOLLOW) == 0)
            return st.st_mtim.tv_sec;
    return 0;
}

static int add_model(coras_inventory *inventory, const coras_digest *digest, coras_error **err)
{
    char name[CORAS_MODEL_NAME_MAX];
    coras_auto_value(coras_model_tree) recorded = {0};
    coras_stored item = {.kind = CORAS_STORED_MODEL,
                         .digest = *digest,
                         .name = coras_path_join("models", coras_model_name(digest, "", name)),
                         .last_use = use_of_model(inventory, digest),
                         .is_intact =
                             coras_model_cache_look(&inventory->models, digest, &recorded)};

    read_tree(inventory, digest, "", &item.tree);
    if (!item.tree.files.len)
        read_tree(inventory, digest, CORAS_MODEL_PARTIAL, &item.tree);
    item.bytes = bytes_of(&item.tree);
    return add_item(inventory, &item, err);
}

/* "sha256-<hex>", or with the suffix of what is being made. */
static bool digest_of_model(const char *name, coras_digest *ret)
{
    const char *dash = strchr(name, '-'), *dot = strchr(name, '.');
    coras_auto_free char *algorithm = dash ? coras_strndup(name, (size_t)(dash - name)) : NULL;

    if (!algorithm || (dot && !coras_streq(dot, CORAS_MODEL_PARTIAL)))
        return false;
    return digest_of_name(algorithm, dash + 1, dot ? (size_t)(dot - dash - 1) : strlen(dash + 1),
                          ret);
}

static bool is_last_model(const coras_inventory *inventory, const coras_digest *digest)
{
    return inventory->items.len &&
           coras_digest_equal(&inventory->items.items[inventory->items.len - 1].digest, digest);
}

static void name_model(coras_inventory *inventory, const char *name, const coras_digest *digest)
{
    for (size_t i = 0; i < inventory->items.len; i++) {
        coras_stored *item = &inventory->items.items[i];
        if (item->kind == CORAS_STORED_MODEL && !item->reference &&
            coras_digest_equal(&item->digest, digest))
            item->reference = coras_strdup(name); /* without one it has none */
    }
}

static int add_names(coras_inventory *inventory, coras_error **err)
{
    coras_auto_value(coras_strlist) names = {0};

    CORAS_TRY(coras_model_cache_names(&inventory->models, &names, err));
    for (size_t i = 0; i < names.len; i++) {
        coras_digest digest;
        if (coras_model_cache_recall(&inventory->models, names.items[i], &digest))
            name_model(inventory, names.items[i], &digest);
    }
    return 0;
}

static int add_models(coras_inventory *inventory, coras_error **err)
{
    coras_auto_value(coras_strlist) names = {0};

    if (inventory->models.fd < 0)
        return 0;
    CORAS_TRY(coras_list_directory(inventory->models.fd, inventory->models.path, &names, err));
    for (size_t i = 0; i < names.len; i++) {
        coras_digest digest;
        if (digest_of_model(names.items[i], &digest) && !is_last_model(inventory, &digest))
            CORAS_TRY(add_model(inventory, &digest, err));
    }
    return add_names(inventory, err);
}

/* ---- which blob a file is ---- */

static int compare_blobs(const void *a, const void *b)
{
    ino_t x = (*(coras_stored *const *)a)->inode, y = (*(coras_stored *const *)b)->inode;

    return x < y ? -1 : x > y;
}

static int sort_blobs(coras_inventory *inventory, coras_error **err)
{
    inventory->by_inode = coras_calloc(inventory->items.len + 1, sizeof(coras_stored *));
    if (!inventory->by_inode)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < inventory->items.len; i++)
        if (inventory->items.items[i].kind == CORAS_STORED_BLOB)
            inventory->by_inode[inventory->blob_count++] = &inventory->items.items[i];
    qsort(inventory->by_inode, inventory->blob_count, sizeof(coras_stored *), compare_blobs);
    return 0;
}

coras_stored *coras_inventory_blob(const coras_inventory *inventory, ino_t inode)
{
    const coras_stored key = {.inode = inode}, *at = &key;
    coras_stored **found = bsearch(&at, inventory->by_inode, inventory->blob_count,
                                   sizeof(coras_stored *), compare_blobs);

    return found ? *found : NULL;
}

/* ---- the whole ---- */

static int open_cache(const char *directory, const coras_run_options *run, coras_inventory *ret,
                      coras_error **err)
{
    const coras_environment *environment = coras_environment_or_none(run ? run->environment : NULL);
    coras_auto(coras_error) failure = NULL;

    CORAS_TRY(coras_cache_directory(directory, environment->cache_dir, &ret->directory, err));
    ret->dirfd = open(ret->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (ret->dirfd < 0)
        return coras_fail_errno(err, errno, "open the cache %s", ret->directory);
    CORAS_TRY(coras_layout_open(ret->directory, CORAS_LAYOUT_READ, &ret->store, err));
    int rc = coras_model_cache_open(ret->directory, false, &ret->models, &failure);
    if (rc == CORAS_ERR_NOT_FOUND)
        return 0;
    coras_error_propagate(err, &failure);
    return rc;
}

int coras_inventory_take(const char *directory, const coras_run_options *run, coras_inventory *ret,
                         coras_error **err)
{
    coras_auto_value(coras_inventory) inventory = CORAS_INVENTORY_INIT;

    CORAS_TRY(open_cache(directory, run, &inventory, err));
    CORAS_TRY(add_models(&inventory, err));
    CORAS_TRY(add_blobs(&inventory, err));
    CORAS_TRY(sort_blobs(&inventory, err));
    *ret = inventory;
    inventory = (coras_inventory)CORAS_INVENTORY_INIT;
    return 0;
}

/* ---- sums ---- */

struct weighed {
    ino_t inode;
    int64_t bytes;
};

static int compare_inodes(const void *a, const void *b)
{
    ino_t x = ((const struct weighed *)a)->inode, y = ((const struct weighed *)b)->inode;

    return x < y ? -1 : x > y;
}

static size_t weigh(const coras_inventory *inventory, struct weighed *ret)
{
    size_t count = 0;

    for (size_t i = 0; i < inventory->items.len; i++) {
        const coras_stored *item = &inventory->items.items[i];
        if (item->is_gone)
            continue;
        if (item->kind != CORAS_STORED_MODEL)
            ret[count++] = (struct weighed){item->inode, item->bytes};
        for (size_t k = 0; k < item->tree.files.len; k++) {
            const coras_tree_file *file = &item->tree.files.items[k];
            ret[count++] = (struct weighed){file->st.st_ino, file->size};
        }
    }
    return count;
}

int64_t coras_inventory_bytes(const coras_inventory *inventory)
{
    size_t most = inventory->items.len;
    int64_t sum = 0;

    for (size_t i = 0; i < inventory->items.len; i++)
        most += inventory->items.items[i].tree.files.len;
    coras_auto_free struct weighed *files = coras_calloc(most + 1, sizeof(*files));
    if (!files)
        return -1;
    size_t count = weigh(inventory, files);
    qsort(files, count, sizeof(*files), compare_inodes);
    for (size_t i = 0; i < count; i++)
        if ((i == 0 || files[i].inode != files[i - 1].inode) &&
            __builtin_add_overflow(sum, files[i].bytes, &sum))
            return INT64_MAX;
    return sum;
}

/* ---- locks ---- */

static bool try_lock(const coras_inventory *inventory, const coras_digest *digest,
                     const char *suffix, int *ret)
{
    *ret = coras_model_open_beside(&inventory->models, digest, suffix);
    return *ret >= 0 && flock(*ret, LOCK_EX | LOCK_NB) == 0;
}

bool coras_stored_lock(const coras_inventory *inventory, const coras_stored *model, int *ret_lease,
                       int *ret_lock)
{
    *ret_lock = -1;
    return try_lock(inventory, &model->digest, CORAS_MODEL_LEASE, ret_lease) &&
           try_lock(inventory, &model->digest, CORAS_MODEL_LOCK, ret_lock);
}
