/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies in the place of renames (unpack_cross.h).
 */
#include "archive/unpack_cross.h"

#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"

static int copy_link(int from, int to, const char *name, const char *temporary, const char *shown,
                     coras_error **err)
{
    char target[CORAS_LIMIT_PATH + 1];
    ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

    if (n < 0)
        return coras_fail_errno(err, errno, "readlink %s", shown);
    target[n] = '\0';
    return symlinkat(target, to, temporary) < 0 ? coras_fail_errno(err, errno, "symlink %s", shown)
                                                : 0;
}

static int copy_file(int from, int to, const char *shown, coras_error **err)
{
    struct stat st;

    if (fstat(from, &st) < 0)
        return coras_fail_errno(err, errno, "stat %s", shown);
    int rc = coras_copy_content(from, to, err);
    if (rc < 0)
        return coras_wrap(err, rc, "copy %s", shown);
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, st.st_mtim};
    if (fchmod(to, st.st_mode & 0777) < 0 || futimens(to, times) < 0)
        return coras_fail_errno(err, errno, "chmod %s", shown);
    return coras_fsync(to, shown, err);
}

/* The temporary name is empty as long as nothing has it. */
static int copy_beside(int from, int to, const char *name, const char *shown,
                       char temporary[static CORAS_TEMP_NAME_BYTES], coras_error **err)
{
    coras_auto_fd source = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    temporary[0] = '\0';
    if (source < 0 && errno != ELOOP)
        return coras_fail_errno(err, errno, "open %s", shown);
    if (source < 0) {
        coras_temp_name(temporary);
        return copy_link(from, to, name, temporary, shown, err);
    }
    coras_auto_fd copy = coras_temp_create(to, O_WRONLY, 0600, temporary);
    if (copy >= 0)
        return copy_file(source, copy, shown, err);
    temporary[0] = '\0';
    return coras_fail_errno(err, errno, "make a file for %s", shown);
}

int coras_cross_over(int from, int to, const char *name, const char *shown, coras_error **err)
{
    char temporary[CORAS_TEMP_NAME_BYTES];
    int rc = copy_beside(from, to, name, shown, temporary, err);

    if (rc == 0 && renameat(to, temporary, to, name) < 0)
        rc = coras_fail_errno(err, errno, "rename %s", shown);
    if (rc < 0 && temporary[0])
        (void)unlinkat(to, temporary, 0); /* the failure is already on its way */
    return rc < 0 ? rc : coras_fsync(to, shown, err);
}
