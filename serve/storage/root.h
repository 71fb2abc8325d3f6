/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root directory: made or checked, locked against a second server, its parts opened.
 */
#ifndef SERVE_STORAGE_ROOT_H
#define SERVE_STORAGE_ROOT_H

#include "serve/storage/blob_store.h"
#include "serve/storage/metadata.h"
#include "serve/storage/sessions.h"

struct serve_root {
    int lock_fd; /* held as long as we serve; gone with the process */
    serve_blob_store *store;
    serve_metadata *metadata;
    serve_sessions *sessions;
};
#define SERVE_ROOT_INIT                                                                            \
    {                                                                                              \
        .lock_fd = -1                                                                              \
    }

struct serve_root_options {
    const char *path;
    const char *metadata; /* URL of a database of PostgreSQL; NULL: one in the directory */
    bool read_only;       /* nothing is made or changed, and several may do so at once */
    bool is_workplace; /* with `metadata`: no blobs stay in it, so that several may share those */
};
/* CONFIG: somebody else's directory, or damaged; TIMEOUT: in use; CONNECT: the database does not
 * answer. */
CORAS_MUST_CHECK int serve_root_open(const struct serve_root_options *options,
                                     struct serve_root *ret, coras_error **err);
/*
 * To look at it beside a server that has it, or without one: no lock is taken, nothing is made, and
 * there are no sessions. NOT_FOUND: no such directory.
 */
CORAS_MUST_CHECK int serve_root_open_beside(const struct serve_root_options *options,
                                            struct serve_root *ret, coras_error **err);
void serve_root_close(struct serve_root *root);

#endif
