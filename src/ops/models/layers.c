/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From layers to files: archives are listed, several at a time, and what the layers of an image
 * change in each other is applied in their order.
 */
#include "ops/models/layers.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/vec.h"
#include "ops/models/blob_reader.h"
#include "transfer/parallel.h"

#define WHITEOUT     ".wh."
#define OPAQUE_LAYER ".wh..wh..opq"

/* The files of one layer. */
struct layer_files {
    coras_model_files files;
    coras_strlist warnings;
};

struct layers {
    coras_model *model;
    struct layer_files *items; /* for each entry of the package */
};

/* ---- one layer ---- */

/* What is inside of a compressed layer is known when it has passed by. */
static int count_plain(const coras_model *m, const coras_package_entry *entry, int64_t *ret,
                       coras_error **err)
{
    enum { PIECE_BYTES = 64 * CORAS_KIB };
    coras_auto(coras_blob_reader) reader = NULL;
    coras_auto_free char *piece = coras_malloc(PIECE_BYTES);
    size_t got = 0;
    int64_t sum = 0;

    if (!piece)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_blob_reader_new(coras_target_origin(m->target), entry->desc, entry->compression,
                                    &reader, err));
    do {
        CORAS_TRY(coras_cancel_check(m->run.cancel, err));
        CORAS_TRY(coras_blob_reader_read(reader, piece, PIECE_BYTES, &got, err));
        sum += (int64_t)got;
    } while (got > 0);
    *ret = sum;
    return 0;
}

int coras_model_add_raw(coras_model_files *files, const coras_package_entry *entry,
                        const char *path, coras_error **err)
{
    coras_auto_free char *copy = coras_strdup(path);

    if (!copy || coras_vec_grow(files, 1) < 0)
        return coras_fail_no_memory(err);
    files->items[files->len++] = (coras_model_file){
        .path = coras_steal(&copy),
        .size =
            entry->compression == CORAS_COMPRESSION_NONE ? entry->desc->size : entry->plain_size,
        .blob = entry->desc,
        .is_blob = entry->compression == CORAS_COMPRESSION_NONE,
        .compression = entry->compression,
        .has_mode = entry->has_mode,
        .mode = entry->mode,
        .has_mtime = entry->has_mtime,
        .mtime = entry->mtime,
    };
    return 0;
}

static int list_raw(const coras_model *m, const coras_package_entry *entry,
                    coras_model_files *files, coras_error **err)
{
    CORAS_TRY(coras_model_add_raw(files, entry, entry->path, err));
    if (files->items[0].size >= 0)
        return 0;
    return count_plain(m, entry, &files->items[0].size, err);
}

/* The media type says tar, the content may be a file as it is. */
static int list_claimed_tar(coras_model *m, const coras_package_entry *entry,
                            struct layer_files *layer, coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    int rc = coras_model_list_tar(m, entry, &layer->files, &layer->warnings, &failure);
    bool is_file = rc == CORAS_ERR_UNSAFE_ARCHIVE && layer->files.len == 0 && entry->is_claim &&
                   entry->file_path && entry->compression == CORAS_COMPRESSION_NONE;

    if (!is_file) {
        coras_error_propagate(err, &failure);
        return rc;
    }
    CORAS_TRY(coras_strlist_add(
        &layer->warnings, "a layer whose media type says tar is no archive: taken as a file", err));
    return coras_model_add_raw(&layer->files, entry, entry->file_path, err);
}

static int list_layer(void *user, size_t i, coras_error **err)
{
    const struct layers *l = user;
    const coras_package_entry *entry = &l->model->package.entries.items[i];
    char digest[CORAS_DIGEST_TEXT_MAX];

    int rc = entry->form == CORAS_LAYER_TAR ? list_claimed_tar(l->model, entry, &l->items[i], err)
                                            : list_raw(l->model, entry, &l->items[i].files, err);
    return rc < 0
               ? coras_wrap(err, rc, "layer %s", coras_digest_format(&entry->desc->digest, digest))
               : 0;
}

/* ---- all layers ---- */

/* Files by path, while layers are laid over each other; values are indexes into the list + 1. */
struct merging {
    coras_model *model;
    coras_map *places;
};

static bool is_below(const char *path, const char *dir)
{
    size_t len = strlen(dir);

    return len == 0 || (strncmp(path, dir, len) == 0 && path[len] == '/');
}

/* What `dir` holds goes, and with `itself` a file of this name. The files of the layer that says so
 * come after `count`. */
static void remove_below(struct merging *g, const char *dir, bool itself, size_t count)
{
    coras_model_files *files = &g->model->files;

    for (size_t i = 0; i < count; i++) {
        coras_model_file *f = &files->items[i];
        if (!f->path || !(is_below(f->path, dir) || (itself && coras_streq(f->path, dir))))
            continue;
        (void)coras_map_remove(g->places, f->path);
        coras_model_file_clear(f); /* a hole, closed at the end */
    }
}

/* Whether the file says that others are gone, which is then done. */
static int apply_whiteout(struct merging *g, const coras_model_file *f, size_t count, bool *ret,
                          coras_error **err)
{
    const char *base = coras_path_base(f->path);

    *ret = coras_str_starts(base, WHITEOUT);
    if (!*ret)
        return 0;
    size_t dir_len = (size_t)(base - f->path);
    coras_auto_free char *gone = coras_strndup(f->path, dir_len ? dir_len - 1 : 0);
    if (!gone)
        return coras_fail_no_memory(err);
    if (coras_streq(base, OPAQUE_LAYER)) {
        remove_below(g, gone, false, count);
        return 0;
    }
    coras_auto_free char *named = coras_path_join(gone, base + strlen(WHITEOUT));
    if (!named)
        return coras_fail_no_memory(err);
    remove_below(g, named, true, count);
    return 0;
}

