/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole reads and writes, and the directories above a file (declared in fs.h).
 */
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/str.h"

/* ---- whole transfers ---- */

/* 0 or an errno. */
static int write_all(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

int coras_write_full(int fd, const void *data, size_t len, coras_error **err)
{
    int errnum = write_all(fd, data, len);

    return errnum ? coras_fail_errno(err, errnum, "write") : 0;
}

int coras_write_named(int fd, const char *path, const void *data, size_t len, coras_error **err)
{
    int errnum = write_all(fd, data, len);

    return errnum ? coras_fail_errno(err, errnum, "write %s", path) : 0;
}

int coras_pwrite_full(int fd, const void *data, size_t len, int64_t offset, coras_error **err)
{
    const char *at = data;

    while (len) {
        ssize_t n = pwrite(fd, at, len, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return coras_fail_errno(err, errno, "write");
        at += n;
        len -= (size_t)n;
        offset += n;
    }
    return 0;
}

int coras_pread_full(int fd, void *buf, size_t cap, int64_t offset, size_t *ret, coras_error **err)
{
    size_t done = 0;

    while (done < cap) {
        ssize_t n = pread(fd, (char *)buf + done, cap - done, offset + (int64_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return coras_fail_errno(err, errno, "read");
        if (n == 0)
            break;
        done += (size_t)n;
    }
    *ret = done;
    return 0;
}

static int read_all(int fd, size_t limit, coras_buf *buf, coras_error **err)
{
    enum { PIECE = 64 * CORAS_KIB };

    buf->limit =
        limit < SIZE_MAX / 4 ? limit + 1 : limit; /* one byte more shows that it is too much */
    for (;;) {
        size_t room = buf->limit - buf->len < PIECE ? buf->limit - buf->len : PIECE;
        if (room == 0)
            return coras_fail(err, CORAS_ERR_TOO_LARGE, "size exceeds limit of %zu bytes", limit);
        if (!coras_buf_reserve(buf, room))
            return coras_buf_done(buf, err);
        ssize_t n = read(fd, buf->ptr + buf->len, room);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return coras_fail_errno(err, errno, "read");
        if (n == 0)
            return 0;
        buf->len += (size_t)n;
        buf->ptr[buf->len] = '\0';
    }
}

int coras_read_file(int dirfd, const char *path, size_t limit, coras_buf *ret, coras_error **err)
{
    coras_auto_buf content = CORAS_BUF_UNLIMITED;
    coras_auto_fd fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    int rc;

    if (fd < 0)
        return coras_fail_errno(err, errno, "open %s", path);
    if (fstat(fd, &st) < 0)
        return coras_fail_errno(err, errno, "stat %s", path);
    if (S_ISDIR(st.st_mode))
        return coras_fail_errno(err, EISDIR, "read %s", path);
    if (!S_ISREG(st.st_mode))
        return coras_fail(err, CORAS_ERR_IO, "read %s: not a regular file", path);
    if (st.st_size > 0 && (uint64_t)st.st_size > limit)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "read %s: size exceeds limit of %zu bytes",
                          path, limit);
    rc = read_all(fd, limit, &content, err);
    if (rc < 0)
        return coras_wrap(err, rc, "read %s", path);
    coras_buf_put(ret, content.ptr, content.len);
    return coras_buf_done(ret, err);
}

/* Directories of some network and host file systems know nothing of it. */
static bool cannot_sync(int failure)
{
    return failure == EINVAL || failure == ENOSYS || failure == EOPNOTSUPP;
}

int coras_fsync(int fd, const char *what, coras_error **err)
{
    int rc;

    do {
        rc = fsync(fd);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 && !cannot_sync(errno) ? coras_fail_errno(err, errno, "sync %s", what) : 0;
}

/* ---- directories ---- */

static bool is_directory(int dirfd, const char *path)
{
    struct stat st;

    return fstatat(dirfd, path, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

static int make_one(int dirfd, const char *path, mode_t mode, coras_error **err)
{
    int failure;

    if (is_directory(dirfd, path) || mkdirat(dirfd, path, mode) == 0)
        return 0;
    failure = errno;
    if (failure == EEXIST && is_directory(dirfd, path)) /* somebody else was faster */
        return 0;
    return coras_fail_errno(err, failure == EEXIST ? ENOTDIR : failure, "mkdir %s", path);
}

int coras_mkdir_all(int dirfd, const char *path, mode_t mode, coras_error **err)
{
    coras_auto_free char *prefix = NULL;

    if (is_directory(dirfd, path))
        return 0;
    prefix = coras_strdup(path);
    if (!prefix)
        return coras_fail_no_memory(err);
    for (char *slash = strchr(prefix + 1, '/'); *prefix && slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        CORAS_TRY(make_one(dirfd, prefix, mode, err));
        *slash = '/';
    }
    return make_one(dirfd, path, mode, err);
}

unsigned coras_missing_parents(const char *path)
{
    coras_auto_free char *parent = coras_strdup(path);
    unsigned missing = 0;

    if (!parent)
        return 0; /* what was made is neither taken away after a failure nor synced */
    for (char *slash; (slash = strrchr(parent, '/')) && slash > parent; missing++) {
        struct stat st;
        *slash = '\0';
        if (lstat(parent, &st) == 0 || errno != ENOENT)
            break;
    }
    return missing;
}

unsigned coras_missing_dirs(const char *path)
{
    return access(path, F_OK) == 0 ? 0 : coras_missing_parents(path) + 1;
}

int coras_sync_directory(int dirfd, const char *path, coras_error **err)
{
    coras_auto_fd fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 && errno == EACCES)
        return 0; /* names may be given there and not read: nothing can be synced */
    return fd < 0 ? coras_fail_errno(err, errno, "open %s", path) : coras_fsync(fd, path, err);
}

int coras_sync_parents(const char *path, unsigned count, coras_error **err)
{
    coras_auto_free char *parent = coras_strdup(path);

    if (!parent)
        return coras_fail_no_memory(err);
    while (count-- > 0) {
        char *slash = strrchr(parent, '/');
        if (!slash)
            return 0;
        *slash = '\0';
        CORAS_TRY(coras_sync_directory(AT_FDCWD, *parent ? parent : "/", err));
    }
    return 0;
}

static void close_stream(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir); /* read only: nothing to lose */
}

int coras_list_directory(int dirfd, const char *what, coras_strlist *ret, coras_error **err)
{
    coras_auto_fd fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    __attribute__((cleanup(close_stream))) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!dir)
        return coras_fail_errno(err, errno, "open %s", what);
    fd = -1; /* the stream's now */
    while (errno = 0, (entry = readdir(dir)) != NULL)
        if (!coras_streq(entry->d_name, ".") && !coras_streq(entry->d_name, ".."))
            CORAS_TRY(coras_strlist_add(ret, entry->d_name, err));
    if (errno)
        return coras_fail_errno(err, errno, "readdirent %s", what);
    coras_strlist_sort(ret);
    return 0;
}
