/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking a directory for the files of a model (dir.h).
 */
#include "ops/models/dir.h"

#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/vec.h"
#include "ops/hub_cache.h"

struct model_dir_walk {
    const coras_selection *selection; /* or NULL */
    const coras_cancel *cancel;
    int root;              /* the directory; borrowed */
    const char *directory; /* its real path */
    char *blobs;           /* of the hub cache that it is a snapshot of; or NULL */
    coras_buf path;        /* of the current entry, below the directory */
    coras_model_dir *ret;
};

void coras_model_dir_clear(coras_model_dir *dir)
{
    coras_vec_foreach (file, &dir->files) {
        free(file->path);
        coras_close_fd(&file->fd);
    }
    free(dir->files.items);
    coras_strlist_clear(&dir->left_out);
    free(dir->hub_repository);
    free(dir->hub_revision);
    *dir = (coras_model_dir){0};
}

/* ---- messages ---- */

static int refuse(const struct model_dir_walk *w, int code, const char *why, coras_error **err)
{
    coras_auto_free char *shown = coras_escape_dup(w->path.ptr);

    return shown ? coras_fail(err, code, "%s: %s", shown, why) : coras_fail_no_memory(err);
}

static int fail_at(const struct model_dir_walk *w, int errnum, const char *verb, coras_error **err)
{
    coras_auto_free char *shown = coras_escape_dup(w->path.ptr);

    return coras_fail_errno(err, errnum, "%s %s", verb, shown ? shown : "");
}

/* ---- what is left out ---- */

static bool never_belongs(const char *name)
{
    return name[0] == '.' || coras_streq(name, "__pycache__") || coras_str_ends(name, ".pyc") ||
           coras_str_ends(name, ".incomplete") || coras_str_ends(name, ".lock");
}

static int leave_out(struct model_dir_walk *w, bool directory, coras_error **err)
{
    size_t len = w->path.len;

    if (directory)
        coras_buf_putc(&w->path, '/');
    CORAS_TRY(coras_buf_done(&w->path, err));
    coras_auto_free char *shown = coras_escape_dup(w->path.ptr);
    coras_buf_truncate(&w->path, len);
    return shown ? coras_strlist_add(&w->ret->left_out, shown, err) : coras_fail_no_memory(err);
}

/* ---- files ---- */

static int add_file(struct model_dir_walk *w, int *fd, const coras_digest *expected,
                    coras_error **err)
{
    coras_auto_fd taken = *fd;
    struct stat st;

    *fd = -1;
    if (fstat(taken, &st) < 0)
        return fail_at(w, errno, "stat", err);
    if (S_ISDIR(st.st_mode))
        return refuse(w, CORAS_ERR_INVALID_ARGUMENT, "a link to a directory", err);
    if (!S_ISREG(st.st_mode))
        return refuse(w, CORAS_ERR_INVALID_ARGUMENT, "neither a file nor a directory", err);
    if (coras_vec_grow(&w->ret->files, 1) < 0)
        return coras_fail_no_memory(err);
    struct coras_model_dir_file file = {.path = coras_strdup(w->path.ptr), .size = st.st_size};
    if (!file.path)
        return coras_fail_no_memory(err);
    if (expected) {
        file.has_expected = true;
        file.expected = *expected;
    }
    file.fd = taken;
    taken = -1;
    w->ret->files.items[w->ret->files.len++] = file;
    return 0;
}

/* O_NONBLOCK: a FIFO must not hang us before it is refused. */
enum { OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };

static int add_regular(struct model_dir_walk *w, int dirfd, const char *name, coras_error **err)
{
    coras_auto_fd fd = openat(dirfd, name, OPEN_FLAGS | O_NOFOLLOW);

    if (fd < 0)
        return fail_at(w, errno, "open", err);
    return add_file(w, &fd, NULL, err);
}

/* ---- links ---- */

