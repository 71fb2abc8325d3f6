/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving an unpacked tree into a directory that exists: every file and link by one rename, so that
 * no name is ever missing or half written, and no file of before is written into.
 */
#include "archive/unpack_tree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/str.h"
#include "archive/link_target.h"
#include "archive/unpack_cross.h"
#include "gospell/quote.h"

enum pass { LOOK, MOVE };

struct merge {
    enum pass pass;
    bool keeps_modes;
    bool bends; /* a link gets another target: what leads through it may lead elsewhere */
    const char *title;
    coras_buf path; /* of the current entry, for messages */
};

static int open_dir(struct merge *m, int dirfd, const char *name, int *ret, coras_error **err)
{
    *ret = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return *ret >= 0 ? 0 : coras_fail_errno(err, errno, "open %s", m->path.ptr);
}

/* ---- links that lead through other links ---- */

/* The target of a link as a new string; NULL: no link, or nobody can tell. */
static char *read_target(int dirfd, const char *name)
{
    coras_auto_free char *target = coras_malloc(CORAS_LIMIT_PATH + 1);
    ssize_t n = target ? readlinkat(dirfd, name, target, CORAS_LIMIT_PATH) : -1;

    if (n < 0)
        return NULL;
    target[n] = '\0';
    return coras_steal(&target);
}

static bool have_one_target(int from, int to, const char *name)
{
    coras_auto_free char *a = read_target(from, name);
    coras_auto_free char *b = read_target(to, name);

    return a && b && coras_streq(a, b);
}

static int fail_bent(const struct merge *m, const char *name, coras_error **err)
{
    coras_auto_free char *title = coras_escape_dup(m->title);
    coras_auto_free char *shown = coras_escape_dup(name);

    return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE,
                      "%s: a link gets another target, and the symbolic link %s, which is there "
                      "already, may lead out through it",
                      title ? title : "", shown ? shown : "");
}

/* Whether the text of a link goes down and then up again: where that leads depends on other links.
 * It was looked at when it was made, with the links of that time. */
static int check_standing(const struct merge *m, int dirfd, long depth, coras_error **err)
{
    coras_auto_value(coras_strlist) names = {0};

    CORAS_TRY(coras_list_directory(dirfd, m->title, &names, err));
    for (size_t i = 0; i < names.len; i++) {
        coras_auto_free char *target = read_target(dirfd, names.items[i]);
        if (target && coras_judge_link(target, depth) == CORAS_LINK_ASK_KERNEL)
            return fail_bent(m, names.items[i], err);
        coras_auto_fd sub =
            openat(dirfd, names.items[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (sub >= 0)
            CORAS_TRY(check_standing(m, sub, depth + 1, err));
    }
    return 0;
}

/* ---- the passes ---- */

static int merge_dir(struct merge *m, int from, int to, coras_error **err);

static int merge_subdir(struct merge *m, int from, int to, const char *name, coras_error **err)
{
    coras_auto_fd sub_from = -1;
    coras_auto_fd sub_to = -1;
    CORAS_TRY(open_dir(m, from, name, &sub_from, err));
    CORAS_TRY(open_dir(m, to, name, &sub_to, err));
    return merge_dir(m, sub_from, sub_to, err);
}

/* Whether `have` may make way for `want`. */
static int check_conflict(const struct merge *m, const struct stat *want, const struct stat *have,
                          coras_error **err)
{
    if (!S_ISDIR(want->st_mode))
        return S_ISDIR(have->st_mode) ? coras_fail_errno(err, EISDIR, "open %s", m->path.ptr) : 0;
    if (S_ISLNK(have->st_mode)) {
        coras_auto_free char *title = coras_go_quote_dup(m->title);
        coras_auto_free char *path = coras_go_quote_dup(m->path.ptr);
        return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE,
                          "no symbolic link allowed between %s and %s", title ? title : "",
                          path ? path : "");
    }
    if (!S_ISDIR(have->st_mode))
        return coras_fail_errno(err, ENOTDIR, "mkdir %s", m->path.ptr);
    return 0;
}

/* A directory of another file system is made, and gets its content entry by entry. */
static int move_entry(struct merge *m, int from, int to, const char *name, const struct stat *st,
                      coras_error **err)
{
    if (renameat(from, name, to, name) == 0)
        return 0;
    if (errno != EXDEV)
        return coras_fail_errno(err, errno, "rename %s", m->path.ptr);
    if (!S_ISDIR(st->st_mode))
        return coras_cross_over(from, to, name, m->path.ptr, err);
    if (mkdirat(to, name, (st->st_mode & 0777) | 0700) < 0)
        return coras_fail_errno(err, errno, "mkdir %s", m->path.ptr);
    return merge_subdir(m, from, to, name, err);
}

static int merge_entry(struct merge *m, int from, int to, const char *name, coras_error **err)
{
    struct stat want, have;
    if (fstatat(from, name, &want, AT_SYMLINK_NOFOLLOW) < 0)
        return coras_fail_errno(err, errno, "lstat %s", m->path.ptr);
    bool exists = fstatat(to, name, &have, AT_SYMLINK_NOFOLLOW) == 0;
    if (!exists && errno != ENOENT)
        return coras_fail_errno(err, errno, "lstat %s", m->path.ptr);
    if (exists) {
        CORAS_TRY(check_conflict(m, &want, &have, err));
        if (S_ISDIR(want.st_mode))
            return merge_subdir(m, from, to, name, err);
        m->bends |= S_ISLNK(want.st_mode) && !have_one_target(from, to, name);
    }
    if (m->pass == LOOK)
        return 0;
    if (m->keeps_modes && exists && S_ISREG(want.st_mode) && S_ISREG(have.st_mode) &&
        fchmodat(from, name, have.st_mode & 0777, 0) < 0)
        return coras_fail_errno(err, errno, "chmod %s", m->path.ptr);
    return move_entry(m, from, to, name, &want, err);
}

static int merge_dir(struct merge *m, int from, int to, coras_error **err)
{
    coras_auto_value(coras_strlist) names = {0};
    /* Before any is moved: renaming while reading may skip some. */
    CORAS_TRY(coras_list_directory(from, m->path.ptr, &names, err));
    size_t len = m->path.len;
    for (size_t i = 0; i < names.len; i++) {
        coras_buf_putc(&m->path, '/');
        coras_escape(&m->path, names.items[i], strlen(names.items[i]), CORAS_LIMIT_COMPONENT);
        CORAS_TRY(coras_buf_done(&m->path, err));
        CORAS_TRY(merge_entry(m, from, to, names.items[i], err));
        coras_buf_truncate(&m->path, len);
    }
    return 0;
}

int coras_tree_merge(int from_fd, int to_fd, const char *title, bool keeps_modes, coras_error **err)
{
    static const enum pass passes[] = {LOOK, MOVE};
    for (size_t i = 0; i < CORAS_ARRAY_LEN(passes); i++) {
        struct merge m = {.pass = passes[i],
                          .keeps_modes = keeps_modes,
                          .title = title,
                          .path = CORAS_BUF_UNLIMITED};
        coras_buf_puts(&m.path, title);
        int rc = merge_dir(&m, from_fd, to_fd, err);
        if (rc == 0 && m.pass == LOOK && m.bends)
            rc = check_standing(&m, to_fd, 0, err);
        coras_buf_clear(&m.path);
        CORAS_TRY(rc);
    }
    return 0;
}

int coras_sync_file_system(int fd, const char *shown, coras_error **err)
{
    int rc;

    do {
        rc = syncfs(fd);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? coras_fail_errno(err, errno, "sync %s", shown) : 0;
}
