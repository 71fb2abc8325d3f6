/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a model in the cache, and what of them an engine opens. The content of a file says
 * what it is, its name says which part: shards count, and "mmproj" is the eye of another model.
 */
#include "ops/models/tree.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/vec.h"
#include "codec/json.h"
#include "model/detect.h"
#include "model/header.h"
#include "model/shards.h"

#define MODEL_FILE "model.file"

void coras_model_tree_clear(coras_model_tree *tree)
{
    for (size_t i = 0; i < tree->files.len; i++)
        free(tree->files.items[i].path);
    free(tree->files.items);
    free(tree->path);
    free(tree->remark);
    *tree = (coras_model_tree){0};
}

/* ---- which files there are ---- */

static int add_file(coras_model_tree *tree, const char *path, const struct stat *st,
                    coras_error **err)
{
    char *copy = coras_strdup(path);

    if (!copy || coras_vec_grow(&tree->files, 1) < 0) {
        free(copy);
        return coras_fail_no_memory(err);
    }
    tree->files.items[tree->files.len++] = (coras_tree_file){.path = copy,
                                                             .size = st->st_size,
                                                             .mtime_s = st->st_mtim.tv_sec,
                                                             .mtime_ns = st->st_mtim.tv_nsec,
                                                             .st = *st};
    return 0;
}

static int read_directory(int dirfd, const char *prefix, size_t depth, coras_model_tree *tree,
                          coras_error **err);

static int read_one(int dirfd, const char *name, const char *path, size_t depth,
                    coras_model_tree *tree, coras_error **err)
{
    struct stat st;

    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return coras_fail_errno(err, errno, "stat %s", name);
    if (S_ISREG(st.st_mode))
        return add_file(tree, path, &st, err);
    if (!S_ISDIR(st.st_mode) || depth >= CORAS_LIMIT_TREE_DEPTH)
        return coras_fail(err, CORAS_ERR_UNSUPPORTED, "a model of other things than files");
    coras_auto_fd child = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (child < 0)
        return coras_fail_errno(err, errno, "open %s", name);
    return read_directory(child, path, depth + 1, tree, err);
}

static int read_directory(int dirfd, const char *prefix, size_t depth, coras_model_tree *tree,
                          coras_error **err)
{
    coras_auto_value(coras_strlist) names = {0};

    CORAS_TRY(coras_list_directory(dirfd, prefix, &names, err));
    for (size_t i = 0; i < names.len; i++) {
        coras_auto_free char *path =
            coras_asprintf("%s%s%s", prefix, *prefix ? "/" : "", names.items[i]);
        if (!path)
            return coras_fail_no_memory(err);
        CORAS_TRY(read_one(dirfd, names.items[i], path, depth, tree, err));
    }
    return 0;
}

static int compare_files(const void *a, const void *b)
{
    return strcmp(((const coras_tree_file *)a)->path, ((const coras_tree_file *)b)->path);
}

int coras_model_tree_read(int dirfd, coras_model_tree *ret, coras_error **err)
{
    coras_auto_value(coras_model_tree) tree = {0};

    CORAS_TRY(read_directory(dirfd, "", 0, &tree, err));
    if (tree.files.len > 1)
        qsort(tree.files.items, tree.files.len, sizeof(*tree.files.items), compare_files);
    *ret = tree;
    tree = (coras_model_tree){0};
    return 0;
}

/* ---- what an engine opens ---- */