/* The name of the blob that a link of a snapshot leads to, by its text; NULL: it is none. */
static char *blob_name(const struct model_dir_walk *w, const char *target)
{
    const char *slash = strrchr(w->path.ptr, '/');
    coras_auto_free char *below =
        coras_strndup(w->path.ptr, slash ? (size_t)(slash - w->path.ptr) : 0);
    coras_auto_free char *dir = below ? coras_path_join(w->directory, below) : NULL;
    coras_auto_free char *path = *target == '/' ? coras_path_clean(target)
                                 : dir          ? coras_path_join(dir, target)
                                                : NULL;
    size_t len = strlen(w->blobs);

    if (!path || strncmp(path, w->blobs, len) != 0 || path[len] != '/')
        return NULL;
    return strchr(path + len + 1, '/') ? NULL : coras_strdup(path + len + 1);
}

static int add_blob(struct model_dir_walk *w, const char *name, coras_error **err)
{
    coras_auto_fd blobs = open(w->blobs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    coras_digest digest;

    if (blobs < 0)
        return coras_fail_errno(err, errno, "open %s", w->blobs);
    coras_auto_fd fd = openat(blobs, name, OPEN_FLAGS | O_NOFOLLOW);
    if (fd < 0)
        return fail_at(w, errno, "open", err);
    return add_file(w, &fd, coras_hub_blob_digest(name, &digest) ? &digest : NULL, err);
}

static int add_link(struct model_dir_walk *w, int dirfd, const char *name, coras_error **err)
{
    char target[CORAS_LIMIT_PATH + 1];
    ssize_t len = readlinkat(dirfd, name, target, sizeof(target) - 1);

    if (len < 0)
        return fail_at(w, errno, "readlink", err);
    target[len] = '\0';
    if (w->blobs) {
        coras_auto_free char *blob = blob_name(w, target);
        if (blob)
            return add_blob(w, blob, err);
    }
    coras_auto_fd fd = -1;
    int rc = coras_open_beneath(w->root, w->path.ptr, OPEN_FLAGS, 0, &fd, err);
    if (rc == CORAS_ERR_UNSAFE_PATH)
        return coras_wrap(err, rc, "a link that leads out is not followed");
    return rc < 0 ? rc : add_file(w, &fd, NULL, err);
}

/* ---- the walk ---- */

static int read_directory(struct model_dir_walk *w, int fd, coras_error **err);

static int enter(struct model_dir_walk *w, int dirfd, const char *name, coras_error **err)
{
    if (coras_path_depth(w->path.ptr) >= CORAS_LIMIT_MODEL_DEPTH)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "directories in directories, more than %d deep",
                          CORAS_LIMIT_MODEL_DEPTH);
    coras_auto_fd fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return fail_at(w, errno, "open", err);
    return read_directory(w, fd, err);
}

static bool is_text(const char *name)
{
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == '\\')
            return false;
    return coras_utf8_valid(name, strlen(name));
}

static int read_entry(struct model_dir_walk *w, int dirfd, const char *name, coras_error **err)
{
    struct stat st;

    CORAS_TRY(coras_cancel_check(w->cancel, err));
    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_at(w, errno, "stat", err);
    if (never_belongs(name))
        return leave_out(w, S_ISDIR(st.st_mode), err);
    if (!S_ISDIR(st.st_mode) && !coras_selection_matches(w->selection, w->path.ptr, NULL))
        return 0;
    if (!is_text(name))
        return refuse(w, CORAS_ERR_UNSAFE_PATH,
                      "a name with control characters, backslashes or other than UTF-8", err);
    if (S_ISDIR(st.st_mode))
        return enter(w, dirfd, name, err);
    return S_ISLNK(st.st_mode) ? add_link(w, dirfd, name, err) : add_regular(w, dirfd, name, err);
}

static int read_directory(struct model_dir_walk *w, int fd, coras_error **err)
{
    coras_auto_value(coras_strlist) names = {0};
    size_t len = w->path.len;

    CORAS_TRY(coras_list_directory(fd, len ? w->path.ptr : w->directory, &names, err));
    for (size_t i = 0; i < names.len; i++) {
        coras_buf_truncate(&w->path, len);
        coras_buf_printf(&w->path, "%s%s", len ? "/" : "", names.items[i]);
        CORAS_TRY(coras_buf_done(&w->path, err));
        CORAS_TRY(read_entry(w, fd, names.items[i], err));
    }
    coras_buf_truncate(&w->path, len);
    return 0;
}

