/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model in the store of Ollama (ollama_store.h): its own packages as they are, of others the
 * parts that it loads.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"
#include "model/dtypes.h"
#include "model/mediatypes.h"
#include "oci/digest.h"
#include "ops/models/blob_dir.h"
#include "ops/models/export.h"
#include "ops/models/survey_weights.h"
#include "ops/models/ollama_store.h"
#include "ops/select.h"

/* A part of the model: a layer of the manifest. */
struct ollama_part {
    const char *type; /* behind CORAS_MT_OLLAMA */
    const coras_model_file *file;
};

struct ollama_export {
    struct coras_model_export *x;
    int blobs;
    struct coras_export_files files;
    struct {
        struct ollama_part *items;
        size_t len, cap;
    } parts;
    coras_weight_sums sums; /* of the model's GGUF */
    coras_digest config;
    size_t config_size;
};

static void ollama_export_clear(struct ollama_export *o)
{
    coras_close_fd(&o->blobs);
    free(o->files.items);
    free(o->parts.items);
    coras_weight_sums_clear(&o->sums);
}

static char *blob_name_of(const coras_digest *digest)
{
    coras_auto_free char *path = coras_ollama_blob_path(digest);

    return path ? coras_strdup(coras_path_base(path)) : NULL;
}

static int check_digests(const struct coras_export_blobs *blobs, coras_error **err)
{
    for (size_t i = 0; i < blobs->len; i++)
        if (blobs->items[i]->digest.algorithm != CORAS_SHA256)
            return coras_fail(err, CORAS_ERR_UNSUPPORTED_DIGEST, "Ollama knows sha256 only");
    return 0;
}

static int bring(const struct ollama_export *o, const struct coras_export_blobs *blobs,
                 coras_error **err)
{
    CORAS_TRY(check_digests(blobs, err));
    return coras_model_export_blobs(o->x, blobs, o->blobs, blob_name_of, err);
}

/* Last: a manifest that Ollama finds names what is there. */
static int put_manifest(const struct ollama_export *o, const void *data, size_t len,
                        coras_error **err)
{
    coras_auto_free char *path = NULL;

    CORAS_TRY(coras_ollama_manifest_path(o->x->name, &path, err));
    coras_auto_free char *parent = coras_path_join(path, "..");
    if (!parent)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_mkdir_all(o->x->dirfd, parent, 0755, err));
    CORAS_TRY(coras_write_file_not_through(o->x->dirfd, path, data, len, 0644, err));
    coras_buf_puts(&o->x->path, path);
    return coras_buf_done(&o->x->path, err);
}

/* ---- its own packages ---- */

static int export_as_it_is(struct ollama_export *o, coras_error **err)
{
    const coras_manifest *m = &o->x->model->manifest;
    struct coras_export_blobs blobs = {0};
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);

    int rc = coras_export_blobs_add(&blobs, &m->config, err);
    for (size_t i = 0; i < m->layers.len && rc == 0; i++)
        rc = coras_export_blobs_add(&blobs, &m->layers.items[i], err);
    if (rc == 0)
        rc = bring(o, &blobs, err);
    free(blobs.items);
    CORAS_TRY(rc);
    CORAS_TRY(coras_target_fetch_verified(o->x->source, &o->x->model->desc, CORAS_LIMIT_MANIFEST,
                                          &text, err));
    return put_manifest(o, text.ptr, text.len, err);
}

/* ---- parts of other packages ---- */

static bool is_gguf(const coras_model_file *file)
{
    const char *format = coras_annotations_get(&file->blob->annotations, CORAS_ANN_FORMAT);

    return coras_str_ends(file->path, ".gguf") || coras_str_ends(file->path, ".GGUF") ||
           (format && coras_str_starts(format, "gguf"));
}

/* Which part a document is; NULL: none. Names as a pull of Ollama's packages gives them. */
static const char *document_type(const char *path)
{
    static const char *const names[][2] = {{"template", "template"},
                                           {"system", "system"},
                                           {"params.json", "params"},
                                           {"messages.json", "messages"}};
    static const char *const licences[] = {"license", "licence", "LICENSE", "LICENCE"};

    for (size_t i = 0; i < CORAS_ARRAY_LEN(names); i++)
        if (coras_streq(path, names[i][0]))
            return names[i][1];
    for (size_t i = 0; i < CORAS_ARRAY_LEN(licences); i++)
        if (coras_str_starts(path, licences[i]) && !strchr(path, '/'))
            return "license";
    return NULL;
}

