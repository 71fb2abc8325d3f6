/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that a cache holds, as a list: models, and files of the layout.
 */
#ifndef CORAS_OPS_CACHE_INVENTORY_H
#define CORAS_OPS_CACHE_INVENTORY_H

#include "coras/cache.h"
#include "ops/models/cache.h"
#include "target/target.h"

enum coras_stored_kind {
    CORAS_STORED_MODEL,
    CORAS_STORED_BLOB,
    CORAS_STORED_MANIFEST, /* listed in index.json */
    CORAS_STORED_PARTIAL,  /* not finished */
};

typedef struct coras_stored {
    enum coras_stored_kind kind;
    coras_digest digest; /* but of partial files */
    char *name;          /* below the cache's directory */
    int64_t bytes;
    int64_t last_use; /* seconds since 1970 */
    ino_t inode;      /* of files */
    nlink_t links;
    coras_model_tree tree; /* of models: what is there */
    bool is_intact;        /* that is what the record says */
    char *reference;       /* or NULL */
    bool is_gone;
} coras_stored;

typedef struct coras_inventory {
    char *directory;
    coras_target *store;
    int dirfd;
    coras_model_cache models; /* fd -1: there are none */
    struct {
        coras_stored *items;
        size_t len, cap;
    } items;
    coras_stored **by_inode; /* the blobs among them */
    size_t blob_count;
} coras_inventory;
#define CORAS_INVENTORY_INIT                                                                       \
    {                                                                                              \
        .dirfd = -1, .models = CORAS_MODEL_CACHE_INIT                                              \
    }
void coras_inventory_clear(coras_inventory *inventory);
CORAS_DEFINE_AUTO_VALUE(coras_inventory, coras_inventory_clear)

/* `directory` may be NULL: the usual one. */
CORAS_MUST_CHECK int coras_inventory_take(const char *directory, const coras_run_options *run,
                                          coras_inventory *ret, coras_error **err);

/* Bytes of all that is not gone, each file once. -1 when out of memory. */
int64_t coras_inventory_bytes(const coras_inventory *inventory);

/* The blob that is this file, or NULL. */
coras_stored *coras_inventory_blob(const coras_inventory *inventory, ino_t inode);

/* A model that nobody reads or makes: both its locks, which the descriptors hold; false when
 * somebody has one. */
bool coras_stored_lock(const coras_inventory *inventory, const coras_stored *model, int *ret_lease,
                       int *ret_lock);

#endif
