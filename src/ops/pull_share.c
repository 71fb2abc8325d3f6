/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hard links to what a cache keeps. A link shares its bytes with the cache for good, so they are
 * verified before it is made, and nothing is ever written through one.
 */
#include "ops/pull_share.h"

#include <stdio.h>

#include "base/error.h"
#include "base/fs.h"
#include "oci/digest.h"
#include "transfer/local_file.h"

bool coras_link_open_file(int fd, int dirfd, const char *name)
{
    char path[sizeof("/proc/self/fd/") + 3 * sizeof(fd)];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    (void)unlinkat(dirfd, name, 0); /* most often there is none */
    return linkat(AT_FDCWD, path, dirfd, name, AT_SYMLINK_FOLLOW) == 0;
}

/* A remembered digest counts: it is of bytes that nobody has written since. */
static int verify(coras_run *run, int fd, const coras_descriptor *desc, bool *ret,
                  coras_error **err)
{
    coras_auto_value(coras_local_file) file = {.fd = -1};
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (copy < 0)
        return coras_fail_errno(err, errno, "open a blob");
    CORAS_TRY(coras_local_file_take(&copy, "a blob of the cache", 0, desc->size, &file, err));
    file.cache_dir = coras_run_environment(run)->cache_dir;
    CORAS_TRY(coras_local_file_hash(&file, &run->stop, err));
    *ret = coras_digest_equal(&file.digest, &desc->digest);
    return 0;
}

static bool is_whole_file(int fd, int64_t offset, const coras_descriptor *desc)
{
    struct stat st;

    return offset == 0 && fstat(fd, &st) == 0 && st.st_size == desc->size;
}

/* Returns 1 when another try is worth it. */
static int try_to_share(coras_run *run, coras_target *from, const coras_descriptor *desc,
                        const coras_transfer *transfer, int dirfd, const char *name, bool *ret,
                        coras_error **err)
{
    coras_auto_fd fd = -1;
    int64_t offset = 0;
    int fresh = coras_target_bring(from, desc, run, transfer, err);
    bool right = fresh > 0;

    CORAS_TRY(fresh);
    /* What is so well known that nobody stores it has no file. */
    if (from->ops->open_local(from, desc, &fd, &offset, NULL) < 0)
        return 0;
    if (!is_whole_file(fd, offset, desc))
        return 0;
    if (!right)
        CORAS_TRY(verify(run, fd, desc, &right, err));
    if (!right)
        return coras_target_distrust(from, desc);
    *ret = coras_link_open_file(fd, dirfd, name);
    return 0;
}

int coras_share_content(coras_run *run, coras_target *from, const coras_descriptor *desc,
                        const coras_transfer *transfer, int dirfd, const char *name, bool *ret,
                        coras_error **err)
{
    *ret = false;
    (void)unlinkat(dirfd, name, 0); /* of an earlier pull; never written through */
    if (!from->ops->open_local)
        return 0;
    int again = try_to_share(run, from, desc, transfer, dirfd, name, ret, err);
    if (again == 1)
        again = try_to_share(run, from, desc, transfer, dirfd, name, ret, err);
    return again < 0 ? again : 0;
}
