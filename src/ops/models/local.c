/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Local files as a model: one file, or a directory with everything below it that is a model's.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"
#include "ops/hub_cache.h"
#include "ops/models/layers.h"

enum { OPEN_FLAGS = O_RDONLY | O_NONBLOCK | O_CLOEXEC }; /* a FIFO must not hold us */

struct local_walk {
    coras_model *model;
    char *hub_blobs; /* where links of a hub's snapshot lead; or NULL */
};

/* What git, the hub and desktops keep beside a model. */
static bool is_foreign(const char *name)
{
    static const char *const names[] = {".git", ".cache", ".DS_Store"};

    for (size_t i = 0; i < CORAS_ARRAY_LEN(names); i++)
        if (coras_streq(name, names[i]))
            return true;
    return coras_str_ends(name, ".incomplete") || coras_str_ends(name, ".lock");
}

static int leave_out(const struct local_walk *w, const char *path, const char *why,
                     coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    if (w->model->warnings.len >= CORAS_LIMIT_MODEL_WARNINGS)
        return 0;
    coras_escape(&text, path, strlen(path), CORAS_LIMIT_COMPONENT);
    coras_buf_printf(&text, ": %s", why);
    CORAS_TRY(coras_buf_done(&text, err));
    return coras_strlist_add(&w->model->warnings, text.ptr, err);
}

static int add_file(const struct local_walk *w, const char *path, int64_t size, coras_error **err)
{
    coras_model_files *files = &w->model->files;
    coras_auto_free char *copy = coras_strdup(path);

    if (files->len >= CORAS_LIMIT_MODEL_FILES)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "more than %d files", CORAS_LIMIT_MODEL_FILES);
    if (!copy || coras_vec_grow(files, 1) < 0)
        return coras_fail_no_memory(err);
    files->items[files->len++] = (coras_model_file){.path = coras_steal(&copy), .size = size};
    return 0;
}

/* ---- links ---- */

/* Whether the link at `path` leads to a file that belongs to the directory. */
static bool is_own_link(const struct local_walk *w, const char *path)
{
    coras_auto_fd fd = -1;
    char real[CORAS_LIMIT_PATH + 1];

    if (coras_open_beneath(w->model->rootfd, path, OPEN_FLAGS, 0, &fd, NULL) == 0)
        return true;
    coras_auto_free char *full = coras_path_join(w->model->reference, path);
    if (!w->hub_blobs || !full || !realpath(full, real))
        return false;
    size_t len = strlen(w->hub_blobs);
    return strncmp(real, w->hub_blobs, len) == 0 && real[len] == '/';
}

static int note_stray(const struct local_walk *w, const char *path, coras_error **err)
{
    char target[CORAS_LIMIT_PATH + 1];
    ssize_t len = readlinkat(w->model->rootfd, path, target, sizeof(target) - 1);

    target[len > 0 ? len : 0] = '\0';
    return coras_model_add_stray(&w->model->files, path, target, err);
}

static int add_link(const struct local_walk *w, const char *path, coras_error **err)
{
    struct stat st;

    if (!is_own_link(w, path)) {
        CORAS_TRY(note_stray(w, path, err));
        return leave_out(w, path, "left out, a link that leads out of the directory", err);
    }
    if (fstatat(w->model->rootfd, path, &st, 0) < 0)
        return leave_out(w, path, "left out, a link to nothing", err);
    if (!S_ISREG(st.st_mode))
        return leave_out(w, path, "left out, a link to what is no file", err);
    return add_file(w, path, st.st_size, err);
}

/* ---- the walk ---- */

static int walk_directory(const struct local_walk *w, const char *path, int depth,
                          coras_error **err);

