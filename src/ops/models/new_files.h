/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are made new in a directory and get their names all together, when every one is whole:
 * until then they grow in a private directory beside them.
 */
#ifndef CORAS_OPS_MODELS_NEW_FILES_H
#define CORAS_OPS_MODELS_NEW_FILES_H

#include "base/fs.h"

typedef struct coras_new_files {
    char *output; /* absolute */
    int dirfd, stagefd;
    char stage[CORAS_TEMP_NAME_BYTES];
    bool no_sync;
    coras_strlist paths; /* relative to the output, checked by whoever adds them */
} coras_new_files;
#define CORAS_NEW_FILES_INIT                                                                       \
    {                                                                                              \
        .dirfd = -1, .stagefd = -1                                                                 \
    }

/* Make the directory, unless it is there, and the stage in it. */
CORAS_MUST_CHECK int coras_new_files_open(coras_new_files *n, const char *output, bool no_sync,
                                          coras_error **err);
/* Make the file that will be called n->paths.items[i]; any thread, each i once. */
CORAS_MUST_CHECK int coras_new_files_create(const coras_new_files *n, size_t i, int *ret_fd,
                                            coras_error **err);
/* Open one that was made for reading and writing; any thread. */
CORAS_MUST_CHECK int coras_new_files_reopen(const coras_new_files *n, size_t i, int *ret_fd,
                                            coras_error **err);
/* The content of the open file is whole. Any thread. */
CORAS_MUST_CHECK int coras_new_files_done(const coras_new_files *n, size_t i, int fd,
                                          coras_error **err);
/* Give the names, in the order of the list; files that had them are replaced. */
CORAS_MUST_CHECK int coras_new_files_commit(coras_new_files *n, coras_error **err);
/* Takes away what did not get a name. */
void coras_new_files_clear(coras_new_files *n);
CORAS_DEFINE_AUTO_VALUE(coras_new_files, coras_new_files_clear)

#endif
