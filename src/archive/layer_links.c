/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done to the trees of layers before they become one directory (layer_links.h). Nobody else
 * can reach them: they are in a private directory.
 */
#include "archive/layer_links.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/str.h"

enum { DIRECTORY_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

/* ---- one over another ---- */

static int fail_exists(const char *name, coras_error **err)
{
    coras_auto_free char *shown = coras_escape_dup(name);

    return coras_fail(err, CORAS_ERR_EXISTS, "%s: duplicate name: two layers have it",
                      shown ? shown : "");
}

static int move_entry(int from_fd, int to_fd, const char *name, bool replace, coras_error **err)
{
    struct stat from, to;

    if (fstatat(from_fd, name, &from, AT_SYMLINK_NOFOLLOW) < 0)
        return coras_fail_errno(err, errno, "lstat %s", name);
    bool exists = fstatat(to_fd, name, &to, AT_SYMLINK_NOFOLLOW) == 0;
    if (exists && S_ISDIR(from.st_mode) && S_ISDIR(to.st_mode)) {
        coras_auto_fd sub_from = openat(from_fd, name, DIRECTORY_FLAGS);
        coras_auto_fd sub_to = openat(to_fd, name, DIRECTORY_FLAGS);
        if (sub_from < 0 || sub_to < 0)
            return coras_fail_errno(err, errno, "open %s", name);
        return coras_move_layer(sub_from, sub_to, replace, err);
    }
    if (exists && !replace)
        return fail_exists(name, err);
    if (exists)
        CORAS_TRY(coras_remove_all(to_fd, name, err));
    if (renameat(from_fd, name, to_fd, name) < 0)
        return coras_fail_errno(err, errno, "rename %s", name);
    return 0;
}

int coras_move_layer(int from_fd, int to_fd, bool replace, coras_error **err)
{
    coras_auto_value(coras_strlist) names = {0};

    CORAS_TRY(coras_list_directory(from_fd, "layer", &names, err));
    for (size_t i = 0; i < names.len; i++)
        CORAS_TRY(move_entry(from_fd, to_fd, names.items[i], replace, err));
    return 0;
}

/* ---- links ---- */

struct flattening {
    int root_fd;
    coras_buf path; /* of the current entry, beneath the root */
};

static int fail_leads_out(const struct flattening *f, coras_error **err)
{
    coras_auto_free char *shown = coras_escape_dup(f->path.ptr);

    return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "symbolic link %s leads out of the archive",
                      shown ? shown : "");
}

/* Give the open file the name of the link. */
static int replace_link(int fd, int dirfd, const char *name, coras_error **err)
{
    char temp[CORAS_TEMP_NAME_BYTES], by_number[32];

    (void)snprintf(by_number, sizeof(by_number), "/proc/self/fd/%d", fd); /* it fits */
    coras_temp_name(temp);
    if (linkat(AT_FDCWD, by_number, dirfd, temp, AT_SYMLINK_FOLLOW) < 0)
        return coras_fail_errno(err, errno, "link %s", name);
    if (renameat(dirfd, temp, dirfd, name) < 0)
        return coras_fail_errno(err, errno, "rename %s", name);
    return 0;
}

static int flatten_link(struct flattening *f, int dirfd, const char *name, coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    coras_auto_fd fd = -1;
    struct stat st;

    int rc = coras_open_beneath(f->root_fd, f->path.ptr, O_PATH | O_CLOEXEC, 0, &fd, &failure);
    if (rc == CORAS_ERR_UNSAFE_PATH)
        return fail_leads_out(f, err);
    if (rc == 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return replace_link(fd, dirfd, name, err);
    if (unlinkat(dirfd, name, 0) < 0)
        return coras_fail_errno(err, errno, "remove %s", name);
    return 0;
}

static int flatten_directory(struct flattening *f, int dirfd, coras_error **err);

static int flatten_entry(struct flattening *f, int dirfd, const char *name, coras_error **err)
{
    struct stat st;

    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return coras_fail_errno(err, errno, "lstat %s", name);
    if (S_ISLNK(st.st_mode))
        return flatten_link(f, dirfd, name, err);
    if (!S_ISDIR(st.st_mode))
        return 0;
    coras_auto_fd sub = openat(dirfd, name, DIRECTORY_FLAGS);
    if (sub < 0)
        return coras_fail_errno(err, errno, "open %s", name);
    return flatten_directory(f, sub, err);
}

static int flatten_directory(struct flattening *f, int dirfd, coras_error **err)
{
    coras_auto_value(coras_strlist) names = {0};
    size_t len = f->path.len;

    CORAS_TRY(coras_list_directory(dirfd, "layers", &names, err));
    for (size_t i = 0; i < names.len; i++) {
        coras_buf_printf(&f->path, "%s%s", len ? "/" : "", names.items[i]);
        CORAS_TRY(coras_buf_done(&f->path, err));
        CORAS_TRY(flatten_entry(f, dirfd, names.items[i], err));
        coras_buf_truncate(&f->path, len);
    }
    return 0;
}

int coras_flatten_links(int root_fd, coras_error **err)
{
    struct flattening f = {.root_fd = root_fd, .path = CORAS_BUF_UNLIMITED};

    int rc = flatten_directory(&f, root_fd, err);
    coras_buf_clear(&f.path);
    return rc;
}
