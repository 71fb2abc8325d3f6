/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in a model: the small documents first, since they say which tensors there should be, then
 * the headers of all weight files, several at a time, then what follows from all of it.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/options.h"
#include "base/vec.h"
#include "model/dtypes.h"
#include "ops/models/inspection.h"
#include "transfer/parallel.h"

enum { USUAL_CONCURRENCY = 6 }; /* headers are small: it is their latency that is shared */

/* ---- documents ---- */

static bool is_sidecar_config(const char *path)
{
    return coras_streq(coras_path_base(path), "config.json");
}

/* The one nearest the root; of several the first by name. */
static const char *nearest_config(const coras_model *m)
{
    const char *best = NULL;

    coras_vec_foreach (f, &m->files) {
        if (!is_sidecar_config(f->path) || f->size > CORAS_LIMIT_MODEL_CONFIG)
            continue;
        bool is_nearer =
            !best || coras_path_depth(f->path) < coras_path_depth(best) ||
            (coras_path_depth(f->path) == coras_path_depth(best) && strcmp(f->path, best) < 0);
        if (is_nearer)
            best = f->path;
    }
    return best;
}

/* A model of GGUF files alone says everything in them. */
static bool is_all_gguf(const coras_model *m)
{
    bool some = false;

    coras_vec_foreach (f, &m->files) {
        some = some || coras_str_ends(f->path, ".gguf");
        if (coras_str_ends(f->path, ".safetensors"))
            return false;
    }
    return some;
}

static int read_config(struct coras_inspection *in, size_t file, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_MODEL_CONFIG);
    coras_auto(coras_error) why = NULL;
    bool verified = false;

    CORAS_TRY(
        coras_model_document(in->model, file, CORAS_LIMIT_MODEL_CONFIG, &text, &verified, err));
    in->config_unverified = !verified;
    int rc = coras_hf_config_read(text.ptr, text.len, &in->config, &why);
    if (rc == CORAS_ERR_NO_MEMORY)
        return coras_fail_no_memory(err);
    return rc < 0 ? coras_inspection_warn(in, in->model->files.items[file].path,
                                          coras_error_message(why), err)
                  : 0;
}

static int read_index(struct coras_inspection *in, size_t file, coras_model_index **ret,
                      coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_MODEL_INDEX);

    CORAS_TRY(coras_model_document(in->model, file, CORAS_LIMIT_MODEL_INDEX, &text, NULL, err));
    return coras_model_index_new(in->model->files.items[file].path, (coras_str){text.ptr, text.len},
                                 ret, err);
}

/* The documents are: the package's config, config.json, then the indexes. */
static int read_document(void *user, size_t i, coras_error **err)
{
    struct coras_inspection *in = user;
    const struct coras_inspected_document *d = &in->documents.items[i];

    switch (d->kind) {
    case CORAS_DOCUMENT_PACKAGE:
        return coras_model_fetch_config(in->model, err);
    case CORAS_DOCUMENT_CONFIG:
        return read_config(in, d->file, err);
    case CORAS_DOCUMENT_INDEX:
        break;
    }
    return read_index(in, d->file, &in->documents.items[i].index, err);
}

static int add_document(struct coras_inspection *in, enum coras_document_kind kind, size_t file,
                        coras_error **err)
{
    if (coras_vec_grow(&in->documents, 1) < 0)
        return coras_fail_no_memory(err);
    in->documents.items[in->documents.len++] =
        (struct coras_inspected_document){.kind = kind, .file = file};
    return 0;
}

static bool has_claims(const coras_model *m)
{
    return m->package.kind == CORAS_PACKAGE_MODELPACK || m->package.kind == CORAS_PACKAGE_DOCKER ||
           m->package.kind == CORAS_PACKAGE_OLLAMA;
}

static int choose_documents(struct coras_inspection *in, coras_error **err)
{
    const coras_model *m = in->model;
    const char *config = is_all_gguf(m) ? NULL : nearest_config(m);

    if (has_claims(m))
        CORAS_TRY(add_document(in, CORAS_DOCUMENT_PACKAGE, 0, err));
    for (size_t i = 0; i < m->files.len; i++) {
        const char *path = m->files.items[i].path;
        if (config && coras_streq(path, config))
            CORAS_TRY(add_document(in, CORAS_DOCUMENT_CONFIG, i, err));
        else if (coras_model_is_index(path))
            CORAS_TRY(add_document(in, CORAS_DOCUMENT_INDEX, i, err));
    }
    return 0;
}

/* ---- headers ---- */

static int see_tensor(void *user, size_t file, const coras_tensor_record *t, coras_error **err)
{
    struct coras_inspection *in = user;
    const char *path = in->model->files.items[file].path;

    coras_vec_foreach (d, &in->documents)
        if (d->index && coras_model_index_has(d->index, path))
            CORAS_TRY(coras_model_index_see(d->index, path, t->name, err));
    return 0;
}

