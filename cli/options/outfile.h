/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that commands write for the user (`--output`): whole or not at all. What was there before
 * stays until the new content is complete; devices, pipes and the like are written as they are.
 */
#ifndef CORAS_CLI_OPTIONS_OUTFILE_H
#define CORAS_CLI_OPTIONS_OUTFILE_H

#include "base/fs.h"

typedef struct outfile {
    int fd; /* to write to; borrowed */
    const char *path;
    int direct; /* the same when it is no regular file, else -1 */
    struct coras_replacement replacement;
} outfile;

/* 0666 without the umask, or the mode of the file that is there; messages as "open <path>: …".
 * Cleared by the caller, also after a failure. */
CORAS_MUST_CHECK int outfile_open(const char *path, outfile *ret, coras_error **err);
/* Everything is written: let it take the name. */
CORAS_MUST_CHECK int outfile_commit(outfile *file, bool sync, coras_error **err);
void outfile_clear(outfile *file);
CORAS_DEFINE_AUTO_VALUE(outfile, outfile_clear)
#define OUTFILE_INIT                                                                               \
    {                                                                                              \
        .fd = -1, .direct = -1, .replacement = CORAS_REPLACEMENT_INIT                              \
    }

/* All of it in one step. */
CORAS_MUST_CHECK int outfile_write(const char *path, const void *data, size_t len,
                                   coras_error **err);
/* The same; the failure says which file could not be written. */
CORAS_MUST_CHECK int outfile_save(const char *path, const void *data, size_t len,
                                  coras_error **err);
/* Whether a file made in the directory of `path` can take its name: not of a link, pipe, device. */
bool outfile_is_replaceable(const char *path);
/* "-" is stdout. */
bool outfile_is_stdout(const char *path);

#endif
