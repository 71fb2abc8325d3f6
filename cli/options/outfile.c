/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files named by --output: written beside their place, and renamed when whole.
 */
#include "cli/options/outfile.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "gospell/quote.h"

bool outfile_is_stdout(const char *path)
{
    return coras_streq(path, "-");
}

static int open_direct(const char *path, outfile *file, coras_error **err)
{
    file->direct = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file->direct < 0)
        return coras_fail_errno(err, errno, "open %s", path);
    file->fd = file->direct;
    return 0;
}

/* /dev/stdout may lead to a regular file, which the caller's shell holds open. */
static bool is_plain_name(const char *path)
{
    return !coras_str_starts(path, "/dev/") && !coras_str_starts(path, "/proc/");
}

/* What is there already: whether it may be replaced, and the mode to keep. */
static int look_at_old(const char *path, bool *ret_replace, mode_t *ret_mode, coras_error **err)
{
    struct stat st;

    *ret_replace = is_plain_name(path);
    *ret_mode = 0;
    if (stat(path, &st) < 0)
        return 0;
    *ret_replace &= S_ISREG(st.st_mode);
    *ret_mode = st.st_mode & 0777;
    if (!*ret_replace)
        return 0;
    coras_auto_fd fd = open(path, O_WRONLY | O_CLOEXEC); /* its owner may have protected it */
    return fd < 0 ? coras_fail_errno(err, errno, "open %s", path) : 0;
}

bool outfile_is_replaceable(const char *path)
{
    struct coras_replacement probe = CORAS_REPLACEMENT_INIT;
    struct stat st;
    bool replace;
    mode_t mode;

    if (look_at_old(path, &replace, &mode, NULL) < 0 || !replace ||
        (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)))
        return false;
    bool takes_files = coras_replacement_open(AT_FDCWD, path, 0600, &probe, NULL) == 0;
    coras_replacement_clear(&probe);
    return takes_files;
}

int outfile_open(const char *path, outfile *ret, coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    bool replace;
    mode_t mode;

    *ret = (outfile)OUTFILE_INIT;
    ret->path = path;
    CORAS_TRY(look_at_old(path, &replace, &mode, err));
    if (!replace || coras_replacement_open(AT_FDCWD, path, 0666, &ret->replacement, &failure) < 0)
        return open_direct(path, ret, err); /* also in a directory that takes no new file */
    ret->fd = ret->replacement.fd;
    if (mode && fchmod(ret->fd, mode) < 0)
        return coras_fail_errno(err, errno, "chmod %s", path);
    return 0;
}

int outfile_commit(outfile *file, bool sync, coras_error **err)
{
    file->fd = -1;
    if (file->direct < 0)
        return coras_replacement_commit(&file->replacement, sync, err);
    int fd = file->direct;
    file->direct = -1;
    return close(fd) < 0 ? coras_fail_errno(err, errno, "close %s", file->path) : 0;
}

void outfile_clear(outfile *file)
{
    coras_close_fd(&file->direct);
    coras_replacement_clear(&file->replacement);
    file->fd = -1;
}

int outfile_write(const char *path, const void *data, size_t len, coras_error **err)
{
    coras_auto_value(outfile) file = OUTFILE_INIT;

    CORAS_TRY(outfile_open(path, &file, err));
    CORAS_TRY(coras_write_named(file.fd, path, data, len, err));
    return outfile_commit(&file, true, err);
}

int outfile_save(const char *path, const void *data, size_t len, coras_error **err)
{
    int rc = outfile_write(path, data, len, err);
    if (rc == 0)
        return 0;
    coras_auto_free char *quoted = coras_go_quote_dup(path);
    return quoted ? coras_wrap(err, rc, "failed to open %s", quoted) : rc;
}
