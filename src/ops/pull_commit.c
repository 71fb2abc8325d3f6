/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Staged content gets its final names: in which order things are synced and renamed, and what is
 * taken away when that fails.
 */
#include "ops/pull_commit.h"

#include <errno.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/str.h"
#include "base/vec.h"
#include "base/trace.h"
#include "transfer/digest_cache.h"
#include "oci/digest.h"
#include "ops/pull_clashes.h"
#include "ops/pull_share.h"
#include "ops/pull_prepare.h"
#include "archive/unpack.h"

/* The directory that holds the place (owned), and the name in it. */
static int open_parent(coras_workdir *w, const coras_place *p, int *ret_dirfd,
                       const char **ret_name, coras_error **err)
{
    if (p->is_root) {
        *ret_name = ".";
        *ret_dirfd = openat(w->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return *ret_dirfd < 0 ? coras_fail_errno(err, errno, "open %s", p->absolute) : 0;
    }
    if (p->relative && !w->opts->allow_path_traversal) {
        int rc =
            coras_open_parent_beneath(w->dirfd, p->relative, w->dir_mode, ret_dirfd, ret_name, err);
        return rc < 0 ? coras_wrap(err, rc, "failed to ensure directories of the target path") : 0;
    }
    const char *slash = strrchr(p->absolute, '/');
    coras_auto_free char *dir =
        coras_strndup(p->absolute, slash == p->absolute ? 1 : (size_t)(slash - p->absolute));
    if (!dir)
        return coras_fail_no_memory(err);
    int rc = coras_mkdir_all(AT_FDCWD, dir, w->dir_mode, err);
    if (rc < 0)
        return coras_wrap(err, rc, "failed to ensure directories of the target path");
    *ret_dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*ret_dirfd < 0)
        return coras_fail_errno(err, errno, "open %s", dir);
    *ret_name = slash + 1;
    return 0;
}

