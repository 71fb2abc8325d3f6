/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a manifest to the files that it stands for.
 */
#include "model/package.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/vec.h"
#include "model/file_metadata.h"
#include "model/mediatypes.h"
#include "model/package_impl.h"
#include "oci/digest.h"

void coras_package_clear(coras_package *p)
{
    for (size_t i = 0; i < p->entries.len; i++) {
        free(p->entries.items[i].path);
        free(p->entries.items[i].file_path);
    }
    free(p->entries.items);
    free(p->unplaced.items);
    coras_strlist_clear(&p->warnings);
    free(p->elsewhere);
    *p = (coras_package){0};
}

const char *coras_package_name(enum coras_package_kind kind)
{
    static const char *const names[] = {
        [CORAS_PACKAGE_ORAS] = "oras",     [CORAS_PACKAGE_MODELPACK] = "modelpack",
        [CORAS_PACKAGE_DOCKER] = "docker", [CORAS_PACKAGE_OLLAMA] = "ollama",
        [CORAS_PACKAGE_KITOPS] = "kitops", [CORAS_PACKAGE_MODELCAR] = "modelcar",
        [CORAS_PACKAGE_FILES] = "files",
    };

    return names[kind];
}

/* ---- whose it is ---- */

static bool starts(const char *text, const char *begin)
{
    return text && coras_str_starts(text, begin);
}

static bool says(const coras_manifest *m, const char *begin)
{
    return starts(m->artifact_type, begin) ||
           (m->has_config && starts(m->config.media_type, begin));
}

static bool has_layer_of(const coras_manifest *m, enum coras_type_family family)
{
    for (size_t i = 0; i < m->layers.len; i++)
        if (coras_layer_type_of(m->layers.items[i].media_type).family == family)
            return true;
    return false;
}

/* Titles are what artifacts have, also those whose layers nobody gave another type. */
static bool is_runnable_image(const coras_manifest *m)
{
    if (!m->has_config || !m->config.media_type ||
        (!coras_streq(m->config.media_type, CORAS_MT_OCI_CONFIG) &&
         !coras_streq(m->config.media_type, CORAS_MT_DOCKER_CONFIG)))
        return false;
    for (size_t i = 0; i < m->layers.len; i++) {
        const coras_descriptor *layer = &m->layers.items[i];
        struct coras_layer_type type = coras_layer_type_of(layer->media_type);
        if (type.family == CORAS_TYPE_IMAGE && type.form == CORAS_LAYER_TAR &&
            !coras_descriptor_title(layer))
            return true;
    }
    return false;
}

/* Ollama before images: its config has the type of an image's. */
enum coras_package_kind coras_package_kind_of(const coras_manifest *m)
{
    if (has_layer_of(m, CORAS_TYPE_OLLAMA))
        return CORAS_PACKAGE_OLLAMA;
    if (m->has_config && starts(m->config.media_type, CORAS_MT_DOCKER_MODEL_CONFIG))
        return CORAS_PACKAGE_DOCKER;
    if (says(m, CORAS_MT_KITOPS))
        return CORAS_PACKAGE_KITOPS;
    if (says(m, CORAS_MT_MODELPACK) || says(m, CORAS_MT_MODELPACK_OLD) ||
        has_layer_of(m, CORAS_TYPE_MODELPACK))
        return CORAS_PACKAGE_MODELPACK;
    return is_runnable_image(m) ? CORAS_PACKAGE_MODELCAR : CORAS_PACKAGE_ORAS;
}

/* ---- names ---- */