static int add_part(struct ollama_export *o, const char *type, const coras_model_file *file,
                    coras_error **err)
{
    if (coras_vec_grow(&o->parts, 1) < 0)
        return coras_fail_no_memory(err);
    o->parts.items[o->parts.len++] = (struct ollama_part){type, file};
    return 0;
}

static int bring_parts(struct ollama_export *o, coras_error **err)
{
    struct coras_export_blobs blobs = {0};
    int rc = 0;

    for (size_t i = 0; i < o->files.len && rc == 0; i++) {
        const coras_model_file *file = o->files.items[i];
        if (is_gguf(file) || document_type(file->path))
            rc = coras_export_blobs_add(&blobs, file->blob, err);
    }
    if (rc == 0)
        rc = bring(o, &blobs, err);
    free(blobs.items);
    return rc;
}

/* Read the header of a GGUF that is there now. */
static int read_gguf(const struct ollama_export *o, const coras_model_file *file,
                     coras_weight_sums *sums, struct coras_weight_header *ret, coras_error **err)
{
    coras_auto_free char *name = blob_name_of(&file->blob->digest);
    struct coras_model_dir_file local = {.path = file->path, .size = file->size};

    if (!name)
        return coras_fail_no_memory(err);
    coras_auto_fd fd = openat(o->blobs, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return coras_fail_errno(err, errno, "open %s", name);
    local.fd = fd;
    return coras_weight_sums_read(sums, &local, CORAS_WEIGHT_GGUF, &o->x->run->stop, ret, err);
}

static int fail_second(const struct ollama_export *o, const coras_model_file *file,
                       coras_error **err)
{
    coras_auto_free char *first = coras_escape_dup(o->parts.items[0].file->path);
    coras_auto_free char *second = coras_escape_dup(file->path);

    return coras_fail(
        err, CORAS_ERR_UNSUPPORTED,
        "%s and %s: Ollama loads one file; choose it, or join the parts of a split one",
        first ? first : "", second ? second : "");
}

static int add_gguf(struct ollama_export *o, const coras_model_file *file, coras_error **err)
{
    coras_auto_value(coras_weight_sums) sums = {0};
    struct coras_weight_header header;

    CORAS_TRY(read_gguf(o, file, &sums, &header, err));
    if (header.is_companion)
        return add_part(o, header.is_adapter ? "adapter" : "projector", file, err);
    if (o->sums.has_gguf)
        return fail_second(o, file, err);
    CORAS_TRY(add_part(o, "model", file, err));
    /* The model comes first in the manifest. */
    struct ollama_part first = o->parts.items[0];
    o->parts.items[0] = o->parts.items[o->parts.len - 1];
    o->parts.items[o->parts.len - 1] = first;
    o->sums = sums;
    sums = (coras_weight_sums){0};
    return 0;
}

static int collect_parts(struct ollama_export *o, coras_error **err)
{
    for (size_t i = 0; i < o->files.len; i++)
        if (is_gguf(o->files.items[i]))
            CORAS_TRY(add_gguf(o, o->files.items[i], err));
    if (!o->sums.has_gguf)
        return coras_fail(err, CORAS_ERR_UNSUPPORTED,
                          "Ollama loads GGUF, and the package has none");
    for (size_t i = 0; i < o->files.len; i++) {
        const char *type = document_type(o->files.items[i]->path);
        if (type)
            CORAS_TRY(add_part(o, type, o->files.items[i], err));
    }
    return 0;
}

/* ---- config and manifest ---- */

static void put_diff_ids(coras_json_writer *w, const struct ollama_export *o)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    coras_jw_key(w, "rootfs");
    coras_jw_object(w);
    coras_jw_member(w, "type", "layers");
    coras_jw_key(w, "diff_ids");
    coras_jw_array(w);
    coras_vec_foreach (part, &o->parts)
        coras_jw_string(w, coras_digest_format(&part->file->blob->digest, text));
    coras_jw_end_array(w);
    coras_jw_end_object(w);
}

