/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which layouts there are: a walk through the directories, done again when its result is a moment
 * old and somebody asks. Below a layout other layouts may lie ("a" and "a/b"), but not among its
 * blobs.
 */
#include "serve/layouts/layouts.h"

#include <dirent.h>
#include <errno.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/map.h"
#include "coras/reference.h"
#include "serve/api/routes.h"
#include "serve/http/log.h"

/* How long the result of a walk is good. */
#define WALK_MS 1000

struct layouts_walk {
    serve_layouts *table;
    coras_strlist names; /* of layouts */
    coras_strlist todo;  /* directories to look into, as paths */
    size_t looked;
};

/* Once for each directory, and for a bounded number of them. */
static void tell(struct layouts_walk *w, const char *path, const char *what)
{
    coras_map *told = w->table->told;

    if (coras_map_has(told, path) || coras_map_len(told) >= CORAS_LIMIT_LAYOUTS_TOLD)
        return;
    if (coras_map_set(told, path, w->table, NULL) == 0)
        serve_log_note("--layouts: %s: %s", path, what);
}

static bool is_there(int dirfd, const char *name)
{
    struct stat st;

    return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_name(const char *path)
{
    return strlen(path) <= SERVE_REPOSITORY_NAME_MAX && coras_repository_validate(path, NULL) == 0;
}

static int note_layout(struct layouts_walk *w, int dirfd, const char *path, coras_error **err)
{
    if (!is_there(dirfd, "oci-layout")) {
        if (is_there(dirfd, "index.json") && is_there(dirfd, "blobs"))
            tell(w, path, "has no file oci-layout, so it is not served");
        return 0;
    }
    if (!is_name(path)) {
        tell(w, path, "is no name of a repository, so this layout is not served");
        return 0;
    }
    return coras_strlist_add(&w->names, path, err);
}

/* Hidden ones are nobody's repositories; a layout's own are not looked into. */
static bool is_passed_over(const char *name, bool in_layout)
{
    return name[0] == '.' ||
           (in_layout && (coras_streq(name, "blobs") || coras_streq(name, "ingest")));
}

static int note_entry(struct layouts_walk *w, const struct dirent *entry, const char *path,
                      coras_error **err)
{
    coras_auto_free char *below =
        *path ? coras_path_join(path, entry->d_name) : coras_strdup(entry->d_name);

    if (!below)
        return coras_fail_no_memory(err);
    if (entry->d_type == DT_LNK) {
        tell(w, below, "is a link, which is not followed");
        return 0;
    }
    if (strlen(below) > CORAS_LIMIT_PATH / 2)
        return 0;
    return coras_strlist_add(&w->todo, below, err);
}

static int read_directory(struct layouts_walk *w, DIR *dir, const char *path, coras_error **err)
{
    bool in_layout = is_there(dirfd(dir), "oci-layout");
    struct dirent *entry;

    while ((entry = readdir(dir))) {
        bool may_be =
            entry->d_type == DT_DIR || entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN;
        if (may_be && !is_passed_over(entry->d_name, in_layout))
            CORAS_TRY(note_entry(w, entry, path, err));
    }
    return 0;
}

/* What cannot be opened (gone meanwhile, no rights) is told and passed over. */
static int look_into(struct layouts_walk *w, const char *path, coras_error **err)
{
    coras_auto(coras_error) why = NULL;
    int fd = -1;
    DIR *dir;
    int rc = coras_open_beneath(w->table->dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &fd,
                                &why);

    if (rc < 0) {
        if (rc == CORAS_ERR_PERMISSION)
            tell(w, path, "may not be read");
        return rc == CORAS_ERR_NO_MEMORY ? coras_fail_no_memory(err) : 0;
    }
    rc = note_layout(w, fd, path, err);
    dir = fdopendir(fd);
    if (!dir) {
        coras_close_fd(&fd);
        return coras_fail_errno(err, errno, "list %s", path);
    }
    if (rc == 0)
        rc = read_directory(w, dir, path, err);
    closedir(dir);
    return rc;
}

static int look_at_top(struct layouts_walk *w, coras_error **err)
{
    int fd = openat(w->table->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    int rc;

    if (!dir) {
        coras_close_fd(&fd);
        return coras_fail_errno(err, errno, "list the directory of layouts");
    }
    rc = read_directory(w, dir, "", err);
    closedir(dir);
    return rc;
}

static int walk(struct layouts_walk *w, coras_error **err)
{
    int rc = look_at_top(w, err);

    while (rc == 0 && w->todo.len > 0) {
        coras_auto_free char *path = w->todo.items[--w->todo.len];
        if (++w->looked > CORAS_LIMIT_LAYOUT_DIRECTORIES) {
            tell(w, ".", "holds too many directories; the list of repositories is cut");
            break;
        }
        rc = look_into(w, path, err);
    }
    coras_strlist_sort(&w->names);
    return rc;
}

/* The walk's lock is held. */
static int walk_again(serve_layouts *t, coras_error **err)
{
    struct layouts_walk w = {.table = t};
    int rc = walk(&w, err);

    coras_strlist_clear(&w.todo);
    if (rc < 0) {
        coras_strlist_clear(&w.names);
        return rc;
    }
    coras_strlist_clear(&t->names);
    t->names = w.names;
    t->walked = true;
    t->walked_ms = coras_now_ms();
    return 0;
}

int serve_layouts_list(serve_layouts *t, coras_strlist *ret, coras_error **err)
{
    int rc = 0;

    (void)pthread_mutex_lock(&t->walk_lock);
    if (!t->walked || coras_now_ms() - t->walked_ms >= WALK_MS)
        rc = walk_again(t, err);
    for (size_t i = 0; rc == 0 && i < t->names.len; i++)
        rc = coras_strlist_add(ret, t->names.items[i], err);
    (void)pthread_mutex_unlock(&t->walk_lock);
    return rc;
}