int coras_package_warn(coras_package *p, const coras_descriptor *desc, const char *text,
                       coras_error **err)
{
    const char *title = coras_annotations_get(&desc->annotations, CORAS_ANN_FILEPATH);
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_auto_buf line = CORAS_BUF_UNLIMITED;

    if (p->warnings.len >= CORAS_LIMIT_PACKAGE_WARNINGS)
        return 0;
    if (!title || !*title)
        title = coras_descriptor_title(desc);
    if (!title || !*title)
        title = coras_digest_format(&desc->digest, digest);
    coras_escape(&line, title, strlen(title), CORAS_LIMIT_COMPONENT);
    coras_buf_printf(&line, ": %s", text);
    CORAS_TRY(coras_buf_done(&line, err));
    return coras_strlist_add(&p->warnings, line.ptr, err);
}

/* The first that is there wins; another that says something else is worth a word. */
int coras_package_named(coras_package *p, const coras_descriptor *desc, const char **ret,
                        coras_error **err)
{
    static const char *const keys[] = {CORAS_ANN_FILEPATH, CORAS_ANN_FILEPATH_OLD, CORAS_ANN_TITLE};

    *ret = NULL;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(keys); i++) {
        const char *value = coras_annotations_get(&desc->annotations, keys[i]);
        if (!value || !*value)
            continue;
        if (!*ret) {
            *ret = value;
            continue;
        }
        if (coras_streq(value, *ret))
            continue;
        CORAS_TRY(coras_package_warn(p, desc, "its annotations name another path too", err));
        break;
    }
    return 0;
}

/* ---- one layer ---- */

static int add_unplaced(coras_package *p, const coras_descriptor *desc, coras_error **err)
{
    if (coras_vec_grow(&p->unplaced, 1) < 0)
        return coras_fail_no_memory(err);
    p->unplaced.items[p->unplaced.len++] = desc;
    return 0;
}

static int take_metadata(coras_package *p, coras_package_entry *e, coras_error **err)
{
    const coras_annotations *all = &e->desc->annotations;
    const char *text = coras_annotations_get(all, CORAS_ANN_FILE_METADATA);
    const char *problem;
    struct coras_file_metadata recorded;

    if (!text)
        text = coras_annotations_get(all, CORAS_ANN_FILE_METADATA_OLD);
    if (!text)
        return 0;
    CORAS_TRY(coras_file_metadata_read(text, &recorded, &problem, err));
    e->has_mode = recorded.has_mode;
    e->mode = recorded.mode;
    e->has_mtime = recorded.has_mtime;
    e->mtime = recorded.mtime;
    e->plain_size = recorded.size;
    if (problem) {
        coras_auto_free char *why = coras_asprintf("its recorded metadata %s", problem);
        if (!why)
            return coras_fail_no_memory(err);
        CORAS_TRY(coras_package_warn(p, e->desc, why, err));
    }
    if (recorded.is_odd_type)
        CORAS_TRY(coras_package_warn(p, e->desc, "was no regular file: it becomes one", err));
    if (e->form == CORAS_LAYER_RAW && e->compression == CORAS_COMPRESSION_NONE &&
        recorded.size >= 0 && recorded.size != e->desc->size)
        CORAS_TRY(
            coras_package_warn(p, e->desc, "its recorded size is not that of its content", err));
    return 0;
}

/* Takes *path, which is not clean yet; NULL for the root. */
static int add_entry(coras_package *p, const coras_package_entry *like, const char *path,
                     coras_error **err)
{
    coras_auto_free char *clean = NULL;

    if (!path)
        clean = coras_strdup("");
    else
        CORAS_TRY(coras_package_clean_path(path, &clean, err));
    if (!clean || coras_vec_grow(&p->entries, 1) < 0)
        return coras_fail_no_memory(err);
    coras_package_entry *e = &p->entries.items[p->entries.len++];
    *e = *like;
    e->path = coras_steal(&clean);
    e->plain_size = -1;
    return 0;
}

static coras_package_entry *last_entry(coras_package *p)
{
    return &p->entries.items[p->entries.len - 1];
}