/* ---- all together ---- */

/* Readers that look for one file, such as config.json, take the first of that name. */
static int by_depth_and_name(const void *a, const void *b)
{
    const struct coras_model_dir_file *x = a, *y = b;
    size_t dx = coras_path_depth(x->path), dy = coras_path_depth(y->path);

    return dx != dy ? (dx < dy ? -1 : 1) : strcmp(x->path, y->path);
}

static char *folded(const char *path)
{
    char *copy = coras_strdup(path);

    for (char *c = copy; c && *c; c++)
        if (coras_is_upper(*c))
            *c = (char)(*c - 'A' + 'a');
    return copy;
}

/* Where case does not count one file would overwrite the other. */
static int check_case(const coras_model_dir *dir, coras_error **err)
{
    coras_auto(coras_map) seen = coras_map_new(NULL);

    if (!seen)
        return coras_fail_no_memory(err);
    coras_vec_foreach (file, &dir->files) {
        coras_auto_free char *name = folded(file->path);
        if (!name)
            return coras_fail_no_memory(err);
        const char *other = coras_map_get(seen, name);
        if (other)
            return coras_fail(err, CORAS_ERR_UNSAFE_PATH,
                              "%s and %s differ in the case of letters only", other, file->path);
        CORAS_TRY(coras_map_set(seen, name, file->path, err));
    }
    return 0;
}

static int look_for_hub(struct model_dir_walk *w, coras_error **err)
{
    coras_auto_free char *repository = coras_hub_repository_of(w->directory);

    if (!repository)
        return 0;
    const char *revision = w->directory + strlen(repository) + strlen("/snapshots/");
    w->ret->hub_revision = coras_strndup(revision, strcspn(revision, "/"));
    w->ret->hub_repository = coras_steal(&repository);
    w->blobs = coras_hub_blobs_of(w->directory);
    return w->ret->hub_revision && w->blobs ? 0 : coras_fail_no_memory(err);
}

/* A file is a model of one file. */
static int read_single(struct model_dir_walk *w, const char *path, coras_error **err)
{
    coras_auto_fd fd = open(path, OPEN_FLAGS);

    coras_buf_puts(&w->path, coras_path_base(path));
    CORAS_TRY(coras_buf_done(&w->path, err));
    if (fd < 0)
        return coras_fail_errno(err, errno, "open %s", path);
    if (!is_text(w->path.ptr))
        return refuse(w, CORAS_ERR_UNSAFE_PATH, "a name that is no text", err);
    return add_file(w, &fd, NULL, err);
}

static int read_all(struct model_dir_walk *w, const char *path, coras_error **err)
{
    coras_auto_fd root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (root < 0 && errno == ENOTDIR)
        return read_single(w, path, err);
    if (root < 0)
        return coras_fail_errno(err, errno, "open %s", path);
    coras_auto_free char *directory = realpath(path, NULL);
    if (!directory)
        return coras_fail_errno(err, errno, "open %s", path);
    w->root = root;
    w->directory = directory;
    CORAS_TRY(look_for_hub(w, err));
    return read_directory(w, root, err);
}

int coras_model_dir_read(const char *path, const coras_selection *selection,
                         const coras_cancel *cancel, coras_model_dir *ret, coras_error **err)
{
    coras_auto_value(coras_model_dir) dir = {0};
    struct model_dir_walk w = {.selection = selection,
                               .cancel = cancel,
                               .ret = &dir,
                               .path = CORAS_BUF_INIT(CORAS_LIMIT_PATH)};

    int rc = read_all(&w, path, err);
    free(w.blobs);
    coras_buf_clear(&w.path);
    CORAS_TRY(rc);
    if (dir.files.len == 0)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "%s holds no file to push", path);
    qsort(dir.files.items, dir.files.len, sizeof(dir.files.items[0]), by_depth_and_name);
    CORAS_TRY(check_case(&dir, err));
    *ret = dir;
    dir = (coras_model_dir){0};
    return 0;
}
