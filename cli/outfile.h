/*
 * Files that commands write for the user (`--output`).
 */
#ifndef CORAS_CLI_OUTFILE_H
#define CORAS_CLI_OUTFILE_H

#include "base/common.h"

/* Create or truncate (0666 without the umask) and write; messages as "open <path>: …". */
CORAS_MUST_CHECK int outfile_write(const char *path, const void *data, size_t len,
                                   coras_error **err);
/* Open for writing in the same way. */
CORAS_MUST_CHECK int outfile_open(const char *path, int *ret_fd, coras_error **err);
/* "-" is stdout. */
bool outfile_is_stdout(const char *path);

#endif
