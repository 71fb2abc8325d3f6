/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How full a file system is (declared in fs.h).
 */
#include "base/fs.h"

#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

int64_t coras_allocated_bytes(const struct stat *st)
{
    enum { BLOCK = 512 }; /* the unit of st_blocks, whatever the file system's own */
    return (int64_t)st->st_blocks * BLOCK;
}

int64_t coras_free_space(int fd)
{
    struct statvfs st;
    int64_t bytes;

    if (fstatvfs(fd, &st) < 0)
        return -1;
    /* ramfs, tmpfs without a size and some of FUSE count nothing: that is not "full". */
    if (st.f_blocks == 0 || st.f_frsize == 0)
        return -1;
    return __builtin_mul_overflow(st.f_bavail, st.f_frsize, &bytes) ? -1 : bytes;
}

bool coras_memory_holds(int fd)
{
    struct statfs st;

    return fstatfs(fd, &st) == 0 && (st.f_type == TMPFS_MAGIC || st.f_type == RAMFS_MAGIC);
}
