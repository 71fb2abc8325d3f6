/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every export of a model does (coras/model_store.h); export_hub.c and
 * export_ollama.c know the stores.
 */
#include "ops/models/export.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/map.h"
#include "base/options.h"
#include "base/vec.h"
#include "ops/models/blob_dir.h"
#include "ops/select.h"
#include "transfer/parallel.h"

void coras_model_export_result_clear(coras_model_export_result *result)
{
    free(result->path);
    *result = (coras_model_export_result){0};
}

int coras_model_export_enter(const struct coras_model_export *x, const char *path, int *ret_fd,
                             coras_error **err)
{
    int fd;

    CORAS_TRY(coras_mkdir_all(x->dirfd, path, 0755, err));
    fd = openat(x->dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return coras_fail_errno(err, errno, "open %s", path);
    *ret_fd = fd;
    return 0;
}

/* ---- files ---- */

static int add_wanted(const coras_model_file *file, struct coras_export_files *ret,
                      coras_error **err)
{
    if (!file->is_blob) {
        coras_auto_free char *shown = coras_escape_dup(file->path);
        return coras_fail(err, CORAS_ERR_UNSUPPORTED,
                          "%s is in an archive: pull the model into a directory, and push that",
                          shown ? shown : "");
    }
    if (coras_vec_grow(ret, 1) < 0)
        return coras_fail_no_memory(err);
    ret->items[ret->len++] = file;
    return 0;
}

int coras_model_export_files(const struct coras_model_export *x, struct coras_export_files *ret,
                             coras_error **err)
{
    coras_vec_foreach (file, &x->model->files)
        if (coras_selection_matches(x->selection, file->path,
                                    file->blob ? file->blob->media_type : NULL))
            CORAS_TRY(add_wanted(file, ret, err));
    if (ret->len == 0)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "no file of the model is wanted");
    return 0;
}

/* ---- blobs ---- */

struct bringing {
    const struct coras_model_export *x;
    struct coras_export_blobs once; /* one descriptor for each content */
    int dirfd;
    char *(*name_of)(const coras_digest *digest);
};

int coras_export_blobs_add(struct coras_export_blobs *l, const coras_descriptor *blob,
                           coras_error **err)
{
    if (coras_vec_grow(l, 1) < 0)
        return coras_fail_no_memory(err);
    l->items[l->len++] = blob;
    return 0;
}

static int bring_one(void *user, size_t i, coras_error **err)
{
    struct bringing *b = user;
    const coras_descriptor *blob = b->once.items[i];
    coras_auto_free char *name = b->name_of(&blob->digest);

    if (!name)
        return coras_fail_no_memory(err);
    return coras_blob_dir_bring(b->x->run, b->x->source, b->dirfd, name, blob, err);
}

static int keep_first_of_each(const struct coras_export_blobs *blobs,
                              struct coras_export_blobs *ret, coras_error **err)
{
    coras_auto(coras_map) seen = coras_map_new(NULL);
    char text[CORAS_DIGEST_TEXT_MAX];

    if (!seen)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < blobs->len; i++) {
        coras_digest_format(&blobs->items[i]->digest, text);
        if (coras_map_has(seen, text))
            continue;
        CORAS_TRY(coras_map_set(seen, text, NULL, err));
        CORAS_TRY(coras_export_blobs_add(ret, blobs->items[i], err));
    }
    return 0;
}

int coras_model_export_blobs(const struct coras_model_export *x,
                             const struct coras_export_blobs *blobs, int dirfd,
                             char *(*name_of)(const coras_digest *digest), coras_error **err)
{
    struct bringing b = {.x = x, .dirfd = dirfd, .name_of = name_of};

    int rc = keep_first_of_each(blobs, &b.once, err);
    if (rc == 0)
        rc = coras_run_parallel(x->run, b.once.len, bring_one, &b, err);
    free(b.once.items);
    return rc;
}

/* ---- the call ---- */

static int open_store(const char *directory, int *ret, coras_error **err)
{
    CORAS_TRY(coras_mkdir_all(AT_FDCWD, directory, 0755, err));
    *ret = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *ret < 0 ? coras_fail_errno(err, errno, "open %s", directory) : 0;
}

static bool is_digest(const char *reference)
{
    coras_digest digest;

    return coras_digest_parse(reference, &digest, NULL) == 0;
}

static int export_to(struct coras_model_export *x, enum coras_model_store store,
                     coras_model_export_result *ret, coras_error **err)
{
    coras_auto_fd dirfd = -1;

    CORAS_TRY(open_store(x->directory, &dirfd, err));
    x->dirfd = dirfd;
    CORAS_TRY(store == CORAS_MODEL_STORE_HUB ? coras_model_export_hub(x, err)
                                             : coras_model_export_ollama(x, err));
    coras_auto_free char *path = coras_path_join(x->directory, x->path.ptr);
    coras_auto_free char *absolute = path ? coras_path_abs(path) : NULL;
    if (!absolute)
        return coras_fail_no_memory(err);
    *ret = (coras_model_export_result){.path = coras_steal(&absolute),
                                       .digest = x->model->desc.digest};
    return 0;
}

static int export_model(coras_target *source, const char *reference,
                        const coras_model_export_options *opts, coras_run *run,
                        coras_model_export_result *ret, coras_error **err)
{
    coras_auto(coras_model) model = NULL;
    coras_selection selection = CORAS_SELECTION_INIT;

    CORAS_TRY(coras_selection_read(opts->selection, &selection, err));
    CORAS_TRY(coras_model_open(source, reference, opts->platform, run->options, &model, err));
    struct coras_model_export x = {.run = run,
                                   .source = source,
                                   .model = model,
                                   .selection = &selection,
                                   .name = opts->name,
                                   .tag = is_digest(reference) ? NULL : reference,
                                   .directory = opts->directory,
                                   .dirfd = -1,
                                   .path = CORAS_BUF_UNLIMITED};
    int rc = export_to(&x, opts->store, ret, err);
    coras_buf_clear(&x.path);
    return rc;
}

int coras_model_export(coras_target *source, const char *reference,
                       const coras_model_export_options *opts, const coras_run_options *run_options,
                       coras_model_export_result *ret, coras_error **err)
{
    coras_model_export_options known = CORAS_MODEL_EXPORT_OPTIONS_INIT;

    if (!source || !reference || !opts || !ret)
        return coras_missing_argument(err);
    CORAS_TRY(coras_options_read(&known, sizeof(known), opts, err));
    if (!known.directory || !known.name)
        return coras_missing_argument(err);
    coras_auto_value(coras_run) run;
    coras_run_init(&run, run_options);
    int rc = export_model(source, reference, &known, &run, ret, err);
    coras_run_deliver(&run);
    return rc;
}
