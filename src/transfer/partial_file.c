/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a partial file for one writer at a time, and its notes of what is missing
 * (partial_file.h).
 */
#include "transfer/partial_file.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>

#include "base/error.h"
#include "base/fs.h"

/* Behind the content, in the byte order of the machine: the file does not travel. */
struct tail {
    char magic[8];
    uint64_t count;
    coras_gap gaps[CORAS_GAPS_MAX];
};
static const char tail_magic[8] = {'c', 'o', 'r', 'a', 's', 'g', 'a', 'p'};

/* ---- opening ---- */

/* `opened`: the file that was opened by that name. */
static bool is_still_named(int dirfd, const char *name, const struct stat *opened)
{
    struct stat named;

    return fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           named.st_ino == opened->st_ino && named.st_dev == opened->st_dev;
}

static int lock_file(coras_run *run, int fd, coras_error **err)
{
    enum { LOCK_POLL_MS = 50 };
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return 0; /* no locks on this file system: the digest still decides */
        CORAS_TRY(coras_run_check(run, err));
        CORAS_TRY(coras_cancel_sleep_ms(run->options->cancel, LOCK_POLL_MS, err));
    }
    return 0;
}

/* Under a second name, or somebody else's: what we write could be read or changed there. */
static bool is_shared(const struct stat *st)
{
    return st->st_nlink > 1 || st->st_uid != geteuid();
}

int coras_partial_open(coras_run *run, int dirfd, const char *name, mode_t mode, int *ret_fd,
                       coras_error **err)
{
    for (bool is_new = false;;) {
        coras_auto_fd fd =
            openat(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode);
        struct stat st;
        if (fd < 0)
            return coras_fail_errno(err, errno, "open %s", name);
        if (fstat(fd, &st) < 0)
            return coras_fail_errno(err, errno, "stat %s", name);
        if (!S_ISREG(st.st_mode))
            return coras_fail(err, CORAS_ERR_UNSAFE_PATH, "%s is not a regular file", name);
        if (is_shared(&st) && !is_new) {
            if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
                return coras_fail_errno(err, errno, "remove %s, which others hold", name);
            is_new = true; /* some file systems know no owners */
            continue;
        }
        CORAS_TRY(lock_file(run, fd, err));
        if (!is_still_named(dirfd, name, &st))
            continue; /* the other process has finished it and taken it away */
        *ret_fd = fd;
        fd = -1;
        return 0;
    }
}

/* ---- what is missing ---- */

static bool read_tail(int fd, int64_t size, coras_gaps *ret)
{
    struct tail tail;
    size_t got = 0;

    if (coras_pread_full(fd, &tail, sizeof(tail), size, &got, NULL) < 0 || got != sizeof(tail) ||
        memcmp(tail.magic, tail_magic, sizeof(tail_magic)) != 0 || tail.count > CORAS_GAPS_MAX)
        return false;
    ret->len = (size_t)tail.count;
    memcpy(ret->items, tail.gaps, sizeof(tail.gaps));
    return coras_gaps_are_valid(ret, size);
}

/* The length of the file can say it. */
static bool is_in_order(const coras_gaps *missing, int64_t size)
{
    return missing->len == 0 || (missing->len == 1 && missing->items[0].end == size);
}

int coras_partial_note(int fd, const char *name, int64_t size, const coras_gaps *missing,
                       coras_error **err)
{
    struct tail tail = {.count = missing->len};

    memcpy(tail.magic, tail_magic, sizeof(tail_magic));
    memcpy(tail.gaps, missing->items, missing->len * sizeof(missing->items[0]));
    if (fdatasync(fd) < 0)
        return coras_fail_errno(err, errno, "sync %s", name);
    return coras_pwrite_full(fd, &tail, sizeof(tail), size, err);
}

int coras_partial_settle(int fd, const char *name, int64_t size, const coras_gaps *missing,
                         coras_error **err)
{
    int64_t length = missing->len ? missing->items[0].start : size;

    if (!is_in_order(missing, size))
        return coras_partial_note(fd, name, size, missing, err);
    /* Also when it has that length: room that was reserved behind it goes back. */
    return ftruncate(fd, length) < 0 ? coras_fail_errno(err, errno, "truncate %s", name) : 0;
}

int coras_partial_missing(int fd, const char *name, int64_t size, coras_gaps *ret,
                          coras_error **err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return coras_fail_errno(err, errno, "stat %s", name);
    if (st.st_size > size && read_tail(fd, size, ret))
        return is_in_order(ret, size) ? coras_partial_settle(fd, name, size, ret, err) : 0;
    if (st.st_size > size && ftruncate(fd, 0) < 0)
        return coras_fail_errno(err, errno, "truncate %s", name);
    ret->len = 0;
    coras_gaps_add(ret, st.st_size > size ? 0 : st.st_size, size);
    return 0;
}
