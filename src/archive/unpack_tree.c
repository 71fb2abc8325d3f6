/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making what an archive names. Every step goes from a directory descriptor to one component, with
 * O_NOFOLLOW: nothing here resolves a path that the archive could have bent.
 */
#include "archive/unpack_tree.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/str.h"
#include "archive/link_target.h"
#include "archive/unpack_names.h"

void coras_tree_init(struct coras_tree *tree, int root_fd, const char *title,
                     const char *target_path)
{
    const coras_buf empty = CORAS_BUF_UNLIMITED;
    memset(tree, 0, sizeof(*tree));
    tree->root_fd = root_fd;
    tree->title = title;
    tree->target_path = target_path;
    tree->parent = empty;
    tree->dirs = tree->links = (coras_notes)CORAS_NOTES_INIT;
    tree->parent_fd = -1;
}

void coras_tree_clear(struct coras_tree *tree)
{
    coras_close_fd(&tree->parent_fd);
    coras_buf_clear(&tree->parent);
    coras_notes_clear(&tree->dirs);
    coras_notes_clear(&tree->links);
}

/* ---- the parent of an entry ---- */

static void forget_parent(struct coras_tree *tree)
{
    coras_close_fd(&tree->parent_fd);
    coras_buf_reset(&tree->parent);
}

