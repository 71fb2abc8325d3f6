/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each archive is unpacked into a directory of its own, and that is moved over what those before
 * have made: whiteouts and replaced files concern only them, and not what the same archive holds.
 */
#include "archive/layers.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"
#include "archive/layer_links.h"
#include "archive/unpack_members.h"

#define WHITEOUT        ".wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"
enum { OTHERS_SHOWN = 8 };

struct coras_layers {
    int stage_dirfd; /* borrowed */
    char stage[CORAS_TEMP_NAME_BYTES];
    int stage_fd, root_fd; /* in it: "root", and "layer" while one is unpacked */
    const char *target_path;
    struct {
        struct coras_tree **items;
        size_t len, cap;
    } trees; /* what is known of the directories of each archive */
    coras_strlist others;
    bool has_files;
};

/* ---- the stage ---- */

static int open_new_directory(int dirfd, const char *name, int *ret, coras_error **err)
{
    if (mkdirat(dirfd, name, 0755) < 0)
        return coras_fail_errno(err, errno, "mkdir %s", name);
    *ret = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return *ret < 0 ? coras_fail_errno(err, errno, "open %s", name) : 0;
}

int coras_layers_new(int stage_dirfd, const char *target_path, coras_layers **ret,
                     coras_error **err)
{
    coras_auto(coras_layers) l = coras_new(struct coras_layers);

    if (!l)
        return coras_fail_no_memory(err);
    l->stage_dirfd = stage_dirfd;
    l->target_path = target_path;
    l->stage_fd = l->root_fd = -1;
    if (coras_temp_mkdir(stage_dirfd, l->stage) < 0) {
        l->stage[0] = '\0';
        return coras_fail_errno(err, errno, "make a directory to unpack in");
    }
    l->stage_fd = openat(stage_dirfd, l->stage, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (l->stage_fd < 0)
        return coras_fail_errno(err, errno, "open %s", l->stage);
    CORAS_TRY(open_new_directory(l->stage_fd, "root", &l->root_fd, err));
    *ret = coras_steal(&l);
    return 0;
}

void coras_layers_free(coras_layers *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->trees.len; i++) {
        coras_tree_clear(l->trees.items[i]);
        free(l->trees.items[i]);
    }
    free(l->trees.items);
    coras_strlist_clear(&l->others);
    coras_close_fd(&l->root_fd);
    coras_close_fd(&l->stage_fd);
    if (l->stage[0])
        (void)!coras_remove_all(l->stage_dirfd, l->stage, NULL); /* named as what it is */
    free(l);
}

int coras_layers_root(const coras_layers *l)
{
    return l->root_fd;
}

bool coras_layers_has_files(const coras_layers *l)
{
    return l->has_files;
}

const coras_strlist *coras_layers_others(const coras_layers *l)
{
    return &l->others;
}

/* ---- members ---- */

struct adding {
    coras_layers *l;
    const struct coras_layer_input *input;
    coras_buf name, link; /* of the current member, as the tree shall have them */
};

static int refuse_member(const char *name, const char *why, coras_error **err)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;

    coras_escape(&shown, name, strlen(name), CORAS_LIMIT_COMPONENT);
    return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "\"%s\": %s", shown.ptr, why);
}

static bool goes_up(const char *path)
{
    for (size_t len; *path; path += len + (path[len] == '/')) {
        len = strcspn(path, "/");
        if (len == 2 && memcmp(path, "..", 2) == 0)
            return true;
    }
    return false;
}

/* The first component of what was not wanted, for people. */
static int note_other(coras_layers *l, const char *path, coras_error **err)
{
    coras_auto_free char *first = coras_strndup(path, strcspn(path, "/"));

    if (!first)
        return coras_fail_no_memory(err);
    if (!*first || l->others.len >= OTHERS_SHOWN || coras_strlist_has(&l->others, first))
        return 0;
    return coras_strlist_add(&l->others, first, err);
}

/* ---- members of an image ---- */

/* A clean path in the image: the part below `strip`; NULL: it is not below it. */
static const char *below(const char *strip, const char *path)
{
    size_t len = strlen(strip); /* with its slash */

    if (strncmp(path, strip, len) == 0)
        return path + len;
    return strncmp(path, strip, len - 1) == 0 && path[len - 1] == '\0' ? "" : NULL;
}

/* Take away what archives before have made at a path of the tree. */
static int white_out(coras_layers *l, const char *path, coras_error **err)
{
    coras_auto_fd dirfd = -1;
    const char *slash = strrchr(path, '/');
    coras_auto_free char *parent = coras_strndup(path, slash ? (size_t)(slash - path) : 0);
    coras_auto(coras_error) gone = NULL;

    if (!parent)
        return coras_fail_no_memory(err);
    if (!slash)
        return coras_remove_all(l->root_fd, path, err);
    int rc =
        coras_open_beneath(l->root_fd, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, &dirfd, &gone);
    return rc < 0 ? 0 : coras_remove_all(dirfd, slash + 1, err);
}

