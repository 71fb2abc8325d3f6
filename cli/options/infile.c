/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a file argument, or stdin for "-".
 */
#include "cli/options/infile.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "cli/app/environment.h"
#include "cli/app/interrupt.h"

#define COPY_BYTES (64 * CORAS_KIB)

bool infile_is_stdin(const char *path)
{
    return coras_streq(path, "-");
}

int infile_check(const char *path, const struct remote_options *remote, coras_error **err)
{
    if (infile_is_stdin(path) && remote->password_stdin.value)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "`-` read file from input and `--password-stdin` read password from "
                          "input cannot be both used");
    if (infile_is_stdin(path) && remote->identity_token_stdin.value)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "`-` read file from input and `--identity-token-stdin` read identity "
                          "token from input cannot be both used");
    return 0;
}

static int open_input(const char *path, int *ret, coras_error **err)
{
    int fd = infile_is_stdin(path) ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                   : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return coras_fail_errno(err, errno, "open %s", path);
    *ret = fd;
    return 0;
}

/* One read; 0 at the end. */
static int read_some(int fd, const char *path, void *data, size_t cap, size_t *ret,
                     coras_error **err)
{
    CORAS_TRY(interrupt_wait_readable(fd, err));
    ssize_t n = read(fd, data, cap);
    if (n < 0)
        return coras_fail_errno(err, errno, "read %s", path);
    *ret = (size_t)n;
    return 0;
}

int infile_read(const char *path, size_t limit, coras_buf *ret, coras_error **err)
{
    coras_auto_fd fd = -1;
    CORAS_TRY(open_input(path, &fd, err));
    for (size_t n = 1; n > 0;) {
        if (ret->len > limit)
            return coras_fail(err, CORAS_ERR_TOO_LARGE, "read %s: more than %zu bytes", path,
                              limit);
        if (!coras_buf_reserve(ret, COPY_BYTES))
            return coras_buf_done(ret, err);
        CORAS_TRY(read_some(fd, path, ret->ptr + ret->len, COPY_BYTES, &n, err));
        ret->len += n;
        ret->ptr[ret->len] = '\0';
    }
    return 0;
}

static int copy_to_file(int from, const char *path, int to, int64_t *ret_size, coras_error **err)
{
    coras_auto_free char *block = coras_malloc(COPY_BYTES);
    if (!block)
        return coras_fail_no_memory(err);
    int64_t size = 0;
    for (size_t n = 1; n > 0; size += (int64_t)n) {
        CORAS_TRY(read_some(from, path, block, COPY_BYTES, &n, err));
        CORAS_TRY(coras_write_full(to, block, n, err));
    }
    *ret_size = size;
    return 0;
}

int infile_open(const char *path, int *ret_fd, int64_t *ret_size, coras_error **err)
{
    coras_auto_fd fd = -1;
    struct stat st;
    int rc = open_input(path, &fd, err);
    if (rc < 0)
        return coras_wrap(err, rc, "failed to open %s", path);
    if (fstat(fd, &st) < 0)
        return coras_fail_errno(err, errno, "stat %s", path);
    if (S_ISREG(st.st_mode) && !infile_is_stdin(path)) {
        *ret_size = st.st_size;
        *ret_fd = fd;
        fd = -1;
        return 0;
    }
    coras_auto_fd temporary = -1;
    CORAS_TRY(coras_tmpfile(environment()->temporary_dir, &temporary, err));
    CORAS_TRY(copy_to_file(fd, path, temporary, ret_size, err));
    *ret_fd = temporary;
    temporary = -1;
    return 0;
}
