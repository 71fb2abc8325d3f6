/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a whole cache and comparing it with its digests. What is remembered of files does not
 * count here: the question is what the disk gives now.
 */
#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/options.h"
#include "oci/digest.h"
#include "ops/cache/inventory.h"

enum { READ_BYTES = CORAS_MIB };

struct verifying {
    const coras_cache_verify_options *opts;
    const coras_run_options *run; /* may be NULL */
    coras_inventory *inventory;
    coras_strlist damaged;
    coras_cache_report done;
    char *buf;
};

/* ---- blobs ---- */

static int hash_file(struct verifying *v, int fd, const coras_stored *item, coras_digest *ret,
                     coras_error **err)
{
    coras_auto(coras_hasher) hasher = NULL;
    size_t got;

    CORAS_TRY(coras_hasher_new(item->digest.algorithm, &hasher, err));
    for (int64_t at = 0;; at += (int64_t)got) {
        CORAS_TRY(coras_cancel_check(v->run ? v->run->cancel : NULL, err));
        CORAS_TRY(coras_pread_full(fd, v->buf, READ_BYTES, at, &got, err));
        if (got == 0)
            break;
        coras_hasher_update(hasher, v->buf, got);
        v->done.bytes += (int64_t)got;
    }
    coras_hasher_final(hasher, ret);
    return 0;
}

/* What cannot be read is damaged; what has gone meanwhile is nothing. */
static int is_right(struct verifying *v, const coras_stored *item, bool *ret, coras_error **err)
{
    coras_auto_fd fd =
        openat(v->inventory->dirfd, item->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    coras_auto(coras_error) failure = NULL;
    coras_digest digest;

    *ret = fd < 0 && errno == ENOENT;
    if (fd < 0)
        return 0;
    v->done.checked++;
    int rc = hash_file(v, fd, item, &digest, &failure);
    if (rc == CORAS_ERR_CANCELLED || rc == CORAS_ERR_NO_MEMORY) {
        coras_error_propagate(err, &failure);
        return rc;
    }
    *ret = rc == 0 && coras_digest_equal(&digest, &item->digest);
    return 0;
}

/* The entry of a manifest in index.json stays: the next reader stores it again. */
static int check_blob(struct verifying *v, coras_stored *item, coras_error **err)
{
    bool right = true;

    CORAS_TRY(is_right(v, item, &right, err));
    if (right)
        return 0;
    item->is_gone = true; /* for the models that have it */
    if (v->opts->remove && unlinkat(v->inventory->dirfd, item->name, 0) < 0 && errno != ENOENT)
        return coras_fail_errno(err, errno, "remove %s", item->name);
    return coras_strlist_add(&v->damaged, item->name, err);
}

/* ---- models ---- */

/* Its record goes in any case, so that the next caller gets it anew; its files unless they are
 * read. */
static int remove_model(struct verifying *v, const coras_stored *item, coras_error **err)
{
    coras_auto_fd lease = -1, lock = -1;
    char name[CORAS_MODEL_NAME_MAX];

    if (coras_stored_lock(v->inventory, item, &lease, &lock))
        return coras_model_cache_remove(&v->inventory->models, &item->digest, err);
    return coras_remove_all(v->inventory->models.fd,
                            coras_model_name(&item->digest, CORAS_MODEL_RECORD, name), err);
}

static int check_model(struct verifying *v, const coras_stored *item, coras_error **err)
{
    bool right = item->is_intact;

    for (size_t i = 0; i < item->tree.files.len; i++) {
        const coras_tree_file *file = &item->tree.files.items[i];
        const coras_stored *blob =
            file->st.st_nlink > 1 ? coras_inventory_blob(v->inventory, file->st.st_ino) : NULL;
        if (blob)
            right = right && !blob->is_gone;
        else
            v->done.looked++;
    }
    if (right)
        return 0;
    if (v->opts->remove)
        CORAS_TRY(remove_model(v, item, err));
    return coras_strlist_add(&v->damaged, item->name, err);
}

/* One that is being made is not damaged. */
static bool is_being_made(const coras_inventory *inventory, const coras_stored *item)
{
    char name[CORAS_MODEL_NAME_MAX];
    struct stat st;

    return fstatat(inventory->models.fd, coras_model_name(&item->digest, "", name), &st,
                   AT_SYMLINK_NOFOLLOW) < 0;
}

/* ---- the whole ---- */

static int verify(struct verifying *v, coras_error **err)
{
    coras_inventory *inventory = v->inventory;

    for (size_t i = 0; i < inventory->items.len; i++) {
        coras_stored *item = &inventory->items.items[i];
        if (item->kind == CORAS_STORED_BLOB || item->kind == CORAS_STORED_MANIFEST)
            CORAS_TRY(check_blob(v, item, err));
    }
    for (size_t i = 0; i < inventory->items.len; i++) {
        coras_stored *item = &inventory->items.items[i];
        if (item->kind == CORAS_STORED_MODEL && !is_being_made(inventory, item))
            CORAS_TRY(check_model(v, item, err));
    }
    return 0;
}

static int tell(struct verifying *v, coras_cache_report *ret, coras_error **err)
{
    size_t count = v->damaged.len;

    CORAS_TRY(coras_strlist_add(&v->damaged, "", err)); /* room for the end */
    free(v->damaged.items[count]);
    v->damaged.items[count] = NULL;
    v->done.damaged = coras_steal(&v->damaged.items);
    v->done.damaged_count = count;
    v->damaged = (coras_strlist){0};
    *ret = v->done;
    return 0;
}

int coras_cache_verify(const coras_cache_verify_options *opts, const coras_run_options *run,
                       coras_cache_report *ret, coras_error **err)
{
    coras_cache_verify_options known = CORAS_CACHE_VERIFY_OPTIONS_INIT;
    coras_auto_value(coras_inventory) inventory = CORAS_INVENTORY_INIT;
    coras_auto_free char *buf = coras_malloc(READ_BYTES);
    struct verifying v = {.opts = &known, .run = run, .inventory = &inventory, .buf = buf};

    if (!ret)
        return coras_missing_argument(err);
    if (!buf)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_options_read(&known, sizeof(known), opts, err));
    CORAS_TRY(coras_inventory_take(known.directory, run, &inventory, err));
    int rc = verify(&v, err);
    if (rc == 0)
        rc = tell(&v, ret, err);
    coras_strlist_clear(&v.damaged);
    return rc;
}

void coras_cache_report_clear(coras_cache_report *report)
{
    for (size_t i = 0; i < report->damaged_count; i++)
        free(report->damaged[i]);
    free(report->damaged);
    *report = (coras_cache_report){0};
}
