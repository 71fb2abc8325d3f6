/*
 * The root directory: made or checked, locked against a second server, its parts opened.
 */
#ifndef CORAS_SERVE_STORAGE_ROOT_H
#define CORAS_SERVE_STORAGE_ROOT_H

#include "serve/storage/blob_store.h"
#include "serve/storage/metadata.h"
#include "serve/storage/sessions.h"

struct coras_root {
    int lock_fd; /* held as long as we serve; gone with the process */
    coras_blob_store *store;
    coras_metadata *metadata;
    coras_sessions *sessions;
};
#define CORAS_ROOT_INIT                                                                            \
    {                                                                                              \
        .lock_fd = -1                                                                              \
    }

/* CONFIG: somebody else's directory, in use, or damaged. */
CORAS_MUST_CHECK int coras_root_open(const char *path, struct coras_root *ret, coras_error **err);
void coras_root_close(struct coras_root *root);

#endif
