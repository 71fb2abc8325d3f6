/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content of a target as files in a directory of another program's, each under a name that the
 * program knows it by.
 */
#ifndef CORAS_OPS_MODELS_BLOB_DIR_H
#define CORAS_OPS_MODELS_BLOB_DIR_H

#include "transfer/run.h"

/*
 * Have the blob as the file `name` in `dirfd`. One that is there with the right size stays; content
 * that the target keeps in a file of this file system is linked; else it is brought, verified, and
 * gets its name last. What was cut goes on there in the same call again. Several threads may work
 * in one directory. Reports as a pull does.
 */
CORAS_MUST_CHECK int coras_blob_dir_bring(coras_run *run, coras_target *from, int dirfd,
                                          const char *name, const coras_descriptor *desc,
                                          coras_error **err);

/* Bytes of ours as such a file. */
CORAS_MUST_CHECK int coras_blob_dir_put(int dirfd, const char *name, const void *data, size_t len,
                                        coras_error **err);

#endif
