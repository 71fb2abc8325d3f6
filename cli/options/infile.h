/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `blob push` and `manifest push` read: a file, or stdin for "-".
 */
#ifndef CORAS_CLI_OPTIONS_INFILE_H
#define CORAS_CLI_OPTIONS_INFILE_H

#include "base/buf.h"
#include "cli/options/optgroups.h"

bool infile_is_stdin(const char *path);
/* "-" cannot be read beside a secret from stdin. */
CORAS_MUST_CHECK int infile_check(const char *path, const struct remote_options *remote,
                                  coras_error **err);
/* Everything, up to `limit` bytes. */
CORAS_MUST_CHECK int infile_read(const char *path, size_t limit, coras_buf *ret, coras_error **err);
/* An open regular file with the content, at its start, and its size: stdin is copied to an unnamed
 * temporary file. */
CORAS_MUST_CHECK int infile_open(const char *path, int *ret_fd, int64_t *ret_size,
                                 coras_error **err);

#endif
