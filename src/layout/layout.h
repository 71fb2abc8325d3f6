/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An OCI image layout as a target: a directory to read and write, or a tar archive to read. The
 * public way in is coras_layout_open() (coras/target.h); this header is for the layout_*.c files.
 *
 * Writers of several processes exclude one another by flock() on the directory while index.json is
 * read, changed and replaced. Readers take no lock: files appear complete, by rename.
 */
#ifndef CORAS_LAYOUT_LAYOUT_H
#define CORAS_LAYOUT_LAYOUT_H

#include <pthread.h>
#include <sys/stat.h>

#include "layout/layout_graph.h"
#include "layout/layout_index.h"
#include "layout/layout_tar.h"
#include "target/target.h"

struct coras_layout {
    coras_target target; /* first: a layout is a target */
    /* const after open */
    int dirfd;             /* -1: an archive */
    coras_layout_tar *tar; /* NULL: a directory */
    /* lock */
    pthread_mutex_t lock;
    struct stat index_stat; /* of the index.json that `index` was read from */
    bool index_loaded;
    uint64_t index_age; /* grows whenever `index` becomes another */
    struct coras_layout_index index;
    coras_layout_graph *graph; /* of `index`; NULL: not built */
};

/* layout.c */

/* Open the layout in a directory for reading and writing, whose index.json may be missing yet.
 * `*dirfd` is taken on success. NOT_FOUND: no layout; CONFIG: of another version. */
CORAS_MUST_CHECK int coras_layout_open_at(int *dirfd, struct coras_layout **ret, coras_error **err);
/* Take a name away; its manifest stays listed by its digest. NOT_FOUND. */
CORAS_MUST_CHECK int coras_layout_untag(struct coras_layout *l, const char *tag, coras_error **err);

/* A blob's bytes: `fd` owned, content at `offset`. */
struct coras_layout_blob {
    int fd;
    int64_t offset, size;
};

/* layout_blob.c */

/* "blobs/<algorithm>/<hex>" into CORAS_LAYOUT_PATH_MAX bytes. */
#define CORAS_LAYOUT_PATH_MAX (CORAS_DIGEST_TEXT_MAX + 6)
char *coras_layout_blob_path(const coras_digest *digest, char *path);
/* NOT_FOUND "not found"; UNSAFE_PATH for what is no regular file. */
CORAS_MUST_CHECK int coras_layout_open_blob(const struct coras_layout *l,
                                            const coras_digest *digest,
                                            struct coras_layout_blob *ret, coras_error **err);
/* Small content, verified; TOO_LARGE above `limit`. */
CORAS_MUST_CHECK int coras_layout_read_blob(const struct coras_layout *l,
                                            const coras_descriptor *desc, size_t limit,
                                            coras_buf *ret, coras_error **err);
/* Store bytes whose digest is known to be right. */
CORAS_MUST_CHECK int coras_layout_store_bytes(const struct coras_layout *l,
                                              const coras_digest *digest, const void *data,
                                              size_t len, coras_error **err);
CORAS_MUST_CHECK int coras_layout_remove_blob(const struct coras_layout *l,
                                              const coras_digest *digest, coras_error **err);
/* Make the names of stored blobs durable, before anything that names them. */
CORAS_MUST_CHECK int coras_layout_sync_names(const struct coras_layout *l, coras_error **err);

/* Verbs of the table. */
int coras_layout_fetch(coras_target *t, const coras_descriptor *desc, int64_t offset,
                       int64_t length, const coras_sink *sink, coras_error **err);
int coras_layout_resolve_blob(coras_target *t, const coras_digest *digest, coras_descriptor *ret,
                              coras_error **err);
int coras_layout_exists(coras_target *t, const coras_descriptor *desc, bool *ret,
                        coras_error **err);
int coras_layout_push_blob(coras_target *t, const coras_blob_push *push, coras_error **err);
int coras_layout_open_local(coras_target *t, const coras_descriptor *desc, int *ret_fd,
                            int64_t *ret_offset, coras_error **err);
int coras_layout_land(coras_target *t, const coras_descriptor *desc, coras_landing *ret,
                      coras_error **err);

/* layout_part.c */

int coras_layout_set_part(coras_target *t, const coras_descriptor *desc, bool is_part,
                          coras_error **err);
/* `exists` as a verb: a manifest that is there with only a part of its content is not there. */
int coras_layout_exists_whole(coras_target *t, const coras_descriptor *desc, bool *ret,
                              coras_error **err);

/* layout_file.c: index.json and oci-layout on disk, and the lock */

/* Make what a directory lacks to be an empty layout. */
CORAS_MUST_CHECK int coras_layout_create(const struct coras_layout *l, coras_error **err);
/* CONFIG "invalid OCI Image Layout: …" */
CORAS_MUST_CHECK int coras_layout_check_version(const struct coras_layout *l, coras_error **err);
/* Have `index` as it is on disk. l->lock is held. */
CORAS_MUST_CHECK int coras_layout_load_index(struct coras_layout *l, coras_error **err);
/* Take both locks and load; on failure nothing is held. */
CORAS_MUST_CHECK int coras_layout_begin_change(struct coras_layout *l, coras_error **err);
/* Replace index.json by `index`. */
CORAS_MUST_CHECK int coras_layout_save_index(struct coras_layout *l, coras_error **err);
/* Release both locks; a change that was not saved is forgotten when `failed`. */
void coras_layout_end_change(struct coras_layout *l, bool failed);

#endif