static int add_entry(const struct local_walk *w, const char *path, int depth, coras_error **err)
{
    struct stat st;

    if (fstatat(w->model->rootfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        int saved = errno;
        coras_auto_free char *shown = coras_escape_dup(path);
        return coras_fail_errno(err, saved, "stat %s", shown ? shown : "");
    }
    if (S_ISREG(st.st_mode))
        return add_file(w, path, st.st_size, err);
    if (S_ISDIR(st.st_mode))
        return walk_directory(w, path, depth + 1, err);
    if (S_ISLNK(st.st_mode))
        return add_link(w, path, err);
    return leave_out(w, path, "left out, since it is no file", err);
}

static int walk_directory(const struct local_walk *w, const char *path, int depth,
                          coras_error **err)
{
    coras_auto_value(coras_strlist) names = {0};
    coras_auto_fd dir = openat(w->model->rootfd, *path ? path : ".", OPEN_FLAGS | O_DIRECTORY);

    if (dir < 0) {
        int saved = errno;
        coras_auto_free char *shown = coras_escape_dup(path);
        return coras_fail_errno(err, saved, "open %s", shown ? shown : "");
    }
    if (depth > CORAS_LIMIT_MODEL_DEPTH)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "directories in directories, more than %d deep",
                          CORAS_LIMIT_MODEL_DEPTH);
    CORAS_TRY(coras_cancel_check(w->model->run.cancel, err));
    CORAS_TRY(coras_list_directory(dir, path, &names, err));
    for (size_t i = 0; i < names.len; i++) {
        if (is_foreign(names.items[i]))
            continue;
        coras_auto_free char *below = coras_path_join(path, names.items[i]);
        if (!below)
            return coras_fail_no_memory(err);
        CORAS_TRY(add_entry(w, below, depth, err));
    }
    return 0;
}

/* ---- the calls ---- */

static int open_root(coras_model *m, const char *path, coras_error **err)
{
    m->rootfd = open(path, OPEN_FLAGS | O_DIRECTORY);
    if (m->rootfd < 0) {
        int saved = errno;
        coras_auto_free char *shown = coras_escape_dup(path);
        return coras_fail_errno(err, saved, "open %s", shown ? shown : "");
    }
    return 0;
}

static int list_one(coras_model *m, const char *path, int64_t size, coras_error **err)
{
    const struct local_walk w = {.model = m};
    coras_auto_free char *clean = coras_path_clean(path);
    coras_auto_free char *dir = clean ? coras_path_join(clean, "..") : NULL;

    if (!dir)
        return coras_fail_no_memory(err);
    CORAS_TRY(open_root(m, *dir ? dir : ".", err));
    return add_file(&w, coras_path_base(clean), size, err);
}

static int list_all(coras_model *m, const char *path, coras_error **err)
{
    coras_auto_free char *absolute = coras_path_abs(path);
    coras_auto_free char *hub_blobs = absolute ? coras_hub_blobs_of(absolute) : NULL;
    const struct local_walk w = {m, hub_blobs};

    CORAS_TRY(open_root(m, path, err));
    return walk_directory(&w, "", 0, err);
}

int coras_model_list_local(coras_model *m, const char *path, coras_error **err)
{
    struct stat st;

    if (stat(path, &st) < 0) {
        int saved = errno;
        coras_auto_free char *shown = coras_escape_dup(path);
        return coras_fail_errno(err, saved, "stat %s", shown ? shown : "");
    }
    if (S_ISDIR(st.st_mode))
        return list_all(m, path, err);
    if (S_ISREG(st.st_mode))
        return list_one(m, path, st.st_size, err);
    return coras_fail(err, CORAS_ERR_UNSUPPORTED, "neither a directory nor a file");
}

int coras_model_open_local(const coras_model *m, const coras_model_file *f, int *ret_fd,
                           coras_error **err)
{
    struct stat st;
    coras_auto_fd fd = openat(m->rootfd, f->path, OPEN_FLAGS);

    if (fd < 0 || fstat(fd, &st) < 0)
        return coras_fail_errno(err, errno, "open");
    if (!S_ISREG(st.st_mode))
        return coras_fail(err, CORAS_ERR_CHANGED, "no file any more");
    *ret_fd = fd;
    fd = -1;
    return 0;
}
