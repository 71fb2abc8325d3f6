/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening what an artifact names, so that it stays beneath a root (declared in fs.h).
 */
#include "base/fs.h"

#include <errno.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/str.h"

static int refuse(coras_error **err, const char *path, const char *why)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;

    coras_escape(&shown, path, strlen(path), CORAS_LIMIT_ERROR_TEXT);
    return coras_fail(err, CORAS_ERR_UNSAFE_PATH, "unsafe path \"%s\": %s", shown.ptr, why);
}

static int fail_path(coras_error **err, int errnum, const char *verb, const char *path)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;

    coras_escape(&shown, path, strlen(path), CORAS_LIMIT_ERROR_TEXT);
    return coras_fail_errno(err, errnum, "%s %s", verb, shown.ptr);
}

static int check_path(const char *path, coras_error **err)
{
    const char *at = path;

    if (*path == '/')
        return refuse(err, path, "absolute path");
    if (strlen(path) > CORAS_LIMIT_PATH)
        return refuse(err, path, "path too long");
    for (;;) {
        size_t len = strcspn(at, "/");
        if (len == 0)
            return refuse(err, path, "empty component");
        if (at[0] == '.' && (len == 1 || (len == 2 && at[1] == '.')))
            return refuse(err, path, "component \".\" or \"..\"");
        if (len > CORAS_LIMIT_COMPONENT)
            return refuse(err, path, "component too long");
        at += len;
        if (!*at)
            return 0;
        at++;
    }
}

int coras_follow_beneath(int rootfd, const char *path, int flags, mode_t mode)
{
    struct open_how how = {
        .flags = (uint64_t)(flags | O_CLOEXEC),
        .mode = flags & (O_CREAT | O_TMPFILE) ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    int tries = 100; /* EAGAIN: a rename elsewhere raced with ".." */
    long fd;

    do {
        fd = syscall(SYS_openat2, rootfd, path, &how, sizeof(how));
    } while (fd < 0 && (errno == EINTR || (errno == EAGAIN && tries-- > 0)));
    return (int)fd;
}

/* errno for a component that could not be entered: the kernel calls a link just "not a directory".
 */
static int entering_failed(int dir, const char *component, int errnum)
{
    struct stat st;

    if (errnum == ENOTDIR && fstatat(dir, component, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISLNK(st.st_mode))
        return ELOOP;
    return errnum;
}

/* Without openat2: no component may be a symbolic link. */
static int walk_beneath(int rootfd, const char *path, int flags, mode_t mode)
{
    char component[CORAS_LIMIT_COMPONENT + 1];
    coras_auto_fd dir = -1;
    const char *slash;

    while ((slash = strchr(path, '/'))) {
        size_t len = (size_t)(slash - path);
        memcpy(component, path, len); /* check_path bounded it */
        component[len] = '\0';
        int next = openat(dir >= 0 ? dir : rootfd, component,
                          O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0) {
            errno = entering_failed(dir >= 0 ? dir : rootfd, component, errno);
            return -1;
        }
        coras_close_fd(&dir);
        dir = next;
        path = slash + 1;
    }
    int fd = openat(dir >= 0 ? dir : rootfd, path, flags | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        errno = entering_failed(dir >= 0 ? dir : rootfd, path, errno);
    return fd;
}

/* The descriptor, or -1 with errno. */
static int open_checked(int rootfd, const char *path, int flags, mode_t mode)
{
    int fd = coras_follow_beneath(rootfd, path, flags, mode);

    if (fd < 0 && (errno == ENOSYS || errno == EPERM)) /* EPERM: forbidden by a seccomp filter */
        fd = walk_beneath(rootfd, path, flags, mode);
    return fd;
}

int coras_open_beneath(int rootfd, const char *path, int flags, mode_t mode, int *ret_fd,
                       coras_error **err)
{
    int fd;

    CORAS_TRY(check_path(path, err));
    fd = open_checked(rootfd, path, flags, mode);
    if (fd < 0) {
        int saved = errno;
        if (saved == EXDEV)
            return refuse(err, path, "leads out of the directory");
        if (saved == ELOOP)
            return refuse(err, path, "symbolic link");
        return fail_path(err, saved, "open", path);
    }
    *ret_fd = fd;
    return 0;
}

static int open_root(int rootfd, int *ret_fd, coras_error **err)
{
    int fd = openat(rootfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return coras_fail_errno(err, errno, "open directory");
    *ret_fd = fd;
    return 0;
}

/* Open the directory `path` beneath the root, making it in `parent` when it is absent. */
static int enter_directory(int rootfd, int parent, const char *path, mode_t mode, int *ret_fd,
                           coras_error **err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    if (mkdirat(parent, name, mode) < 0 && errno != EEXIST)
        return fail_path(err, errno, "mkdir", path);
    return coras_open_beneath(rootfd, path, O_RDONLY | O_DIRECTORY, 0, ret_fd, err);
}

static int make_parents(int rootfd, char *parents, mode_t mode, int *ret_fd, coras_error **err)
{
    coras_auto_fd dir = -1;

    CORAS_TRY(open_root(rootfd, &dir, err));
    for (char *slash = parents; slash;) {
        int next = -1;
        slash = strchr(slash, '/');
        if (slash)
            *slash = '\0';
        CORAS_TRY(enter_directory(rootfd, dir, parents, mode, &next, err));
        coras_close_fd(&dir);
        dir = next;
        if (slash)
            *slash++ = '/';
    }
    *ret_fd = dir;
    dir = -1;
    return 0;
}

int coras_open_parent_beneath(int rootfd, const char *path, mode_t mode, int *ret_dirfd,
                              const char **ret_name, coras_error **err)
{
    coras_auto_free char *parents = NULL;
    const char *slash;
    int fd;

    CORAS_TRY(check_path(path, err));
    slash = strrchr(path, '/');
    if (!slash) {
        CORAS_TRY(open_root(rootfd, ret_dirfd, err));
        *ret_name = path;
        return 0;
    }
    parents = coras_strndup(path, (size_t)(slash - path));
    if (!parents)
        return coras_fail_no_memory(err);
    fd = open_checked(rootfd, parents, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        CORAS_TRY(make_parents(rootfd, parents, mode, &fd, err));
    *ret_dirfd = fd;
    *ret_name = slash + 1;
    return 0;
}