static int add_file(coras_package *p, const struct coras_package_layer *layer, const char *path,
                    coras_error **err)
{
    const coras_package_entry file = {.desc = layer->desc,
                                      .form = CORAS_LAYER_RAW,
                                      .compression = layer->type.compression,
                                      .is_claim = layer->type.family == CORAS_TYPE_MODELPACK ||
                                                  layer->type.family == CORAS_TYPE_KITOPS};

    CORAS_TRY(add_entry(p, &file, path, err));
    return take_metadata(p, last_entry(p), err);
}

/* Members go to the root; the path is for the case that it is no archive. */
static int add_archive(coras_package *p, const struct coras_package_layer *layer, coras_error **err)
{
    const coras_package_entry archive = {.desc = layer->desc,
                                         .form = CORAS_LAYER_TAR,
                                         .compression = layer->type.compression,
                                         .is_claim = true};
    const char *named = NULL;

    CORAS_TRY(add_entry(p, &archive, NULL, err));
    named = coras_annotations_get(&layer->desc->annotations, CORAS_ANN_FILEPATH);
    if (!named)
        named = coras_annotations_get(&layer->desc->annotations, CORAS_ANN_FILEPATH_OLD);
    if (!named)
        named = coras_descriptor_title(layer->desc);
    if (named && !coras_package_judge_path(named)) /* it may be that of a directory */
        CORAS_TRY(coras_package_clean_path(named, &last_entry(p)->file_path, err));
    return take_metadata(p, last_entry(p), err);
}

/* A directory as this program packs it: the members' names begin with its title. */
static int add_packed_directory(coras_package *p, const struct coras_package_layer *layer,
                                const char *title, coras_error **err)
{
    coras_package_entry directory = {.desc = layer->desc,
                                     .form = CORAS_LAYER_TAR,
                                     .compression = CORAS_COMPRESSION_GZIP,
                                     .has_prefix = true};
    const char *text = coras_annotations_get(&layer->desc->annotations, CORAS_ANN_CONTENT_DIGEST);

    directory.has_diff_id = text && coras_digest_parse(text, &directory.diff_id, NULL) == 0;
    return add_entry(p, &directory, coras_streq(title, ".") ? NULL : title, err);
}

static bool is_packed_directory(const coras_descriptor *desc)
{
    const char *unpack = coras_annotations_get(&desc->annotations, CORAS_ANN_CONTENT_UNPACK);

    return unpack && coras_streq(unpack, "true");
}

static int add_named(coras_package *p, const struct coras_package_layer *layer, coras_error **err)
{
    const char *path = NULL;

    CORAS_TRY(coras_package_named(p, layer->desc, &path, err));
    if (!path)
        return add_unplaced(p, layer->desc, err);
    return add_file(p, layer, path, err);
}

static int add_titled(coras_package *p, const struct coras_package_layer *layer, coras_error **err)
{
    const char *title = coras_descriptor_title(layer->desc);

    if (!title || !*title)
        return add_unplaced(p, layer->desc, err);
    if (is_packed_directory(layer->desc))
        return add_packed_directory(p, layer, title, err);
    return add_file(p, layer, title, err);
}

static int add_by_type(coras_package *p, const coras_manifest *m,
                       const struct coras_package_layer *layer, coras_error **err)
{
    coras_auto_free char *path = NULL;
    bool is_known;

    if (p->kind == CORAS_PACKAGE_OLLAMA)
        CORAS_TRY(coras_ollama_path(p, layer, &path, &is_known, err));
    else if (coras_docker_goes_by_type(m))
        CORAS_TRY(coras_docker_path(p, layer, &path, &is_known, err));
    else
        return add_named(p, layer, err);
    if (path)
        return add_file(p, layer, path, err);
    return is_known ? 0 : add_unplaced(p, layer->desc, err);
}

#define MODELS_DIRECTORY "models/"