/* Everything that archives before have made in a directory; "" is the root. */
static int white_out_content(coras_layers *l, const char *path, coras_error **err)
{
    coras_auto_value(coras_strlist) names = {0};
    coras_auto(coras_error) gone = NULL;
    coras_auto_fd dirfd = -1;

    int rc = coras_open_beneath(l->root_fd, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                                0, &dirfd, &gone);
    if (rc < 0 && *path)
        return 0;
    if (rc < 0)
        dirfd = openat(l->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CORAS_TRY(coras_list_directory(dirfd, path, &names, err));
    for (size_t i = 0; i < names.len; i++)
        CORAS_TRY(coras_remove_all(dirfd, names.items[i], err));
    return 0;
}

/* What ".wh..." would take away is the directory above. */
static bool names_a_file(const char *name)
{
    return *name && !coras_streq(name, ".") && !coras_streq(name, "..");
}

/* `path` is the whiteout's own, clean, in the image. */
static int take_whiteout(struct adding *a, const char *path, const char *leaf, coras_error **err)
{
    bool is_opaque = coras_streq(leaf, WHITEOUT_OPAQUE);
    coras_auto_buf gone = CORAS_BUF_UNLIMITED;

    if (!is_opaque && !names_a_file(leaf + strlen(WHITEOUT)))
        return refuse_member(path, "takes away what has no name", err);
    coras_buf_put(&gone, path, (size_t)(leaf - path));
    if (is_opaque && gone.len)
        coras_buf_truncate(&gone, gone.len - 1); /* the directory, without its slash */
    else if (!is_opaque)
        coras_buf_puts(&gone, leaf + strlen(WHITEOUT));
    CORAS_TRY(coras_buf_done(&gone, err));
    const char *inside = below(a->input->strip, gone.ptr);
    if (gone.len == 0 || (inside && !*inside))
        return white_out_content(a->l, "", err);
    if (!inside)
        return 0;
    return is_opaque ? white_out_content(a->l, inside, err) : white_out(a->l, inside, err);
}

/* Where a link in an image leads, as text, from the root of the image: cleaned, and "" or a path
 * without a slash in front; NULL: out of memory. */
static char *resolve_in_image(const char *path, const char *target)
{
    const char *slash = strrchr(path, '/');
    coras_auto_buf joined = CORAS_BUF_UNLIMITED;

    coras_buf_putc(&joined, '/');
    if (*target != '/')
        coras_buf_put(&joined, path, slash ? (size_t)(slash - path) : 0);
    coras_buf_putc(&joined, '/');
    coras_buf_puts(&joined, target);
    coras_auto_free char *clean =
        coras_buf_done(&joined, NULL) == 0 ? coras_path_clean(joined.ptr) : NULL;
    return clean ? coras_strdup(clean + 1) : NULL;
}

static size_t count_slashes(const char *s)
{
    size_t n = 0;

    for (; *s; s++)
        n += *s == '/';
    return n;
}

/* The link's text as it leads to the same place in the tree. */
static int strip_link(struct adding *a, const char *path, coras_tar_entry *entry, coras_error **err)
{
    bool is_hard = entry->type == CORAS_TAR_HARD_LINK;
    coras_auto_free char *target = resolve_in_image(is_hard ? "" : path, entry->link);

    if (!target)
        return coras_fail_no_memory(err);
    const char *inside = below(a->input->strip, target);
    if (!inside)
        return refuse_member(entry->name, "a link that leads out of the model's directory", err);
    coras_buf_reset(&a->link);
    for (size_t up = is_hard ? 0 : count_slashes(a->name.ptr); up > 0; up--)
        coras_buf_puts(&a->link, "../");
    coras_buf_puts(&a->link, *inside ? inside : ".");
    entry->link = a->link.ptr;
    return coras_buf_done(&a->link, err);
}

static int choose_in_image(struct adding *a, coras_tar_entry *entry, coras_error **err)
{
    coras_auto_free char *clean = coras_path_join("/", entry->name);

    if (!clean)
        return coras_fail_no_memory(err);
    if (goes_up(entry->name))
        return refuse_member(entry->name, "the path leads out of the image", err);
    const char *path = clean + 1, *leaf = coras_path_base(path);
    if (coras_str_starts(leaf, WHITEOUT)) {
        CORAS_TRY(take_whiteout(a, path, leaf, err));
        return 1;
    }
    const char *inside = below(a->input->strip, path);
    if (!inside)
        CORAS_TRY(note_other(a->l, path, err));
    if (!inside || !*inside)
        return 1;
    coras_buf_reset(&a->name);
    coras_buf_puts(&a->name, inside);
    entry->name = a->name.ptr;
    CORAS_TRY(coras_buf_done(&a->name, err));
    if (entry->type == CORAS_TAR_SYMLINK || entry->type == CORAS_TAR_HARD_LINK)
        return strip_link(a, path, entry, err);
    return 0;
}

/* ---- members of a package's tar ---- */

static int put_below(const struct adding *a, const char *path, coras_buf *out, coras_error **err)
{
    if (*path == '/' || goes_up(path))
        return refuse_member(path, "the path leads out of the archive", err);
    coras_buf_reset(out);
    coras_buf_printf(out, "%s/%s", a->input->below, path);
    return coras_buf_done(out, err);
}

static int choose_in_archive(struct adding *a, coras_tar_entry *entry, coras_error **err)
{
    const char *name = entry->name;

    while (strncmp(name, "./", 2) == 0)
        for (name += 2; *name == '/';)
            name++;
    if (!*name || coras_streq(name, "."))
        return 1; /* the directory itself is the user's */
    if (!*a->input->below)
        return 0;
    CORAS_TRY(put_below(a, entry->name, &a->name, err));
    entry->name = a->name.ptr;
    if (entry->type != CORAS_TAR_HARD_LINK)
        return 0;
    CORAS_TRY(put_below(a, entry->link, &a->link, err));
    entry->link = a->link.ptr;
    return 0;
}

/* Directories are made for what goes into them. */
static bool is_wanted(const struct adding *a, const coras_tar_entry *entry)
{
    const char *name = entry->name;

    if (!a->input->takes)
        return true;
    while (strncmp(name, "./", 2) == 0)
        name += 2;
    return entry->type != CORAS_TAR_DIRECTORY && a->input->takes(a->input->user, name);
}

static int choose(void *user, coras_tar_entry *entry, coras_error **err)
{
    struct adding *a = user;

    int rc = a->input->strip ? choose_in_image(a, entry, err) : choose_in_archive(a, entry, err);
    if (rc == 0 && !is_wanted(a, entry))
        return 1;
    a->l->has_files |= rc == 0 && entry->type == CORAS_TAR_FILE;
    return rc;
}

/* ---- one archive over those before ---- */

static struct coras_tree *new_tree(coras_layers *l, int root_fd)
{
    struct coras_tree *tree = coras_new(struct coras_tree);

    if (!tree || coras_vec_grow(&l->trees, 1) < 0) {
        free(tree);
        return NULL;
    }
    coras_tree_init(tree, root_fd, ".", l->target_path);
    tree->has_exact_modes = true;
    l->trees.items[l->trees.len++] = tree;
    return tree;
}

static int unpack_layer(coras_layers *l, const struct coras_layer_input *input, int layer_fd,
                        coras_error **err)
{
    struct adding a = {
        .l = l, .input = input, .name = CORAS_BUF_UNLIMITED, .link = CORAS_BUF_UNLIMITED};
    const struct coras_archive_input archive = {.fd = input->fd,
                                                .size = input->size,
                                                .compression = input->compression,
                                                .tar_digest = input->tar_digest,
                                                .cancel = input->cancel,
                                                .choose = choose,
                                                .user = &a};
    struct coras_tree *tree = new_tree(l, layer_fd);

    if (!tree)
        return coras_fail_no_memory(err);
    int rc = coras_unpack_members(&archive, tree, err);
    coras_buf_clear(&a.name);
    coras_buf_clear(&a.link);
    coras_close_fd(&tree->parent_fd); /* its directories move */
    coras_buf_reset(&tree->parent);
    return rc < 0 ? rc : coras_tree_check_links(tree, err);
}

int coras_layers_add(coras_layers *l, const struct coras_layer_input *input, coras_error **err)
{
    coras_auto_fd layer_fd = -1;

    CORAS_TRY(open_new_directory(l->stage_fd, "layer", &layer_fd, err));
    CORAS_TRY(unpack_layer(l, input, layer_fd, err));
    CORAS_TRY(coras_move_layer(layer_fd, l->root_fd, input->strip != NULL, err));
    return coras_remove_all(l->stage_fd, "layer", err);
}

int coras_layers_complete(coras_layers *l, coras_error **err)
{
    return coras_flatten_links(l->root_fd, err);
}

int coras_layers_publish(coras_layers *l, int to_fd, bool no_sync, coras_error **err)
{
    if (!no_sync)
        CORAS_TRY(coras_sync_file_system(l->stage_fd, l->target_path, err));
    CORAS_TRY(coras_tree_merge(l->root_fd, to_fd, ".", false, err));
    for (size_t i = 0; i < l->trees.len; i++)
        CORAS_TRY(coras_tree_finish_dirs(l->trees.items[i], to_fd, err));
    return no_sync ? 0 : coras_sync_file_system(to_fd, l->target_path, err);
}