/* A file of a later layer takes the place of one before it. */
static int place_file(struct merging *g, coras_model_file *f, coras_error **err)
{
    coras_model_files *files = &g->model->files;
    uintptr_t place = (uintptr_t)coras_map_get(g->places, f->path);

    if (place) {
        coras_model_file_clear(&files->items[place - 1]);
        files->items[place - 1] = *f;
        *f = (coras_model_file){0};
        return 0;
    }
    if (files->len >= CORAS_LIMIT_MODEL_FILES)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "more than %d files", CORAS_LIMIT_MODEL_FILES);
    if (coras_vec_grow(files, 1) < 0)
        return coras_fail_no_memory(err);
    files->items[files->len++] = *f;
    *f = (coras_model_file){0};
    return coras_map_set(g->places, files->items[files->len - 1].path,
                         (void *)(uintptr_t)files->len, err);
}

static int merge_layer(struct merging *g, struct layer_files *layer, coras_error **err)
{
    bool is_image = g->model->package.kind == CORAS_PACKAGE_MODELCAR;
    size_t before = g->model->files.len;

    coras_vec_foreach (f, &layer->files) {
        bool gone = false;
        if (is_image)
            CORAS_TRY(apply_whiteout(g, f, before, &gone, err));
        if (!gone)
            CORAS_TRY(place_file(g, f, err));
    }
    for (size_t i = 0; i < layer->warnings.len; i++)
        CORAS_TRY(coras_strlist_add(&g->model->warnings, layer->warnings.items[i], err));
    coras_vec_foreach (s, &layer->files.strays)
        CORAS_TRY(coras_model_add_stray(&g->model->files, s->path, s->link, err));
    return 0;
}

static void close_holes(coras_model_files *files)
{
    size_t kept = 0;

    coras_vec_foreach (f, files)
        if (f->path)
            files->items[kept++] = *f;
    files->len = kept;
}

static int merge_layers(const struct layers *l, coras_error **err)
{
    coras_auto(coras_map) places = coras_map_new(NULL);
    struct merging g = {l->model, places};

    if (!places)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < l->model->package.entries.len; i++)
        CORAS_TRY(merge_layer(&g, &l->items[i], err));
    close_holes(&l->model->files);
    return 0;
}

static int list_and_merge(struct layers *l, coras_error **err)
{
    coras_auto_value(coras_run) run;
    coras_run_options quiet = l->model->run;

    quiet.on_event = NULL; /* nothing is transferred yet */
    coras_run_init(&run, &quiet);
    CORAS_TRY(coras_run_parallel(&run, l->model->package.entries.len, list_layer, l, err));
    return merge_layers(l, err);
}

int coras_model_list_layers(coras_model *m, coras_error **err)
{
    size_t count = m->package.entries.len;
    struct layers l = {m, coras_calloc(count ? count : 1, sizeof(*l.items))};

    if (!l.items)
        return coras_fail_no_memory(err);
    int rc = list_and_merge(&l, err);
    for (size_t i = 0; i < count; i++) {
        coras_model_files_clear(&l.items[i].files);
        coras_strlist_clear(&l.items[i].warnings);
    }
    free(l.items);
    return rc;
}

/* ---- layers that are not what they say ---- */

static const coras_package_entry *raw_entry_of(const coras_model *m, const coras_model_file *f)
{
    coras_vec_foreach (entry, &m->package.entries)
        if (entry->desc == f->blob && entry->form == CORAS_LAYER_RAW && entry->is_claim &&
            entry->compression == CORAS_COMPRESSION_NONE)
            return entry;
    return NULL;
}

/* Names in the archive count, and not that of the layer. */
static int place_members(struct merging *g, const coras_package_entry *entry,
                         const coras_model_file *f, coras_error **err)
{
    struct layer_files layer = {0};
    coras_package_entry as_tar = *entry;
    coras_auto_free char *shown = coras_escape_dup(f->path);
    coras_auto_free char *text = coras_asprintf(
        "%s: an archive, although its media type says that it is one file", shown ? shown : "");

    as_tar.form = CORAS_LAYER_TAR;
    as_tar.path = NULL;
    int rc = text ? coras_strlist_add(&layer.warnings, text, err) : coras_fail_no_memory(err);
    if (rc == 0)
        rc = coras_model_list_tar(g->model, &as_tar, &layer.files, &layer.warnings, err);
    if (rc == 0)
        rc = merge_layer(g, &layer, err);
    coras_model_files_clear(&layer.files);
    coras_strlist_clear(&layer.warnings);
    return rc;
}

static int expand_into(struct merging *g, coras_model_files *old, const bool *is_archive,
                       coras_error **err)
{
    for (size_t i = 0; i < old->len; i++) {
        coras_model_file *f = &old->items[i];
        const coras_package_entry *entry = is_archive[i] ? raw_entry_of(g->model, f) : NULL;
        CORAS_TRY(entry ? place_members(g, entry, f, err) : place_file(g, f, err));
    }
    return 0;
}

bool coras_model_can_expand(const coras_model *m, size_t file)
{
    return raw_entry_of(m, &m->files.items[file]) != NULL;
}

int coras_model_expand(coras_model *m, const bool *is_archive, coras_error **err)
{
    coras_auto(coras_map) places = coras_map_new(NULL);
    struct merging g = {m, places};
    coras_auto_value(coras_model_files) old = m->files;

    m->files = (coras_model_files){0};
    return places ? expand_into(&g, &old, is_archive, err) : coras_fail_no_memory(err);
}