static int write_config(const struct ollama_export *o, coras_buf *out, coras_error **err)
{
    const struct coras_gguf_facts *facts = &o->sums.facts;
    coras_json_writer w = CORAS_JSON_WRITER(out, 0);
    coras_auto_buf size = CORAS_BUF_UNLIMITED;

    coras_parameter_size_put(&size, coras_dtype_tally_elements(&o->sums.gguf));
    CORAS_TRY(coras_buf_done(&size, err));
    coras_jw_object(&w);
    coras_jw_member(&w, "model_format", "gguf");
    coras_jw_member_opt(&w, "model_family", facts->architecture);
    coras_jw_key(&w, "model_families");
    coras_jw_array(&w);
    if (facts->architecture)
        coras_jw_string(&w, facts->architecture);
    coras_jw_end_array(&w);
    coras_jw_member_opt(&w, "model_type", size.ptr);
    coras_jw_member_opt(&w, "file_type", coras_gguf_file_type(facts->file_type));
    coras_jw_member(&w, "architecture", "amd64");
    coras_jw_member(&w, "os", "linux");
    put_diff_ids(&w, o);
    coras_jw_end_object(&w);
    return coras_buf_done(out, err);
}

static int put_config(struct ollama_export *o, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    CORAS_TRY(write_config(o, &text, err));
    CORAS_TRY(coras_digest_of(CORAS_SHA256, text.ptr, text.len, &o->config, err));
    o->config_size = text.len;
    coras_auto_free char *name = blob_name_of(&o->config);
    return name ? coras_blob_dir_put(o->blobs, name, text.ptr, text.len, err)
                : coras_fail_no_memory(err);
}

static void put_descriptor(coras_json_writer *w, const char *media_type, const coras_digest *digest,
                           int64_t size)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    coras_jw_object(w);
    coras_jw_member(w, "mediaType", media_type);
    coras_jw_member(w, "digest", coras_digest_format(digest, text));
    coras_jw_member_int(w, "size", size);
    coras_jw_end_object(w);
}

static int write_manifest(const struct ollama_export *o, coras_buf *out, coras_error **err)
{
    coras_json_writer w = CORAS_JSON_WRITER(out, 0);

    coras_jw_object(&w);
    coras_jw_member_int(&w, "schemaVersion", 2);
    coras_jw_member(&w, "mediaType", CORAS_MT_DOCKER_MANIFEST);
    coras_jw_key(&w, "config");
    put_descriptor(&w, CORAS_MT_DOCKER_CONFIG, &o->config, (int64_t)o->config_size);
    coras_jw_key(&w, "layers");
    coras_jw_array(&w);
    coras_vec_foreach (part, &o->parts) {
        coras_auto_free char *type = coras_asprintf(CORAS_MT_OLLAMA "%s", part->type);
        if (!type)
            return coras_fail_no_memory(err);
        put_descriptor(&w, type, &part->file->blob->digest, part->file->size);
    }
    coras_jw_end_array(&w);
    coras_jw_end_object(&w);
    coras_buf_putc(out, '\n');
    return coras_buf_done(out, err);
}

static int export_parts(struct ollama_export *o, coras_error **err)
{
    coras_auto_buf manifest = CORAS_BUF_UNLIMITED;

    CORAS_TRY(coras_model_export_files(o->x, &o->files, err));
    CORAS_TRY(bring_parts(o, err));
    CORAS_TRY(collect_parts(o, err));
    CORAS_TRY(put_config(o, err));
    CORAS_TRY(write_manifest(o, &manifest, err));
    return put_manifest(o, manifest.ptr, manifest.len, err);
}

int coras_model_export_ollama(struct coras_model_export *x, coras_error **err)
{
    struct ollama_export o = {.x = x, .blobs = -1};
    coras_auto_free char *path = NULL;
    bool own = x->model->package.kind == CORAS_PACKAGE_OLLAMA;

    CORAS_TRY(coras_ollama_manifest_path(x->name, &path, err)); /* before anything is moved */
    CORAS_TRY(coras_model_export_enter(x, "blobs", &o.blobs, err));
    int rc = own && !coras_selection_is_choosy(x->selection) ? export_as_it_is(&o, err)
                                                             : export_parts(&o, err);
    ollama_export_clear(&o);
    return rc;
}