static int add_image_layer(coras_package *p, const struct coras_package_layer *layer,
                           coras_error **err)
{
    const coras_package_entry image = {.desc = layer->desc,
                                       .form = CORAS_LAYER_TAR,
                                       .compression = layer->type.compression,
                                       .is_claim = true,
                                       .strip = MODELS_DIRECTORY};

    if (layer->type.family != CORAS_TYPE_IMAGE || layer->type.form != CORAS_LAYER_TAR)
        return coras_package_warn(p, layer->desc, "is no layer of an image: left out", err);
    return add_entry(p, &image, NULL, err);
}

static int add_layer(coras_package *p, const coras_manifest *m,
                     const struct coras_package_layer *layer, coras_error **err)
{
    bool is_foreign =
        layer->type.family == CORAS_TYPE_OTHER || layer->type.family == CORAS_TYPE_IMAGE;

    if (p->kind == CORAS_PACKAGE_MODELCAR)
        return add_image_layer(p, layer, err);
    if (p->kind == CORAS_PACKAGE_ORAS || (is_foreign && is_packed_directory(layer->desc)))
        return add_titled(p, layer, err);
    if (is_foreign)
        return add_named(p, layer, err);
    if (layer->type.form == CORAS_LAYER_TAR)
        return add_archive(p, layer, err);
    return add_by_type(p, m, layer, err);
}

/* ---- the whole ---- */

static struct coras_package_layer *layers_of(const coras_manifest *m)
{
    struct coras_package_layer *layers = coras_calloc(m->layers.len + 1, sizeof(*layers));

    for (size_t i = 0; layers && i < m->layers.len; i++) {
        const coras_descriptor *desc = &m->layers.items[i];
        layers[i] = (struct coras_package_layer){.desc = desc,
                                                 .name = m->layer_names ? m->layer_names[i] : NULL,
                                                 .index = i,
                                                 .type = coras_layer_type_of(desc->media_type)};
    }
    if (layers)
        coras_package_group(layers, m->layers.len);
    return layers;
}

static int add_layers(coras_package *p, const coras_manifest *m, coras_error **err)
{
    coras_auto_free struct coras_package_layer *layers = layers_of(m);

    if (!layers)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < m->layers.len; i++) {
        if (p->kind == CORAS_PACKAGE_ORAS) /* a form in a type says nothing there */
            layers[i].type.compression = CORAS_COMPRESSION_NONE;
        CORAS_TRY(add_layer(p, m, &layers[i], err));
    }
    return 0;
}

int coras_package_read(const coras_manifest *m, const void *config, size_t config_len,
                       coras_package *ret, coras_error **err)
{
    coras_auto_value(coras_package) p = {0};

    if (coras_kind_is_index(m->kind))
        return coras_fail(err, CORAS_ERR_INVALID_MANIFEST, "an index is no model package");
    p.kind = coras_package_kind_of(m);
    CORAS_TRY(add_layers(&p, m, err));
    if (config)
        CORAS_TRY(coras_package_apply_config(&p, m, config, config_len, err));
    CORAS_TRY(coras_package_check_paths(&p, err));
    *ret = p;
    p = (coras_package){0};
    return 0;
}

/* What is compressed has a digest of its own there; a model of Ollama may be somewhere else. */
bool coras_package_needs_config(const coras_manifest *m)
{
    enum coras_package_kind kind = coras_package_kind_of(m);
    bool has_weights = false, has_forms = false;

    if (kind == CORAS_PACKAGE_ORAS || !m->has_config ||
        coras_descriptor_is_empty(&m->config, false))
        return false;
    for (size_t i = 0; i < m->layers.len; i++) {
        struct coras_layer_type type = coras_layer_type_of(m->layers.items[i].media_type);
        has_forms |= type.compression != CORAS_COMPRESSION_NONE ||
                     (kind == CORAS_PACKAGE_KITOPS && type.form == CORAS_LAYER_TAR);
        has_weights |= coras_layer_is_for(&type, "model") || coras_layer_is_for(&type, "tensor");
    }
    return kind == CORAS_PACKAGE_OLLAMA ? !has_weights : has_forms;
}
