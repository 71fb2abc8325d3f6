/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacking one archive: into a stage, and from there to its target.
 */
#include "archive/unpack.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/str.h"
#include "archive/unpack_members.h"

struct unpacking {
    const struct coras_unpack_request *request;
    struct coras_tree tree;
};

static void unpacking_clear(struct unpacking *u)
{
    coras_tree_clear(&u->tree);
}

/* ---- the target ---- */

/* What stands under the target's name: 0 nothing, S_IFDIR, S_IFLNK; anything else is refused. */
static int look_at_target(const struct coras_unpack_request *r, const char *shown, mode_t *ret,
                          coras_error **err)
{
    struct stat st;
    if (fstatat(r->parent_dirfd, r->dirname, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno != ENOENT)
            return coras_fail_errno(err, errno, "lstat %s", shown);
        st.st_mode = 0;
    } else if (!S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode)) {
        return coras_fail_errno(err, ENOTDIR, "mkdir %s", shown);
    }
    *ret = st.st_mode & S_IFMT;
    return 0;
}

/* Where the target goes is another file system than the stage: the tree is copied beside it. */
static int fill_beside(struct unpacking *u, const char *beside, const char *shown,
                       coras_error **err)
{
    const struct coras_unpack_request *r = u->request;
    struct stat st;
    coras_auto_fd fd =
        openat(r->parent_dirfd, beside, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(u->tree.root_fd, &st) < 0)
        return coras_fail_errno(err, errno, "open %s", shown);
    CORAS_TRY(coras_tree_merge(u->tree.root_fd, fd, u->tree.title, false, err));
    CORAS_TRY(coras_tree_finish_dirs(&u->tree, fd, err));
    if (fchmod(fd, st.st_mode & 0777) < 0)
        return coras_fail_errno(err, errno, "chmod %s", shown);
    return r->no_sync ? 0 : coras_sync_file_system(fd, shown, err);
}

static int publish_across(struct unpacking *u, const char *shown, coras_error **err)
{
    const struct coras_unpack_request *r = u->request;
    char beside[CORAS_TEMP_NAME_BYTES];
    if (coras_temp_mkdir(r->parent_dirfd, beside) < 0)
        return coras_fail_errno(err, errno, "mkdir %s", shown);
    int rc = fill_beside(u, beside, shown, err);
    if (rc == 0 && renameat(r->parent_dirfd, beside, r->parent_dirfd, r->dirname) < 0)
        rc = coras_fail_errno(err, errno, "rename %s", shown);
    if (rc < 0)
        (void)!coras_remove_all(r->parent_dirfd, beside, NULL); /* the failure is on its way */
    return rc;
}

static int publish_new(struct unpacking *u, int stage_fd, const char *shown, coras_error **err)
{
    const struct coras_unpack_request *r = u->request;
    CORAS_TRY(coras_tree_finish_dirs(&u->tree, u->tree.root_fd, err));
    if (renameat(stage_fd, "root", r->parent_dirfd, r->dirname) == 0)
        return 0;
    return errno == EXDEV ? publish_across(u, shown, err)
                          : coras_fail_errno(err, errno, "rename %s", shown);
}

static int publish_into(struct unpacking *u, const char *shown, coras_error **err)
{
    const struct coras_unpack_request *r = u->request;
    coras_auto_fd fd =
        openat(r->parent_dirfd, r->dirname, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return coras_fail_errno(err, errno, "open %s", shown);
    CORAS_TRY(coras_tree_merge(u->tree.root_fd, fd, u->tree.title, true, err));
    CORAS_TRY(coras_tree_finish_dirs(&u->tree, fd, err));
    /* What was merged has got its names in any of the directories below the target. */
    return r->no_sync ? 0 : coras_sync_file_system(fd, shown, err);
}

static int publish(struct unpacking *u, int stage_fd, coras_error **err)
{
    const struct coras_unpack_request *r = u->request;
    const char *shown = u->tree.target_path;
    mode_t old;
    CORAS_TRY(look_at_target(r, shown, &old, err));
    if (!r->no_sync)
        CORAS_TRY(coras_sync_file_system(stage_fd, shown, err));
    if (old == S_IFDIR)
        return publish_into(u, shown, err);
    if (old == S_IFLNK && unlinkat(r->parent_dirfd, r->dirname, 0) < 0)
        return coras_fail_errno(err, errno, "remove %s", shown);
    CORAS_TRY(publish_new(u, stage_fd, shown, err));
    return r->no_sync ? 0 : coras_fsync(r->parent_dirfd, shown, err);
}

static int check_reserved(const struct coras_unpack_request *r, int root_fd, coras_error **err)
{
    struct stat st;
    if (!r->reserved || fstatat(root_fd, r->reserved, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "\"%s\" is a reserved name", r->reserved);
}

static int unpack_into(const struct coras_unpack_request *r, int stage_fd, int root_fd,
                       const char *title, coras_error **err)
{
    const struct coras_archive_input input = {.fd = r->blob_fd,
                                              .size = r->size,
                                              .compression = CORAS_COMPRESSION_GZIP,
                                              .tar_digest = r->tar_digest,
                                              .cancel = r->cancel};
    __attribute__((cleanup(unpacking_clear))) struct unpacking u = {.request = r};
    coras_tree_init(&u.tree, root_fd, title, r->target_path ? r->target_path : title);
    CORAS_TRY(coras_unpack_members(&input, &u.tree, err));
    CORAS_TRY(coras_tree_check_links(&u.tree, err));
    CORAS_TRY(check_reserved(r, root_fd, err));
    return publish(&u, stage_fd, err);
}

/*
 * The stage is two directories: the outer one keeps others out, the inner one gets the mode that
 * the target will have.
 */
static int unpack_staged(const struct coras_unpack_request *r, const char *stage, const char *title,
                         coras_error **err)
{
    coras_auto_fd stage_fd =
        openat(r->stage_dirfd, stage, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (stage_fd < 0 || mkdirat(stage_fd, "root", 0777) < 0)
        return coras_fail_errno(err, errno, "mkdir %s", stage);
    coras_auto_fd root_fd = openat(stage_fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root_fd < 0)
        return coras_fail_errno(err, errno, "open %s", stage);
    return unpack_into(r, stage_fd, root_fd, title, err);
}

int coras_unpack(const struct coras_unpack_request *request, coras_error **err)
{
    assert(*request->dirname && !strchr(request->dirname, '/'));
    coras_auto_free char *title = coras_path_clean(request->title);
    char stage[CORAS_TEMP_NAME_BYTES];
    mode_t old;

    if (!title)
        return coras_fail_no_memory(err);
    CORAS_TRY(
        look_at_target(request, request->target_path ? request->target_path : title, &old, err));
    if (coras_temp_mkdir(request->stage_dirfd, stage) < 0)
        return coras_fail_errno(err, errno, "mkdir %s", stage);
    int rc = unpack_staged(request, stage, title, err);
    /* A stage that cannot be removed is told of unless there is a worse thing to tell. */
    coras_auto(coras_error) leftover = NULL;
    int removed = coras_remove_all(request->stage_dirfd, stage, &leftover);
    if (rc == 0 && removed < 0) {
        coras_error_propagate(err, &leftover);
        rc = removed;
    }
    return rc;
}
