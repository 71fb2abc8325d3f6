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

enum pass { LOOK, MOVE };

struct merge {
    enum pass pass;
    const char *title;
    coras_buf path; /* of the current entry, for messages */
};

static int open_dir(struct merge *m, int dirfd, const char *name, int *ret, coras_error **err)
{
    *ret = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return *ret >= 0 ? 0 : coras_fail_errno(err, errno, "open %s", m->path.ptr);
}

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
    }
    if (m->pass == LOOK)
        return 0;
    /* A file that is replaced keeps the mode that its owner gave it. */
    if (exists && S_ISREG(want.st_mode) && S_ISREG(have.st_mode) &&
        fchmodat(from, name, have.st_mode & 0777, 0) < 0)
        return coras_fail_errno(err, errno, "chmod %s", m->path.ptr);
    if (renameat(from, name, to, name) < 0)
        return coras_fail_errno(err, errno, "rename %s", m->path.ptr);
    return 0;
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

int coras_tree_merge(int from_fd, int to_fd, const char *title, coras_error **err)
{
    static const enum pass passes[] = {LOOK, MOVE};
    for (size_t i = 0; i < CORAS_ARRAY_LEN(passes); i++) {
        struct merge m = {.pass = passes[i], .title = title, .path = CORAS_BUF_UNLIMITED};
        coras_buf_puts(&m.path, title);
        int rc = merge_dir(&m, from_fd, to_fd, err);
        coras_buf_clear(&m.path);
        CORAS_TRY(rc);
    }
    return 0;
}
