/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names for what is not finished: files and directories that get their real name later, or never
 * (declared in fs.h).
 */
#include "base/fs.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/random.h"

void coras_temp_name(char name[static CORAS_TEMP_NAME_BYTES])
{
    uint64_t n;

    coras_random(&n, sizeof(n));
    (void)snprintf(name, CORAS_TEMP_NAME_BYTES, CORAS_TEMP_PREFIX "%016llx", (unsigned long long)n);
}

int coras_temp_create(int dirfd, int flags, mode_t mode, char name[static CORAS_TEMP_NAME_BYTES])
{
    int fd;

    do {
        coras_temp_name(name);
        fd = openat(dirfd, name, flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    } while (fd < 0 && (errno == EEXIST || errno == EINTR));
    return fd;
}

int coras_temp_mkdir(int dirfd, char name[static CORAS_TEMP_NAME_BYTES])
{
    int rc;

    do {
        coras_temp_name(name);
        rc = mkdirat(dirfd, name, 0700);
    } while (rc < 0 && errno == EEXIST);
    return rc;
}

int coras_tmpfile(const char *directory, int *ret_fd, coras_error **err)
{
    const char *where = directory ? directory : "/tmp";
    coras_auto_fd dir = -1;
    char name[CORAS_TEMP_NAME_BYTES];
    int fd = open(where, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0) { /* not every file system has unnamed files */
        dir = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
            return coras_fail_errno(err, errno, "open %s", where);
        fd = coras_temp_create(dir, O_RDWR, 0600, name);
        if (fd < 0)
            return coras_fail_errno(err, errno, "create a temporary file in %s", where);
        (void)unlinkat(dir, name, 0); /* a name that stays harms nobody */
    }
    *ret_fd = fd;
    return 0;
}
