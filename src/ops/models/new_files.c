/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stage for new files (new_files.h): they are numbered in it.
 */
#include "ops/models/new_files.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"

enum { NUMBER_BYTES = 24 };

static void number_of(size_t i, char name[static NUMBER_BYTES])
{
    (void)snprintf(name, NUMBER_BYTES, "%zu", i);
}

int coras_new_files_open(coras_new_files *n, const char *output, bool no_sync, coras_error **err)
{
    n->no_sync = no_sync;
    n->output = coras_path_abs(output);
    if (!n->output)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_mkdir_all(AT_FDCWD, n->output, 0777, err));
    n->dirfd = open(n->output, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (n->dirfd < 0)
        return coras_fail_errno(err, errno, "open %s", n->output);
    if (coras_temp_mkdir(n->dirfd, n->stage) < 0) {
        int saved = errno;
        n->stage[0] = '\0';
        return coras_fail_errno(err, saved, "mkdir in %s", n->output);
    }
    n->stagefd = openat(n->dirfd, n->stage, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return n->stagefd < 0 ? coras_fail_errno(err, errno, "open %s/%s", n->output, n->stage) : 0;
}

static int open_staged(const coras_new_files *n, size_t i, int flags, int *ret_fd,
                       coras_error **err)
{
    char name[NUMBER_BYTES];

    number_of(i, name);
    *ret_fd = openat(n->stagefd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0666);
    if (*ret_fd < 0)
        return coras_fail_errno(err, errno, "open %s/%s/%s", n->output, n->stage, name);
    return 0;
}

int coras_new_files_create(const coras_new_files *n, size_t i, int *ret_fd, coras_error **err)
{
    return open_staged(n, i, O_CREAT | O_EXCL, ret_fd, err);
}

int coras_new_files_reopen(const coras_new_files *n, size_t i, int *ret_fd, coras_error **err)
{
    return open_staged(n, i, 0, ret_fd, err);
}

int coras_new_files_done(const coras_new_files *n, size_t i, int fd, coras_error **err)
{
    return n->no_sync ? 0 : coras_fsync(fd, n->paths.items[i], err);
}

/* What cannot be replaced is found before the first name is given. */
static int check_places(const coras_new_files *n, coras_error **err)
{
    for (size_t i = 0; i < n->paths.len; i++) {
        struct stat st;
        if (fstatat(n->dirfd, n->paths.items[i], &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISDIR(st.st_mode)) {
            coras_auto_free char *shown = coras_escape_dup(n->paths.items[i]);
            return coras_fail(err, CORAS_ERR_EXISTS, "%s is a directory", shown ? shown : "");
        }
    }
    return 0;
}

static int place(const coras_new_files *n, size_t i, coras_error **err)
{
    coras_auto_fd dirfd = -1;
    const char *name;
    char staged[NUMBER_BYTES];

    number_of(i, staged);
    CORAS_TRY(coras_open_parent_beneath(n->dirfd, n->paths.items[i], 0777, &dirfd, &name, err));
    if (renameat(n->stagefd, staged, dirfd, name) < 0)
        return coras_fail_errno(err, errno, "rename to %s in %s", name, n->output);
    return n->no_sync ? 0 : coras_fsync(dirfd, n->output, err);
}

int coras_new_files_commit(coras_new_files *n, coras_error **err)
{
    CORAS_TRY(check_places(n, err));
    for (size_t i = 0; i < n->paths.len; i++)
        CORAS_TRY(place(n, i, err));
    return 0;
}

void coras_new_files_clear(coras_new_files *n)
{
    coras_close_fd(&n->stagefd);
    if (n->stage[0])
        (void)!coras_remove_all(n->dirfd, n->stage, NULL); /* a leftover is known by its name */
    coras_close_fd(&n->dirfd);
    coras_strlist_clear(&n->paths);
    free(n->output);
    *n = (coras_new_files)CORAS_NEW_FILES_INIT;
}
