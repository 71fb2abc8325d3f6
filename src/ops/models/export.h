/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model on its way into a store of another program's (coras/model_store.h).
 */
#ifndef CORAS_OPS_MODELS_EXPORT_H
#define CORAS_OPS_MODELS_EXPORT_H

#include "coras/model_store.h"
#include "ops/models/view.h"

struct coras_model_export {
    coras_run *run;
    coras_target *source;
    const coras_model *model;
    const coras_selection *selection;
    const char *name;      /* in the store */
    const char *tag;       /* of the reference; NULL: a digest */
    const char *directory; /* of the store, as given */
    int dirfd;             /* the same */
    coras_buf path;        /* of what engines are pointed at, below the directory */
};

/* The stores. Each fills `path`. */
CORAS_MUST_CHECK int coras_model_export_hub(struct coras_model_export *x, coras_error **err);
CORAS_MUST_CHECK int coras_model_export_ollama(struct coras_model_export *x, coras_error **err);

/* Open a directory of the store, made when missing. */
CORAS_MUST_CHECK int coras_model_export_enter(const struct coras_model_export *x, const char *path,
                                              int *ret_fd, coras_error **err);

/* The files that are wanted; UNSUPPORTED when one is not a blob of its own. */
struct coras_export_files {
    const coras_model_file **items; /* borrowed */
    size_t len, cap;
};
CORAS_MUST_CHECK int coras_model_export_files(const struct coras_model_export *x,
                                              struct coras_export_files *ret, coras_error **err);
/* Have blobs in a directory, each content once, under the name that `name_of` gives it (owned;
 * NULL: out of memory). */
struct coras_export_blobs {
    const coras_descriptor **items; /* borrowed */
    size_t len, cap;
};
CORAS_MUST_CHECK int coras_export_blobs_add(struct coras_export_blobs *l,
                                            const coras_descriptor *blob, coras_error **err);
CORAS_MUST_CHECK int coras_model_export_blobs(const struct coras_model_export *x,
                                              const struct coras_export_blobs *blobs, int dirfd,
                                              char *(*name_of)(const coras_digest *digest),
                                              coras_error **err);

#endif
