/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replacing a file as a whole (declared in fs.h): a temporary file beside it, and a rename.
 */
#include "base/fs.h"

#include <errno.h>
#include <string.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"

/* Directory part of a path ("." when there is none); new string. */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return coras_strdup(".");
    return slash == path ? coras_strdup("/") : coras_strndup(path, (size_t)(slash - path));
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Follow links at the end of *path, which is replaced by where they lead. */
static int follow_final_link(int dirfd, char **path, coras_error **err)
{
    enum { MOST_LINKS = 40 }; /* the kernel's own bound */

    for (int i = 0; i < MOST_LINKS; i++) {
        coras_auto_free char *target = coras_malloc(CORAS_LIMIT_PATH + 1);
        coras_auto_free char *dir = directory_of(*path);
        if (!target || !dir)
            return coras_fail_no_memory(err);
        ssize_t n = readlinkat(dirfd, *path, target, CORAS_LIMIT_PATH);
        if (n < 0)
            return 0; /* no link, or absent: what follows reports any trouble */
        target[n] = '\0';
        char *next = target[0] == '/' ? coras_strdup(target) : coras_asprintf("%s/%s", dir, target);
        if (!next)
            return coras_fail_no_memory(err);
        free(*path);
        *path = next;
    }
    return coras_fail_errno(err, ELOOP, "open %s", *path);
}

static int open_directory_of(int dirfd, const char *path, int *ret_fd, coras_error **err)
{
    coras_auto_free char *dir = directory_of(path);

    if (!dir)
        return coras_fail_no_memory(err);
    *ret_fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *ret_fd < 0 ? coras_fail_errno(err, errno, "open %s", dir) : 0;
}

static int open_replacement(int dirfd, const char *path, mode_t mode, bool follow,
                            struct coras_replacement *r, coras_error **err)
{
    *r = (struct coras_replacement)CORAS_REPLACEMENT_INIT;
    r->path = coras_strdup(path);
    if (!r->path)
        return coras_fail_no_memory(err);
    if (follow)
        CORAS_TRY(follow_final_link(dirfd, &r->path, err));
    CORAS_TRY(open_directory_of(dirfd, r->path, &r->dir, err));
    r->fd = coras_temp_create(r->dir, O_WRONLY, mode, r->temp);
    return r->fd < 0 ? coras_fail_errno(err, errno, "create %s", r->path) : 0;
}

int coras_replacement_open(int dirfd, const char *path, mode_t mode, struct coras_replacement *r,
                           coras_error **err)
{
    return open_replacement(dirfd, path, mode, true, r, err);
}

int coras_replacement_commit(struct coras_replacement *r, bool sync, coras_error **err)
{
    if (sync)
        CORAS_TRY(coras_fsync(r->fd, r->path, err));
    int fd = r->fd;
    r->fd = -1;
    int rc = close(fd) < 0 ? coras_fail_errno(err, errno, "close %s", r->path) : 0;
    if (rc == 0 && renameat(r->dir, r->temp, r->dir, name_of(r->path)) < 0)
        rc = coras_fail_errno(err, errno, "rename %s", r->path);
    if (rc < 0) {
        (void)unlinkat(r->dir, r->temp, 0); /* the failure is already on its way */
        return rc;
    }
    return sync ? coras_fsync(r->dir, r->path, err) : 0;
}

void coras_replacement_clear(struct coras_replacement *r)
{
    if (r->fd >= 0)
        (void)unlinkat(r->dir, r->temp, 0); /* best effort */
    coras_close_fd(&r->fd);
    coras_close_fd(&r->dir);
    free(r->path);
    r->path = NULL;
}

static int write_file(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
                      bool follow, coras_error **err)
{
    __attribute__((cleanup(coras_replacement_clear))) struct coras_replacement r;

    CORAS_TRY(open_replacement(dirfd, path, mode, follow, &r, err));
    int rc = coras_write_full(r.fd, data, len, err);
    if (rc < 0)
        return coras_wrap(err, rc, "%s", r.path);
    return coras_replacement_commit(&r, true, err);
}

int coras_write_file_atomic(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
                            coras_error **err)
{
    return write_file(dirfd, path, data, len, mode, true, err);
}

int coras_write_file_not_through(int dirfd, const char *path, const void *data, size_t len,
                                 mode_t mode, coras_error **err)
{
    return write_file(dirfd, path, data, len, mode, false, err);
}