static bool is_symlink(int dirfd, const char *leaf)
{
    struct stat st;
    return fstatat(dirfd, leaf, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

/* Open one directory below `dirfd`; with `make` it is made when it is missing. */
static int step_down(const struct coras_tree *tree, int dirfd, const char *component, bool make,
                     const char *rel, int *ret, coras_error **err)
{
    enum { FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };
    int fd = openat(dirfd, component, FLAGS);
    if (fd < 0 && errno == ENOENT && make) {
        if (mkdirat(dirfd, component, 0777) < 0 && errno != EEXIST)
            return coras_tree_fail_system(tree, errno, "mkdir", rel, err);
        fd = openat(dirfd, component, FLAGS);
    }
    if (fd < 0) {
        int saved = errno;
        if (is_symlink(dirfd, component)) {
            coras_auto_buf name = CORAS_BUF_UNLIMITED;
            coras_buf_printf(&name, "%s/%s", tree->title, rel);
            return coras_tree_fail_through_link(tree, name.ptr, err);
        }
        return coras_tree_fail_system(tree, saved, make ? "mkdir" : "lstat", rel, err);
    }
    *ret = fd;
    return 0;
}

/* Walk to the directory `path` beneath `root_fd`. */
static int walk_from(const struct coras_tree *tree, int root_fd, const char *path, bool make,
                     const char *rel, int *ret, coras_error **err)
{
    coras_auto_fd fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return coras_tree_fail_system(tree, errno, "open", "", err);
    while (*path) {
        char component[CORAS_LIMIT_COMPONENT + 1];
        size_t len = strcspn(path, "/");
        if (len > CORAS_LIMIT_COMPONENT)
            return coras_tree_fail_system(tree, ENAMETOOLONG, "open", rel, err);
        memcpy(component, path, len);
        component[len] = 0;
        int next = -1;
        CORAS_TRY(step_down(tree, fd, component, make, rel, &next, err));
        close(fd);
        fd = next;
        path += len;
        path += *path == '/';
    }
    *ret = fd;
    fd = -1;
    return 0;
}

static int walk(const struct coras_tree *tree, const char *path, bool make, const char *rel,
                int *ret, coras_error **err)
{
    return walk_from(tree, tree->root_fd, path, make, rel, ret, err);
}

/* The directory that holds `rel`, kept open for the next entry, and the last component. */
static int open_parent(struct coras_tree *tree, const char *rel, bool make, int *ret_fd,
                       const char **ret_leaf, coras_error **err)
{
    const char *slash = strrchr(rel, '/');
    size_t len = slash ? (size_t)(slash - rel) : 0;
    bool same =
        tree->parent_fd >= 0 && tree->parent.len == len && memcmp(tree->parent.ptr, rel, len) == 0;
    if (!same) {
        forget_parent(tree);
        coras_buf_put(&tree->parent, rel, len);
        CORAS_TRY(coras_buf_done(&tree->parent, err));
        CORAS_TRY(walk(tree, tree->parent.ptr, make, rel, &tree->parent_fd, err));
    }
    *ret_fd = tree->parent_fd;
    *ret_leaf = slash ? slash + 1 : rel;
    return 0;
}

/* Make room for something that is no directory: a later member replaces an earlier one. */
static int remove_old(const struct coras_tree *tree, int dirfd, const char *leaf, const char *rel,
                      bool or_empty_dir, coras_error **err)
{
    if (unlinkat(dirfd, leaf, 0) == 0 || errno == ENOENT)
        return 0;
    int saved = errno;
    if (or_empty_dir && saved == EISDIR) {
        if (unlinkat(dirfd, leaf, AT_REMOVEDIR) == 0)
            return 0;
        saved = errno;
    }
    return coras_tree_fail_system(tree, saved, "remove", rel, err);
}

/* ---- entries ---- */

static int remember_dir(struct coras_tree *tree, const char *rel, int mode,
                        const coras_tar_entry *entry, coras_error **err)
{
    const struct coras_note note = {.path = rel,
                                    .target = "",
                                    .mode = mode,
                                    .mtime_s = entry->mtime_s,
                                    .mtime_ns = entry->mtime_ns};

    tree->has_modes |= mode >= 0;
    return coras_notes_add(&tree->dirs, tree->root_fd, &note, err);
}

/* A directory that its owner may not enter or fill gets that mode at the end. */
static int make_dir(struct coras_tree *tree, const char *rel, const coras_tar_entry *entry,
                    coras_error **err)
{
    int mode = -1;
    if (*rel) {
        int dirfd;
        const char *leaf;
        struct stat st;
        CORAS_TRY(open_parent(tree, rel, true, &dirfd, &leaf, err));
        bool made = mkdirat(dirfd, leaf, entry->mode & 0777) == 0;
        if (!made && errno != EEXIST)
            return coras_tree_fail_system(tree, errno, "mkdir", rel, err);
        if (fstatat(dirfd, leaf, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return coras_tree_fail_system(tree, errno, "lstat", rel, err);
        if (S_ISLNK(st.st_mode))
            return coras_tree_fail_through_link(tree, entry->name, err);
        if (!S_ISDIR(st.st_mode))
            return coras_tree_fail_system(tree, ENOTDIR, "mkdir", rel, err);
        mode_t wanted = tree->has_exact_modes ? entry->mode & 0777 : st.st_mode & 0777;
        if (made && (wanted != (st.st_mode & 0777) || (wanted & 0700) != 0700)) {
            mode = (int)wanted;
            if (fchmodat(dirfd, leaf, (mode_t)mode | 0700, 0) < 0)
                return coras_tree_fail_system(tree, errno, "chmod", rel, err);
        }
    }
    return remember_dir(tree, rel, mode, entry, err);
}

static int make_file(struct coras_tree *tree, const char *rel, const coras_tar_entry *entry,
                     int *ret_fd, coras_error **err)
{
    enum { FLAGS = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC };
    int dirfd;
    const char *leaf;
    if (*rel == 0)
        return coras_tree_fail_system(tree, EISDIR, "open", rel, err);
    CORAS_TRY(open_parent(tree, rel, true, &dirfd, &leaf, err));
    int fd = openat(dirfd, leaf, FLAGS, entry->mode & 0777);
    if (fd < 0 && errno == EEXIST) {
        struct stat st;
        if (fstatat(dirfd, leaf, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
            return coras_tree_fail_system(tree, EISDIR, "open", rel, err);
        CORAS_TRY(remove_old(tree, dirfd, leaf, rel, false, err));
        fd = openat(dirfd, leaf, FLAGS, entry->mode & 0777);
    }
    if (fd < 0)
        return coras_tree_fail_system(tree, errno, "open", rel, err);
    *ret_fd = fd;
    if (tree->has_exact_modes && fchmod(fd, entry->mode & 0777) < 0)
        return coras_tree_fail_system(tree, errno, "chmod", rel, err);
    return 0;
}

/* Open the directory of a hard link's target, which must be there and no symbolic link. */
static int open_link_target(const struct coras_tree *tree, const char *target, const char *shown_as,
                            int *ret_fd, coras_error **err)
{
    const char *slash = strrchr(target, '/');
    coras_auto_free char *parent = coras_strndup(target, slash ? (size_t)(slash - target) : 0);
    coras_auto_fd fd = -1;
    struct stat st;
    if (!parent)
        return coras_fail_no_memory(err);
    int rc = walk(tree, parent, false, target, &fd, err);
    if (rc == 0 && fstatat(fd, slash ? slash + 1 : target, &st, AT_SYMLINK_NOFOLLOW) < 0)
        rc = coras_tree_fail_system(tree, errno, "lstat", target, err);
    if (rc == CORAS_ERR_NO_MEMORY)
        return rc;
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;
    if (rc < 0 || S_ISLNK(st.st_mode))
        coras_tree_put_quoted(&shown, shown_as);
    if (rc < 0)
        return coras_wrap(err, coras_error_recode(err, CORAS_ERR_UNSAFE_ARCHIVE), "hard link %s",
                          shown.ptr);
    if (S_ISLNK(st.st_mode))
        return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "hard link target %s is a symbolic link",
                          shown.ptr);
    *ret_fd = fd;
    fd = -1;
    return 0;
}

static int make_hard_link(struct coras_tree *tree, const char *rel, const coras_tar_entry *entry,
                          coras_error **err)
{
    coras_auto_buf target = CORAS_BUF_UNLIMITED;
    coras_auto_fd from = -1;
    int dirfd;
    const char *leaf;
    CORAS_TRY(coras_tree_beneath_title(tree, entry->link, &target, err));
    if (coras_streq(target.ptr, rel))
        return 0;
    CORAS_TRY(open_link_target(tree, target.ptr, entry->link, &from, err));
    if (*rel == 0)
        return coras_tree_fail_system(tree, EEXIST, "link", rel, err);
    CORAS_TRY(open_parent(tree, rel, true, &dirfd, &leaf, err));
    CORAS_TRY(remove_old(tree, dirfd, leaf, rel, false, err));
    const char *slash = strrchr(target.ptr, '/');
    if (linkat(from, slash ? slash + 1 : target.ptr, dirfd, leaf, 0) < 0)
        return coras_tree_fail_system(tree, errno, "link", rel, err);
    return 0;
}

/* ---- symbolic links ---- */

static long count_slashes(const char *s)
{
    long n = 0;
    for (; *s; s++)
        n += *s == '/';
    return n;
}

/* Upstream names the place that the link leads to. */
static int fail_link_outside(const struct coras_tree *tree, const char *rel, const char *target,
                             coras_error **err)
{
    const char *slash = strrchr(rel, '/');
    coras_auto_buf joined = CORAS_BUF_UNLIMITED;
    if (*target != '/') {
        coras_buf_puts(&joined, tree->target_path);
        coras_buf_puts(&joined, *rel ? "/" : "/../");
        coras_buf_put(&joined, rel, slash ? (size_t)(slash - rel) : 0);
        coras_buf_putc(&joined, '/');
    }
    coras_buf_puts(&joined, target);
    coras_auto_free char *resolved = coras_path_clean(joined.ptr);
    return coras_tree_fail_outside(tree, resolved ? resolved : target, err);
}

static int remember_link(struct coras_tree *tree, const char *rel, const char *target,
                         coras_error **err)
{
    const struct coras_note note = {.path = rel, .target = target};

    return coras_notes_add(&tree->links, tree->root_fd, &note, err);
}

static int make_symlink(struct coras_tree *tree, const char *rel, const coras_tar_entry *entry,
                        coras_error **err)
{
    enum coras_link_verdict verdict = coras_judge_link(entry->link, count_slashes(rel));
    if (*rel == 0 || verdict == CORAS_LINK_OUTSIDE)
        return fail_link_outside(tree, rel, entry->link, err);
    if (verdict == CORAS_LINK_ASK_KERNEL)
        CORAS_TRY(remember_link(tree, rel, entry->link, err));
    int dirfd;
    const char *leaf;
    CORAS_TRY(open_parent(tree, rel, true, &dirfd, &leaf, err));
    if (symlinkat(entry->link, dirfd, leaf) == 0)
        return 0;
    if (errno != EEXIST)
        return coras_tree_fail_system(tree, errno, "symlink", rel, err);
    CORAS_TRY(remove_old(tree, dirfd, leaf, rel, true, err));
    if (symlinkat(entry->link, dirfd, leaf) < 0)
        return coras_tree_fail_system(tree, errno, "symlink", rel, err);
    return 0;
}

/* Bytes of a link's target up to its last "..": what follows only goes down. */
static size_t length_to_last_up(const char *target)
{
    size_t ret = 0;
    for (const char *s = target; (s = strstr(s, "..")) != NULL; s += 2)
        if ((s == target || s[-1] == '/') && (s[2] == 0 || s[2] == '/'))
            ret = (size_t)(s + 2 - target);
    return ret;
}

/* Whether the kernel can go there and stays beneath the root. */
static bool leads_inside(int root_fd, const char *path)
{
    coras_auto_fd fd = coras_follow_beneath(root_fd, path, O_PATH, 0);

    return fd >= 0;
}

static int fail_leads_out(const struct coras_tree *tree, const char *rel, coras_error **err)
{
    coras_auto_buf name = CORAS_BUF_UNLIMITED, text = CORAS_BUF_UNLIMITED;
    coras_buf_printf(&name, "%s/%s", tree->title, rel);
    coras_buf_puts(&text, "symbolic link ");
    coras_tree_put_quoted(&text, name.ptr);
    coras_buf_puts(&text, " leads out of ");
    coras_tree_put_quoted(&text, tree->title);
    return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "%s", text.ptr);
}

static int check_link(void *user, const struct coras_note *link, coras_error **err)
{
    const struct coras_tree *tree = user;
    coras_auto_buf way = CORAS_BUF_UNLIMITED;
    char now[CORAS_LIMIT_PATH + 1];
    ssize_t n = readlinkat(tree->root_fd, link->path, now, sizeof(now) - 1);
    const char *slash = strrchr(link->path, '/');

    /* A later member may have taken the link's place. */
    if (n < 0 || (size_t)n != strlen(link->target) || memcmp(now, link->target, (size_t)n) != 0)
        return 0;
    coras_buf_put(&way, link->path, slash ? (size_t)(slash + 1 - link->path) : 0);
    coras_buf_put(&way, link->target, length_to_last_up(link->target));
    CORAS_TRY(coras_buf_done(&way, err));
    return leads_inside(tree->root_fd, way.ptr) ? 0 : fail_leads_out(tree, link->path, err);
}

int coras_tree_check_links(struct coras_tree *tree, coras_error **err)
{
    return coras_notes_each(&tree->links, false, check_link, tree, err);
}

/* ---- all kinds ---- */

/* None is made, and what lacks one would not be what was packed. */
static int refuse_special(const char *name, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    coras_tree_put_quoted(&text, name);
    coras_buf_puts(&text, " is neither a file nor a directory nor a link");
    return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "%s", text.ptr);
}

int coras_tree_make(struct coras_tree *tree, const coras_tar_entry *entry, int *ret_fd,
                    coras_error **err)
{
    coras_auto_buf rel = CORAS_BUF_UNLIMITED;
    CORAS_TRY(coras_tree_beneath_title(tree, entry->name, &rel, err));
    *ret_fd = -1;
    switch (entry->type) {
    case CORAS_TAR_FILE:
        return make_file(tree, rel.ptr, entry, ret_fd, err);
    case CORAS_TAR_DIRECTORY:
        return make_dir(tree, rel.ptr, entry, err);
    case CORAS_TAR_SYMLINK:
        return make_symlink(tree, rel.ptr, entry, err);
    case CORAS_TAR_HARD_LINK:
        return make_hard_link(tree, rel.ptr, entry, err);
    default:
        return refuse_special(entry->name, err);
    }
}

struct finishing {
    const struct coras_tree *tree;
    int root_fd;
};

/* -1 without an error: a later member took its place, or it is one of before and not ours. */
static int open_made(const struct finishing *f, const char *path, int *ret, coras_error **err)
{
    coras_auto_fd place = -1;
    coras_auto(coras_error) gone = NULL;
    int rc = walk_from(f->tree, f->root_fd, path, false, path, &place, &gone);

    if (rc == CORAS_ERR_NO_MEMORY)
        return coras_fail_no_memory(err);
    *ret = rc < 0 ? -1 : openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return 0;
}

static int set_times(void *user, const struct coras_note *dir, coras_error **err)
{
    const struct finishing *f = user;
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                      {.tv_sec = dir->mtime_s, .tv_nsec = dir->mtime_ns}};
    coras_auto_fd fd = -1;

    CORAS_TRY(open_made(f, dir->path, &fd, err));
    if (fd >= 0 && futimens(fd, times) < 0)
        return coras_tree_fail_system(f->tree, errno, "chtimes", dir->path, err);
    return 0;
}

static int set_mode(void *user, const struct coras_note *dir, coras_error **err)
{
    const struct finishing *f = user;
    coras_auto_fd fd = -1;

    if (dir->mode < 0)
        return 0;
    CORAS_TRY(open_made(f, dir->path, &fd, err));
    if (fd >= 0 && fchmod(fd, (mode_t)dir->mode) < 0)
        return coras_tree_fail_system(f->tree, errno, "chmod", dir->path, err);
    return 0;
}

/* Of two members of one name the later counts. A directory with a mode of its own was made before
 * what is in it, which cannot be reached once the mode is set: the last come first. */
int coras_tree_finish_dirs(struct coras_tree *tree, int root_fd, coras_error **err)
{
    struct finishing f = {tree, root_fd};

    CORAS_TRY(coras_notes_each(&tree->dirs, false, set_times, &f, err));
    return tree->has_modes ? coras_notes_each(&tree->dirs, true, set_mode, &f, err) : 0;
}