static int read_header(void *user, size_t i, coras_error **err)
{
    struct coras_inspection *in = user;

    return coras_file_facts_read(in->model, &in->files[in->candidates[i]], err);
}

static int choose_files(struct coras_inspection *in, coras_error **err)
{
    size_t count = in->file_count = in->model->files.len;

    in->files = coras_calloc(count + 1, sizeof(*in->files));
    in->candidates = coras_calloc(count + 1, sizeof(*in->candidates));
    if (!in->files || !in->candidates)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < count; i++) {
        coras_file_facts *f = &in->files[i];
        coras_file_facts_init(f, i);
        f->keep = in->tensors ? &in->budget : NULL;
        f->tensor = see_tensor;
        f->user = in;
        if (coras_model_may_be_weights(in->model, i))
            in->candidates[in->candidate_count++] = i;
    }
    return 0;
}

static int find_missing(struct coras_inspection *in, coras_error **err)
{
    coras_auto(coras_map) paths = coras_map_new(NULL);

    if (!paths)
        return coras_fail_no_memory(err);
    coras_vec_foreach (f, &in->model->files)
        CORAS_TRY(coras_map_set(paths, f->path, f, err));
    coras_vec_foreach (d, &in->documents)
        if (d->index)
            CORAS_TRY(coras_model_index_find_missing(d->index, paths, err));
    return 0;
}

static int read_all(struct coras_inspection *in, coras_error **err)
{
    coras_auto_value(coras_run) run;
    coras_run_options options = in->model->run;

    options.on_event = NULL; /* nothing is transferred */
    if (options.concurrency <= 0)
        options.concurrency = USUAL_CONCURRENCY;
    coras_run_init(&run, &options);
    CORAS_TRY(choose_documents(in, err));
    CORAS_TRY(choose_files(in, err));
    CORAS_TRY(coras_run_parallel(&run, in->documents.len, read_document, in, err));
    CORAS_TRY(find_missing(in, err));
    return coras_run_parallel(&run, in->candidate_count, read_header, in, err);
}

/* ---- the call ---- */

static void inspection_clear(struct coras_inspection *in)
{
    for (size_t i = 0; in->files && i < in->file_count; i++)
        coras_file_facts_clear(&in->files[i]);
    coras_vec_foreach (d, &in->documents)
        coras_model_index_free(d->index);
    free(in->files);
    free(in->candidates);
    free(in->documents.items);
    coras_hf_config_clear(&in->config);
    coras_strlist_clear(&in->warnings);
    *in = (struct coras_inspection){
        .model = in->model, .tensors = in->tensors, .config = {.context_length = -1}};
}

/* Layers that turn out to be archives become their members, and everything is looked at again. */
static int read_again(struct coras_inspection *in, coras_error **err)
{
    coras_auto_free bool *is_archive = coras_calloc(in->file_count + 1, sizeof(*is_archive));
    bool some = false;

    if (!is_archive)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < in->file_count; i++) {
        is_archive[i] = in->files[i].weights.content == CORAS_CONTENT_TAR &&
                        coras_model_can_expand(in->model, i);
        some = some || is_archive[i];
    }
    if (!some)
        return 0;
    inspection_clear(in);
    CORAS_TRY(coras_model_expand(in->model, is_archive, err));
    return read_all(in, err);
}

int coras_inspection_warn(struct coras_inspection *in, const char *path, const char *text,
                          coras_error **err)
{
    coras_auto_buf line = CORAS_BUF_UNLIMITED;

    if (in->warnings.len >= CORAS_LIMIT_MODEL_WARNINGS)
        return 0;
    if (path) {
        coras_escape(&line, path, strlen(path), CORAS_LIMIT_COMPONENT);
        coras_buf_puts(&line, ": ");
    }
    coras_buf_puts(&line, text);
    CORAS_TRY(coras_buf_done(&line, err));
    return coras_strlist_add(&in->warnings, line.ptr, err);
}

int coras_model_inspect(coras_model *model, const coras_inspect_options *opts,
                        coras_model_facts **ret, coras_error **err)
{
    coras_inspect_options known = CORAS_INSPECT_OPTIONS_INIT;
    struct coras_inspection in = {.model = model, .config = {.context_length = -1}};

    if (!model || !ret)
        return coras_missing_argument(err);
    CORAS_TRY(coras_options_read(&known, sizeof(known), opts, err));
    in.tensors = known.tensors;
    int rc = read_all(&in, err);
    if (rc == 0)
        rc = read_again(&in, err);
    if (rc == 0)
        rc = coras_inspection_conclude(&in, ret, err);
    inspection_clear(&in);
    return rc;
}
