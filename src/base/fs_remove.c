/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing a tree (declared in fs.h). One directory is open at a time, however deep the tree is:
 * the way back is "..", and it must lead to the directory that we came from.
 */
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "base/vec.h"

struct level {
    char *name; /* of the directory in its parent */
    dev_t dev;  /* of the parent */
    ino_t ino;
};

struct walk {
    const char *root; /* for messages */
    int dir;          /* the directory that is being emptied */
    struct level *items;
    size_t len, cap;
};

static void walk_clear(struct walk *w)
{
    coras_close_fd(&w->dir);
    for (size_t i = 0; i < w->len; i++)
        free(w->items[i].name);
    free(w->items);
}

static int fail_remove(const struct walk *w, int errnum, coras_error **err)
{
    return coras_fail_errno(err, errnum, "remove %s", w->root);
}

static int open_child(int dir, const char *name)
{
    return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int descend(struct walk *w, const char *name, coras_error **err)
{
    struct level level = {0};
    struct stat st;
    int child = open_child(w->dir, name);

    if (child < 0)
        return errno == ENOENT ? 0 : fail_remove(w, errno, err);
    level.name = coras_strdup(name);
    if (!level.name || coras_vec_grow(w, 1) < 0 || fstat(w->dir, &st) < 0) {
        free(level.name);
        close(child);
        return coras_fail_no_memory(err);
    }
    level.dev = st.st_dev;
    level.ino = st.st_ino;
    w->items[w->len++] = level;
    coras_close_fd(&w->dir);
    w->dir = child;
    return 0;
}

/* Back to the parent, and remove the emptied directory there. */
static int ascend(struct walk *w, coras_error **err)
{
    struct level *level = &w->items[w->len - 1];
    struct stat st;
    int parent = openat(w->dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (parent < 0)
        return fail_remove(w, errno, err);
    coras_close_fd(&w->dir);
    w->dir = parent;
    if (fstat(parent, &st) < 0 || st.st_dev != level->dev || st.st_ino != level->ino)
        return coras_fail(err, CORAS_ERR_CHANGED, "remove %s: directory was moved meanwhile",
                          w->root);
    if (unlinkat(parent, level->name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return fail_remove(w, errno, err);
    free(level->name);
    w->len--;
    return 0;
}

/* Unlink all but directories; the first of those is returned as a new string, NULL when none is
 * left. */
static int empty_files(struct walk *w, char **ret_subdir, coras_error **err)
{
    int again = openat(w->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = again < 0 ? NULL : fdopendir(again);
    const struct dirent *entry;
    int failure = 0;

    *ret_subdir = NULL;
    if (!stream) {
        failure = errno;
        coras_close_fd(&again);
        return fail_remove(w, failure, err);
    }
    while (!*ret_subdir && !failure && (entry = readdir(stream))) {
        if (coras_streq(entry->d_name, ".") || coras_streq(entry->d_name, "..") ||
            unlinkat(w->dir, entry->d_name, 0) == 0 || errno == ENOENT)
            continue;
        failure = errno;
        if (failure == EISDIR || failure == EPERM) { /* EPERM: POSIX's word for a directory */
            int child = open_child(w->dir, entry->d_name);
            if (child >= 0) {
                failure = 0;
                *ret_subdir = coras_strdup(entry->d_name);
                if (!*ret_subdir)
                    failure = ENOMEM;
                close(child);
            }
        }
    }
    closedir(stream);
    return failure ? fail_remove(w, failure, err) : 0;
}

static int empty_tree(struct walk *w, coras_error **err)
{
    for (;;) {
        coras_auto_free char *subdir = NULL;
        CORAS_TRY(empty_files(w, &subdir, err));
        if (subdir)
            CORAS_TRY(descend(w, subdir, err));
        else if (w->len == 0)
            return 0;
        else
            CORAS_TRY(ascend(w, err));
    }
}

int coras_remove_all(int dirfd, const char *path, coras_error **err)
{
    struct walk w = {.root = path, .dir = -1};
    int rc;

    if (unlinkat(dirfd, path, 0) == 0 || errno == ENOENT || errno == ENOTDIR)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return fail_remove(&w, errno, err);
    w.dir = open_child(dirfd, path);
    if (w.dir < 0)
        return fail_remove(&w, errno, err);
    rc = empty_tree(&w, err);
    walk_clear(&w);
    if (rc == 0 && unlinkat(dirfd, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return fail_remove(&w, errno, err);
    return rc;
}