static int open_file(int dirfd, const coras_tree_file *file)
{
    return openat(dirfd, file->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

static enum coras_content_kind kind_of(int dirfd, const coras_tree_file *file)
{
    char head[CORAS_CONTENT_HEAD];
    size_t got = 0;
    coras_auto_fd fd = open_file(dirfd, file);

    if (fd < 0 || coras_pread_full(fd, head, sizeof(head), 0, &got, NULL) < 0)
        return CORAS_CONTENT_UNKNOWN;
    return coras_content_detect(head, got, file->size);
}

static int note_projector(void *user, coras_str key, coras_str value, coras_error **err)
{
    bool *is_projector = user;

    (void)err;
    if ((coras_str_eq(key, "general.type") && coras_str_eq(value, "mmproj")) ||
        (coras_str_eq(key, "general.architecture") && coras_str_eq(value, "clip")))
        *is_projector = true;
    return 0;
}

/* What a GGUF file says of itself stands in its first bytes; one that cannot be read says nothing.
 */
static bool says_projector(int fd, int64_t size)
{
    bool is_projector = false;
    const coras_header_visitor visitor = {.text = note_projector, .user = &is_projector};
    coras_auto(coras_header_reader) reader = NULL;
    coras_auto_free char *head = coras_malloc(CORAS_LIMIT_GGUF_GLANCE);
    size_t got = 0;

    if (head &&
        coras_header_reader_new(CORAS_WEIGHT_GGUF, size, false, &visitor, &reader, NULL) == 0 &&
        coras_pread_full(fd, head, CORAS_LIMIT_GGUF_GLANCE, 0, &got, NULL) == 0 &&
        coras_header_feed(reader, head, got, NULL) < 0)
        return is_projector;
    return is_projector;
}

static bool is_projector(int dirfd, const coras_tree_file *file)
{
    coras_auto_fd fd = open_file(dirfd, file);

    return strstr(coras_path_base(file->path), "mmproj") ||
           (fd >= 0 && says_projector(fd, file->size));
}

static bool is_later_shard(const char *path)
{
    coras_shard_name name;

    return coras_shard_name_parse(path, &name) && name.number != 1;
}

struct choice {
    const char *gguf; /* borrowed from the tree: the first */
    size_t gguf_count;
    bool has_safetensors;
};

static void look_at(int dirfd, const coras_tree_file *file, struct choice *c)
{
    enum coras_content_kind kind = kind_of(dirfd, file);

    c->has_safetensors |= kind == CORAS_CONTENT_SAFETENSORS;
    if (kind != CORAS_CONTENT_GGUF || is_later_shard(file->path) || is_projector(dirfd, file))
        return;
    if (!c->gguf)
        c->gguf = file->path;
    c->gguf_count++;
}

/* The configuration nearest the root; of one directory it does not matter which. */
static const char *find_config(const coras_model_tree *tree)
{
    const char *found = NULL;

    for (size_t i = 0; i < tree->files.len; i++) {
        const char *path = tree->files.items[i].path, *base = coras_path_base(path);
        if ((coras_streq(base, "config.json") || coras_streq(base, "model_index.json")) &&
            (!found || coras_path_depth(path) < coras_path_depth(found)))
            found = path;
    }
    return found;
}

static char *directory_of(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    return coras_strndup(path ? path : "", slash ? (size_t)(slash - path) : 0);
}

static int fail_no_model(const coras_model_tree *tree, coras_error **err)
{
    coras_auto_buf names = CORAS_BUF_UNLIMITED;

    for (size_t i = 0; i < tree->files.len; i++) {
        const char *path = tree->files.items[i].path;
        coras_buf_puts(&names, i ? ", " : "");
        if (names.len > CORAS_LIMIT_ERROR_TEXT) {
            coras_buf_puts(&names, "…");
            break;
        }
        coras_escape(&names, path, strlen(path), CORAS_LIMIT_COMPONENT);
    }
    CORAS_TRY(coras_buf_done(&names, err));
    return coras_fail(err, CORAS_ERR_UNSUPPORTED,
                      "no model in safetensors or GGUF is in the package; there is: %s", names.ptr);
}

static int take(coras_model_tree *tree, const struct choice *c, coras_error **err)
{
    const char *remark =
        c->has_safetensors  ? "the package holds safetensors too; this is its GGUF file"
        : c->gguf_count > 1 ? "the package holds several GGUF models; this is the first"
                            : NULL;

    tree->format = c->gguf ? "gguf" : "safetensors";
    tree->path = c->gguf ? coras_strdup(c->gguf) : directory_of(find_config(tree));
    if (c->gguf && remark && !(tree->remark = coras_strdup(remark)))
        return coras_fail_no_memory(err);
    return tree->path ? 0 : coras_fail_no_memory(err);
}

/* Images of ramalama name the file for llama.cpp by a link, which a pull turns into a second name
 * of it. The first name is worth more: it says which quantisation, which shard. NULL: there is
 * none. */
static const char *named_by_image(int dirfd, const coras_model_tree *tree)
{
    const coras_tree_file *named = NULL;

    for (size_t i = 0; i < tree->files.len && !named; i++)
        if (coras_streq(tree->files.items[i].path, MODEL_FILE))
            named = &tree->files.items[i];
    if (!named || kind_of(dirfd, named) != CORAS_CONTENT_GGUF)
        return NULL;
    for (size_t i = 0; i < tree->files.len; i++) {
        const coras_tree_file *file = &tree->files.items[i];
        if (file != named && file->st.st_ino == named->st.st_ino &&
            file->st.st_dev == named->st.st_dev)
            return file->path;
    }
    return named->path;
}

int coras_model_tree_choose(int dirfd, coras_model_tree *tree, coras_error **err)
{
    struct choice c = {0};

    for (size_t i = 0; i < tree->files.len; i++)
        look_at(dirfd, &tree->files.items[i], &c);
    const char *named = named_by_image(dirfd, tree);
    if (named) {
        c.gguf = named;
        c.gguf_count = 1;
    }
    return c.gguf || c.has_safetensors ? take(tree, &c, err) : fail_no_model(tree, err);
}

/* ---- the record ---- */

int coras_model_tree_write_record(const coras_model_tree *tree, coras_buf *ret, coras_error **err)
{
    coras_json_writer w = CORAS_JSON_WRITER(ret, 0);

    coras_jw_object(&w);
    coras_jw_member(&w, "format", tree->format);
    coras_jw_member(&w, "path", tree->path);
    coras_jw_member_opt(&w, "remark", tree->remark);
    coras_jw_key(&w, "files");
    coras_jw_array(&w);
    for (size_t i = 0; i < tree->files.len; i++) {
        const coras_tree_file *file = &tree->files.items[i];
        coras_jw_object(&w);
        coras_jw_member(&w, "path", file->path);
        coras_jw_member_int(&w, "size", file->size);
        coras_jw_member_int(&w, "seconds", file->mtime_s);
        coras_jw_member_int(&w, "nanoseconds", file->mtime_ns);
        coras_jw_end_object(&w);
    }
    coras_jw_end_array(&w);
    coras_jw_end_object(&w);
    return coras_buf_done(ret, err);
}

static bool read_recorded_file(const coras_json *v, coras_model_tree *tree)
{
    const char *path = coras_json_get_string(v, "path");
    int64_t size, seconds, nanoseconds;
    struct stat st = {0};

    if (!path || !coras_json_int(coras_json_get(v, "size"), &size) ||
        !coras_json_int(coras_json_get(v, "seconds"), &seconds) ||
        !coras_json_int(coras_json_get(v, "nanoseconds"), &nanoseconds))
        return false;
    st.st_size = size;
    st.st_mtim = (struct timespec){seconds, nanoseconds};
    return add_file(tree, path, &st, NULL) == 0;
}

static bool read_recorded_choice(const coras_json *root, coras_model_tree *tree)
{
    const char *format = coras_json_get_string(root, "format");
    const char *path = coras_json_get_string(root, "path");
    const char *remark = coras_json_get_string(root, "remark");

    if (!format || !path)
        return false;
    tree->format = coras_streq(format, "gguf")          ? "gguf"
                   : coras_streq(format, "safetensors") ? "safetensors"
                                                        : NULL;
    tree->path = coras_strdup(path);
    tree->remark = remark ? coras_strdup(remark) : NULL;
    return tree->format && tree->path && (!remark || tree->remark);
}

bool coras_model_tree_read_record(const char *text, size_t len, coras_model_tree *ret)
{
    coras_auto(coras_json) root = NULL;
    coras_auto_value(coras_model_tree) tree = {0};

    if (coras_json_parse(text, len, &root, NULL) < 0 || !read_recorded_choice(root, &tree))
        return false;
    const coras_json *files = coras_json_get(root, "files");
    for (size_t i = 0; i < coras_json_len(files); i++)
        if (!read_recorded_file(coras_json_at(files, i), &tree))
            return false;
    *ret = tree;
    tree = (coras_model_tree){0};
    return true;
}

bool coras_model_tree_is_intact(int dirfd, const coras_model_tree *recorded)
{
    coras_auto_value(coras_model_tree) now = {0};

    if (coras_model_tree_read(dirfd, &now, NULL) < 0 || now.files.len != recorded->files.len)
        return false;
    for (size_t i = 0; i < now.files.len; i++) {
        const coras_tree_file *a = &now.files.items[i], *b = &recorded->files.items[i];
        if (!coras_streq(a->path, b->path) || a->size != b->size || a->mtime_s != b->mtime_s ||
            a->mtime_ns != b->mtime_ns)
            return false;
    }
    return true;
}
