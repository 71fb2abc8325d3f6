/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blob store: the files, which are a kind of blobs (blobs.h). ROOT/blobs/<algorithm>/<hex> as in an
 * OCI layout, and ROOT/uploads for what is on its way. A blob's name appears only when its content
 * is complete, verified and on the disk. Everything is opened relative to descriptors held since
 * the start, links are never followed.
 */
#ifndef SERVE_STORAGE_BLOB_STORE_H
#define SERVE_STORAGE_BLOB_STORE_H

#include <dirent.h>
#include <pthread.h>
#include "base/fs.h"
#include "serve/storage/blobs.h"

typedef struct serve_blob_store {
    serve_blobs blobs;                  /* first: it is a kind of them */
    int uploads_fd;                     /* const after open; -1 when read-only */
    int algorithm_fd[CORAS_SHA512 + 1]; /* const after open; -1 for none */
    /* Publishers hold it for reading, the collector for writing: what is being linked is never
     * removed. Taken before any lock of the metadata. */
    pthread_rwlock_t collecting;
} serve_blob_store;

/* `read_only`: nothing is made, and what changes anything must not be called. */
CORAS_MUST_CHECK int serve_blob_store_open(int rootfd, bool read_only, serve_blob_store **ret,
                                           coras_error **err);
void serve_blob_store_close(serve_blob_store *s);
CORAS_DEFINE_AUTO(serve_blob_store, serve_blob_store_close)

/* Open whatever lies under its name, to look at it; -1: nothing can be opened there. */
int serve_blob_store_look(const serve_blob_store *s, const coras_digest *digest);
/* Whether what is open for writing is a file of ours alone: what is written must not appear
 * elsewhere. IO. */
CORAS_MUST_CHECK int serve_blob_store_check_own(int fd, const char *name, coras_error **err);
/* Remove it if `fd` is still what lies under its name. */
bool serve_blob_store_remove_file(const serve_blob_store *s, const coras_digest *digest, int fd);
/* Remove; absent is success. */
CORAS_MUST_CHECK int serve_blob_store_remove(const serve_blob_store *s, const coras_digest *digest,
                                             coras_error **err);
/* The next stored file, in no particular order, and when it was last written (wall clock seconds).
 * false: there is none left, and the walk is over. */
struct serve_blob_walk {
    int algorithm; /* begin with zeros */
    DIR *dir;
};
bool serve_blob_store_next(const serve_blob_store *s, struct serve_blob_walk *walk,
                           coras_digest *ret, int64_t *ret_written_s);
void serve_blob_walk_end(struct serve_blob_walk *walk);
/* Whether any blob is there. */
bool serve_blob_store_is_empty(serve_blob_store *s);

#endif
