/*
 * Files that commands write for the user (`--output`).
 */
#ifndef CORAS_CLI_OUTFILE_H
#define CORAS_CLI_OUTFILE_H

#include "base/common.h"

/*
 * Write the whole file, 0666 without the umask; messages as "open <path>: …". A file that is new
 * or regular appears at once and complete; a FIFO or device is written to.
 */
CORAS_MUST_CHECK int outfile_write(const char *path, const void *data, size_t len,
                                   coras_error **err);
/* The same; the failure says which file could not be written. */
CORAS_MUST_CHECK int outfile_save(const char *path, const void *data, size_t len,
                                  coras_error **err);
/* Create or truncate. */
CORAS_MUST_CHECK int outfile_open(const char *path, int *ret_fd, coras_error **err);
/* Whether a file there can be put in its place by rename. */
bool outfile_is_replaceable(const char *path);
/* "-" is stdout. */
bool outfile_is_stdout(const char *path);

#endif