static int open_staged(coras_workdir *w, const coras_descriptor *desc, int *ret_fd, char **ret_name,
                       coras_error **err)
{
    int stagefd = -1;
    CORAS_TRY(coras_workdir_stage(w, desc, &stagefd, ret_name, err));
    *ret_fd = openat(stagefd, *ret_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (*ret_fd < 0)
        return coras_fail_errno(err, errno, "open %s", *ret_name);
    return 0;
}

/* Whether the bytes come from a file that has its place already. */
static bool is_copy(const coras_place *p)
{
    return p->same_as && !p->same_as->is_opaque;
}

/*
 * All content is synced before any name is given: the first fsync makes the file system commit what
 * the others wrote too, so a thousand small files do not cost a thousand commits.
 */
static int sync_staged(coras_workdir *w, coras_error **err)
{
    for (size_t i = 0; i < w->places.len; i++) {
        const coras_place *p = w->places.items[i];
        coras_auto_free char *name = NULL;
        coras_auto_fd fd = -1;
        if (p->right || p->unpack || p->in_tree || p->prepared[0] || is_copy(p))
            continue;
        CORAS_TRY(coras_run_check(w->run, err));
        coras_auto(coras_error) failure = NULL;
        int rc = open_staged(w, &p->desc, &fd, &name, &failure);
        if (rc == 0) {
            rc = coras_fsync(fd, name, &failure);
            w->partials_spoilt |= rc < 0;
        }
        if (rc < 0 && rc != CORAS_ERR_NOT_FOUND) { /* see place_staged() for what is not there */
            coras_error_propagate(err, &failure);
            return rc;
        }
    }
    return 0;
}

/* ---- one place ---- */

/* A copy of an open file under a temporary name in `dirfd`. */
static int copy_beside(coras_workdir *w, int from, const coras_place *p, int dirfd,
                       char name[static CORAS_TEMP_NAME_BYTES], coras_error **err)
{
    coras_auto_fd to = coras_temp_create(dirfd, O_WRONLY, w->file_mode, name);
    if (to < 0)
        return coras_fail_errno(err, errno, "open %s", name);
    int rc = coras_copy_content(from, to, err);
    if (rc == 0)
        rc = coras_place_set_recorded(p, to, err);
    if (rc == 0 && !w->run->options->no_sync)
        rc = coras_fsync(to, name, err);
    if (rc < 0) {
        (void)unlinkat(dirfd, name, 0); /* the failure is already on its way */
        return rc;
    }
    return 0;
}

static int rename_into(int from_dirfd, const char *from, int dirfd, const char *name,
                       const coras_place *p, coras_error **err)
{
    if (renameat(from_dirfd, from, dirfd, name) == 0)
        return 0;
    return coras_fail_errno(err, errno, "failed to create file %s: rename", p->absolute);
}

/* Across file systems (a mount point below the output directory) rename cannot move. */
static int copy_into(coras_workdir *w, int fd, int dirfd, const char *name, const coras_place *p,
                     coras_error **err)
{
    char copy[CORAS_TEMP_NAME_BYTES];

    CORAS_TRY(copy_beside(w, fd, p, dirfd, copy, err));
    int rc = rename_into(dirfd, copy, dirfd, name, p, err);
    if (rc < 0)
        (void)unlinkat(dirfd, copy, 0); /* the failure is already on its way */
    return rc;
}

/* What the digest memory needs: nobody else could write the file before, every write after is seen.
 */
static void note_state(const coras_workdir *w, coras_place *p, int fd)
{
    if (p->desc.size < CORAS_DIGEST_CACHE_MIN_BYTES || w->run->options->no_sync)
        return;
    p->is_synced_state = fstat(fd, &p->state) == 0 && p->state.st_size == p->desc.size &&
                         coras_file_state_is_past(&p->state);
}

/* `old`: what stands under the name; NULL: nothing */
static int place_staged(coras_workdir *w, coras_place *p, int dirfd, const char *name,
                        const struct stat *old, coras_error **err)
{
    coras_auto_free char *staged = NULL;
    coras_auto_fd fd = -1;

    coras_auto(coras_error) failure = NULL;
    int rc = open_staged(w, &p->desc, &fd, &staged, &failure);
    if (rc == CORAS_ERR_NOT_FOUND && coras_workdir_is_right(w, p))
        return 0; /* another pull of the same content was quicker */
    if (rc < 0) {
        coras_error_propagate(err, &failure);
        return rc;
    }
    CORAS_TRY(coras_place_set_recorded(p, fd, err));
    if (!p->entry && old && S_ISREG(old->st_mode)) /* it keeps its mode, as if it were rewritten */
        (void)fchmod(fd, old->st_mode & 0777);
    if (renameat(w->stagefd, staged, dirfd, name) == 0) {
        note_state(w, p, fd);
        return 0;
    }
    int errnum = errno;
    if (errnum == ENOENT && coras_workdir_is_right(w, p))
        return 0; /* the other pull, a moment ago */
    if (errnum != EXDEV)
        return coras_fail_errno(err, errnum, "failed to create file %s: rename", p->absolute);
    return copy_into(w, fd, dirfd, name, p, err);
}

/* It is complete and synced. */
static int place_prepared(coras_workdir *w, const coras_place *p, int dirfd, const char *name,
                          coras_error **err)
{
    coras_auto_fd fd = -1;

    if (renameat(w->stagefd, p->prepared, dirfd, name) == 0)
        return 0;
    if (errno != EXDEV)
        return coras_fail_errno(err, errno, "failed to create file %s: rename", p->absolute);
    fd = openat(w->stagefd, p->prepared, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? coras_fail_errno(err, errno, "open %s", p->prepared)
                  : copy_into(w, fd, dirfd, name, p, err);
}

static int open_original(coras_workdir *w, const coras_place *p, int *ret_fd, coras_error **err)
{
    coras_auto_fd holder = -1;
    const char *name = NULL;

    CORAS_TRY(open_parent(w, p->same_as, &holder, &name, err));
    *ret_fd = openat(holder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    return *ret_fd < 0 ? coras_fail_errno(err, errno, "open %s", p->same_as->absolute) : 0;
}

static int place_copy(coras_workdir *w, const coras_place *p, int dirfd, const char *name,
                      coras_error **err)
{
    coras_auto_fd fd = -1;
    CORAS_TRY(open_original(w, p, &fd, err));
    if (w->shares && coras_link_open_file(fd, dirfd, name))
        return 0;
    return copy_into(w, fd, dirfd, name, p, err);
}

static int unpack_staged(coras_workdir *w, const coras_place *p, int dirfd, const char *name,
                         coras_error **err)
{
    const char *text = coras_annotations_get(&p->desc.annotations, CORAS_ANN_CONTENT_DIGEST);
    coras_auto_free char *staged = NULL;
    coras_auto_fd fd = -1;
    coras_digest tar_digest;

    if (is_copy(p)) { /* perhaps nothing was staged: that file was right already */
        int stagefd = -1;
        CORAS_TRY(coras_workdir_stage(w, &p->desc, &stagefd, &staged, err));
        CORAS_TRY(open_original(w, p, &fd, err));
    } else {
        CORAS_TRY(open_staged(w, &p->desc, &fd, &staged, err));
    }
    bool known = text && coras_digest_parse(text, &tar_digest, NULL) == 0;
    struct coras_unpack_request request = {.blob_fd = fd,
                                           .size = p->desc.size,
                                           .parent_dirfd = dirfd,
                                           .stage_dirfd = w->stagefd,
                                           .dirname = name,
                                           .title = p->title,
                                           .target_path = p->absolute,
                                           .tar_digest = known ? &tar_digest : NULL,
                                           .reserved = p->is_root ? CORAS_STAGE_NAME : NULL,
                                           .no_sync = w->run->options->no_sync,
                                           .cancel = &w->run->stop};
    int rc = coras_unpack(&request, err);
    if (rc < 0)
        return coras_wrap(err, rc, "failed to extract tar to %s", p->absolute);
    return 0;
}

static int place_one(coras_workdir *w, coras_taken *taken, coras_place *p, coras_error **err)
{
    coras_auto_fd dirfd = -1;
    const char *name = NULL;
    struct stat st;

    CORAS_TRY(coras_run_check(w->run, err));
    CORAS_TRY(open_parent(w, p, &dirfd, &name, err));
    const struct stat *old = fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? &st : NULL;
    int rc = old ? coras_taken_check(taken, p, old, err) : 0;
    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (p->unpack)
        rc = unpack_staged(w, p, dirfd, name, err);
    else if (p->prepared[0])
        rc = place_prepared(w, p, dirfd, name, err);
    else if (is_copy(p))
        rc = place_copy(w, p, dirfd, name, err);
    else
        rc = place_staged(w, p, dirfd, name, old, err);
    if (rc < 0)
        return rc;
    p->placed = true;
    return coras_taken_add(taken, p, dirfd, name, err);
}

/* A file that has the right bytes. One that has other names is left alone: they may be the cache's.
 */
static int correct_mode(coras_workdir *w, const coras_place *p, coras_error **err)
{
    coras_auto_fd dirfd = -1;
    const char *name = NULL;
    struct stat st;

    CORAS_TRY(open_parent(w, p, &dirfd, &name, err));
    coras_auto_fd fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return coras_fail_errno(err, errno, "open %s", p->absolute);
    return S_ISREG(st.st_mode) && st.st_nlink == 1 ? coras_place_set_recorded(p, fd, err) : 0;
}

/* ---- all of them ---- */

/* Where the place's name is, and where those of the directories are that were made for it. */
static int sync_above(coras_workdir *w, const coras_place *p, coras_map *synced, coras_error **err)
{
    coras_auto_free char *dir = coras_strdup(p->absolute);
    coras_auto_fd dirfd = -1;
    const char *name = NULL;

    if (!dir)
        return coras_fail_no_memory(err);
    for (unsigned level = 0; level <= p->missing_dirs; level++) {
        *strrchr(dir, '/') = '\0';
        if (coras_map_has(synced, dir))
            continue;
        CORAS_TRY(coras_map_set(synced, dir, w, err));
        if (level > 0) {
            CORAS_TRY(coras_sync_directory(AT_FDCWD, *dir ? dir : "/", err));
            continue;
        }
        CORAS_TRY(open_parent(w, p, &dirfd, &name, err));
        CORAS_TRY(coras_fsync(dirfd, dir, err));
    }
    return 0;
}

/* Last, when little is left to write: the file system has committed most of it for the files. */
static int sync_names(coras_workdir *w, coras_error **err)
{
    coras_auto(coras_map) synced = coras_map_new(NULL);

    if (!synced)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < w->places.len; i++)
        if (w->places.items[i]->placed)
            CORAS_TRY(sync_above(w, w->places.items[i], synced, err));
    /* An artifact without files makes no output directory. */
    return w->dirfd < 0 ? 0 : coras_sync_parents(w->absolute, w->missing_dirs, err);
}

/* So that pulling or pushing the same files again need not read them. */
static void remember_digests(const coras_workdir *w)
{
    const char *cache_dir = coras_run_environment(w->run)->cache_dir;

    for (size_t i = 0; i < w->places.len; i++) {
        const coras_place *p = w->places.items[i];
        if (!p->is_synced_state)
            continue;
        coras_auto_fd fd = open(p->absolute, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd >= 0)
            coras_digest_cache_put(cache_dir, fd, &p->state, &p->desc.digest);
    }
}

int coras_place_files(coras_workdir *w, coras_error **err)
{
    bool sync = !w->run->options->no_sync;
    coras_auto(coras_map) taken = NULL;

    CORAS_TRY(coras_check_nesting(w, err));
    CORAS_TRY(coras_prepare_places(w, err));
    if (sync)
        CORAS_TRY(sync_staged(w, err));
    CORAS_TRY(coras_taken_new(w, &taken, err));
    for (size_t i = 0; i < w->places.len; i++) {
        coras_place *p = w->places.items[i];
        if (!p->right && !p->in_tree)
            CORAS_TRY(place_one(w, taken, p, err));
        else if (p->has_other_mode)
            CORAS_TRY(correct_mode(w, p, err));
    }
    if (w->layers)
        CORAS_TRY(coras_layers_publish(w->layers, w->dirfd, !sync, err));
    if (sync)
        CORAS_TRY(sync_names(w, err));
    remember_digests(w);
    return 0;
}

/* Open the directory that holds `path`, which is cut there, without making anything. */
static int open_holder(const coras_workdir *w, char *path, int *ret_dirfd, const char **ret_name,
                       coras_error **err)
{
    enum { FLAGS = O_PATH | O_DIRECTORY | O_CLOEXEC };
    char *slash = strrchr(path, '/');
    bool at_top = !slash || slash == path;

    *ret_name = slash ? slash + 1 : path;
    if (!at_top)
        *slash = '\0';
    if (!at_top && *path != '/')
        return coras_open_beneath(w->dirfd, path, FLAGS, 0, ret_dirfd, err);
    *ret_dirfd = openat(w->dirfd, !slash ? "." : at_top ? "/" : path, FLAGS);
    return *ret_dirfd < 0 ? coras_fail_errno(err, errno, "open %s", path) : 0;
}

/* The file, and then the directories above it that are new and empty. */
static int take_away(const coras_workdir *w, const coras_place *p, coras_error **err)
{
    bool contained = p->relative && !w->opts->allow_path_traversal;
    coras_auto_free char *path = coras_strdup(contained ? p->relative : p->absolute);

    if (!path)
        return coras_fail_no_memory(err);
    for (unsigned level = 0; level <= p->missing_dirs; level++) {
        coras_auto_fd dirfd = -1;
        const char *name = NULL;
        CORAS_TRY(open_holder(w, path, &dirfd, &name, err));
        if (level == 0 && p->placed)
            CORAS_TRY(coras_remove_all(dirfd, name, err));
        if (level > 0 && unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
            return 0; /* somebody else's file is in it */
    }
    return 0;
}

void coras_take_files_away(coras_workdir *w)
{
    for (size_t i = 0; i < w->places.len; i++) {
        const coras_place *p = w->places.items[i];
        coras_auto(coras_error) failure = NULL;
        if (p->existed || p->is_root)
            continue;
        int rc = take_away(w, p, &failure);
        if (rc < 0 && p->placed && rc != CORAS_ERR_NOT_FOUND)
            coras_trace_warning(NULL, "failed to remove partial output: %s",
                                coras_error_message(failure));
    }
}
