/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chosen tensors and documents of a model, staged and placed together (tensors.h).
 */
#include "ops/models/tensors.h"

#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/vec.h"
#include "model/shards.h"
#include "oci/digest.h"
#include "oci/mediatype.h"
#include "ops/models/weights.h"
#include "ops/models/new_files.h"
#include "ops/plan.h"
#include "ops/select.h"
#include "ops/models/tensor_file.h"
#include "ops/models/tensor_index.h"
#include "transfer/parallel.h"

/* A stretch of a weight file, or a whole document. */
struct tensor_job {
    size_t file; /* of files.paths */
    size_t stretch;
};

/* The whole of one pull. Files are in this order: weights, documents, indexes. */
struct tensor_pull {
    coras_model *model;
    const struct coras_tensors_wanted *wanted;
    coras_run run;
    coras_chosen_files chosen;
    struct {
        size_t *items; /* files of the model */
        size_t len, cap;
    } documents;
    coras_tensor_file *layouts; /* as many as chosen */
    struct {
        struct tensor_job *items;
        size_t len, cap;
    } jobs;
    coras_tensor_indexes indexes;
    coras_new_files files;
    coras_pulled_file *pulled; /* as many as files.paths */
};

static void clear(struct tensor_pull *p)
{
    for (size_t i = 0; p->pulled && i < p->files.paths.len; i++) {
        free(p->pulled[i].path);
        coras_descriptor_clear(&p->pulled[i].desc);
    }
    free(p->pulled);
    for (size_t i = 0; p->layouts && i < p->chosen.len; i++)
        coras_tensor_file_clear(&p->layouts[i]);
    free(p->layouts);
    free(p->jobs.items);
    coras_new_files_clear(&p->files);
    coras_tensor_indexes_clear(&p->indexes);
    free(p->documents.items);
    coras_chosen_files_clear(&p->chosen);
    coras_run_clear(&p->run);
}

/* ---- what comes ---- */

/* Small files that are as good as before; not the list of files that are no longer these. */
static bool is_document(const struct tensor_pull *p, size_t i)
{
    const coras_model_file *f = &p->model->files.items[i];
    const char *media_type = f->blob ? f->blob->media_type : NULL;

    return !coras_model_may_be_weights(p->model, i) &&
           !coras_str_ends(f->path, CORAS_TENSOR_INDEX_SUFFIX) &&
           coras_selection_matches(p->wanted->choice.selection, f->path, media_type);
}

static int list_documents(struct tensor_pull *p, coras_error **err)
{
    for (size_t i = 0; i < p->model->files.len; i++) {
        if (!is_document(p, i))
            continue;
        if (coras_vec_grow(&p->documents, 1) < 0)
            return coras_fail_no_memory(err);
        p->documents.items[p->documents.len++] = i;
    }
    return 0;
}

static int add_path(struct tensor_pull *p, coras_map *known, const char *path, coras_error **err)
{
    if (coras_map_has(known, path)) {
        coras_auto_free char *shown = coras_escape_dup(path);
        return coras_fail(err, CORAS_ERR_EXISTS, "two files would be called %s",
                          shown ? shown : "");
    }
    CORAS_TRY(coras_map_set(known, path, NULL, err));
    return coras_strlist_add(&p->files.paths, path, err);
}

static int list_paths(struct tensor_pull *p, coras_error **err)
{
    coras_auto(coras_map) known = coras_map_new(NULL);

    if (!known)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_name_tensor_files(p->model, &p->chosen, &p->indexes, err));
    for (size_t i = 0; i < p->chosen.len; i++)
        CORAS_TRY(add_path(p, known, p->indexes.paths.items[i], err));
    for (size_t i = 0; i < p->documents.len; i++)
        CORAS_TRY(add_path(p, known, p->model->files.items[p->documents.items[i]].path, err));
    for (size_t i = 0; i < p->indexes.names.len; i++)
        CORAS_TRY(add_path(p, known, p->indexes.names.items[i], err));
    p->pulled = coras_calloc(p->files.paths.len + 1, sizeof(*p->pulled));
    return p->pulled ? 0 : coras_fail_no_memory(err);
}

static const coras_model_file *source_of(const struct tensor_pull *p, size_t i)
{
    size_t file =
        i < p->chosen.len ? p->chosen.items[i].file : p->documents.items[i - p->chosen.len];

    return &p->model->files.items[file];
}

/* What is moved for the i-th file: the new header is not. */
static int64_t bytes_of(const struct tensor_pull *p, size_t i)
{
    int64_t sum = 0;

    if (i >= p->chosen.len)
        return source_of(p, i)->size;
    coras_vec_foreach (t, &p->chosen.items[i].tensors)
        sum += t->bytes;
    return sum;
}

static int64_t bytes_to_come(const struct tensor_pull *p)
{
    int64_t sum = 0;

    for (size_t i = 0; i < p->chosen.len + p->documents.len; i++)
        if (!coras_add_int64(sum, bytes_of(p, i), &sum))
            return INT64_MAX;
    return sum;
}

static int plan_all(const struct tensor_pull *p, coras_error **err)
{
    coras_auto_value(coras_plan) plan = CORAS_PLAN_INIT;

    for (size_t i = 0; i < p->chosen.len + p->documents.len; i++) {
        coras_descriptor desc = CORAS_DESCRIPTOR_INIT;
        if (source_of(p, i)->blob)
            desc = *source_of(p, i)->blob; /* a view: it is copied into the plan */
        desc.size = bytes_of(p, i);
        CORAS_TRY(coras_plan_add(&plan, p->files.paths.items[i], &desc, CORAS_PLAN_DOWNLOAD, err));
    }
    coras_plan_count(&plan, bytes_to_come(p));
    *p->wanted->plan = plan;
    plan = (coras_plan)CORAS_PLAN_INIT;
    return 0;
}

static int check_room(const struct tensor_pull *p, coras_error **err)
{
    int64_t free_bytes = coras_free_space(p->files.dirfd), wanted = bytes_to_come(p);

    if (free_bytes >= 0 && free_bytes < wanted)
        return coras_fail(err, CORAS_ERR_NO_SPACE, "%s: %lld bytes are wanted, %lld are free",
                          p->files.output, (long long)wanted, (long long)free_bytes);
    return 0;
}

/* ---- one file ---- */

/* Bytes of a document, on their way to the disk. */
struct document_copy {
    int fd;
    coras_hasher *hasher;
    int64_t size;
};

static int save_bytes(void *user, const void *data, size_t len, coras_error **err)
{
    struct document_copy *s = user;

    coras_hasher_update(s->hasher, data, len);
    CORAS_TRY(coras_pwrite_full(s->fd, data, len, s->size, err));
    s->size += (int64_t)len;
    return 0;
}

/* What the package recorded; a time that cannot be set is not worth a failure. */
static int restore(const coras_model_file *f, int fd, coras_error **err)
{
    const struct timespec times[] = {f->mtime, f->mtime};

    if (f->has_mode && fchmod(fd, f->mode & 0777) < 0)
        return coras_fail_errno(err, errno, "chmod");
    if (f->has_mtime)
        (void)!futimens(fd, times);
    return 0;
}

static int save_document(struct tensor_pull *p, const coras_model_file *f, int fd,
                         coras_descriptor *ret, coras_error **err)
{
    coras_auto(coras_hasher) hasher = NULL;
    int algorithm = f->is_blob ? f->blob->digest.algorithm : CORAS_SHA256;
    CORAS_TRY(coras_hasher_new(algorithm, &hasher, err));
    struct document_copy s = {fd, hasher, 0};
    const coras_sink sink = {save_bytes, &s};

    CORAS_TRY(coras_model_stream(p->model, (size_t)(f - p->model->files.items), 0, -1, &sink, err));
    coras_hasher_final(hasher, &ret->digest);
    ret->size = s.size;
    if (s.size != f->size)
        return coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "mismatched size");
    if (f->is_blob && !coras_digest_equal(&ret->digest, &f->blob->digest))
        return coras_fail(err, CORAS_ERR_DIGEST_MISMATCH, "mismatched digest");
    return restore(f, fd, err);
}

static int describe(struct tensor_pull *p, size_t i, const char *media_type, coras_error **err)
{
    coras_pulled_file *pulled = &p->pulled[i];

    pulled->path = coras_path_join(p->files.output, p->files.paths.items[i]);
    pulled->desc.media_type = coras_strdup(media_type ? media_type : CORAS_MT_OCTET_STREAM);
    if (!pulled->path || !pulled->desc.media_type)
        return coras_fail_no_memory(err);
    return coras_annotations_set(&pulled->desc.annotations, CORAS_ANN_TITLE,
                                 p->files.paths.items[i], err);
}

/* Which file of the model it was about. */
static int about(const struct tensor_pull *p, size_t i, int rc, coras_error **err)
{
    if (rc < 0) {
        coras_auto_free char *shown = coras_escape_dup(source_of(p, i)->path);
        return coras_wrap(err, rc, "%s", shown ? shown : "");
    }
    return 0;
}

static int add_job(struct tensor_pull *p, size_t file, size_t stretch, coras_error **err)
{
    if (coras_vec_grow(&p->jobs, 1) < 0)
        return coras_fail_no_memory(err);
    p->jobs.items[p->jobs.len++] = (struct tensor_job){file, stretch};
    return 0;
}

/* Make a file as far as it can be without its source, and note what is to be fetched for it. */
static int begin_file(struct tensor_pull *p, size_t i, coras_error **err)
{
    const coras_descriptor *blob = source_of(p, i)->blob;
    coras_auto_fd fd = -1;

    CORAS_TRY(coras_new_files_create(&p->files, i, &fd, err));
    CORAS_TRY(describe(p, i, blob ? blob->media_type : NULL, err));
    if (i >= p->chosen.len)
        return add_job(p, i, 0, err);
    CORAS_TRY(
        about(p, i, coras_tensor_file_begin(&p->chosen.items[i], fd, &p->layouts[i], err), err));
    for (size_t k = 0; k < p->layouts[i].stretches.len; k++)
        CORAS_TRY(add_job(p, i, k, err));
    return 0;
}

static int run_job(void *user, size_t k, coras_error **err)
{
    struct tensor_pull *p = user;
    const struct tensor_job job = p->jobs.items[k];
    const size_t i = job.file;
    coras_auto_fd fd = -1;
    int rc;

    CORAS_TRY(coras_new_files_reopen(&p->files, i, &fd, err));
    if (i < p->chosen.len)
        rc = coras_tensor_file_fetch(&p->layouts[i], p->model, &p->run, job.stretch, fd, err);
    else
        rc = save_document(p, source_of(p, i), fd, &p->pulled[i].desc, err);
    return about(p, i, rc, err);
}

static int end_file(void *user, size_t i, coras_error **err)
{
    struct tensor_pull *p = user;
    coras_descriptor *desc = &p->pulled[i].desc;
    coras_auto_fd fd = -1;

    CORAS_TRY(coras_new_files_reopen(&p->files, i, &fd, err));
    if (i < p->chosen.len)
        CORAS_TRY(about(p, i, coras_tensor_file_end(fd, desc, err), err));
    CORAS_TRY(coras_new_files_done(&p->files, i, fd, err));
    coras_run_post(&p->run, CORAS_EVENT_DONE, desc, desc->size, NULL);
    return 0;
}

/* One large file is as good for several connections as many small ones. */
static int save_files(struct tensor_pull *p, coras_error **err)
{
    const size_t count = p->chosen.len + p->documents.len;

    p->layouts = coras_calloc(p->chosen.len + 1, sizeof(*p->layouts));
    if (!p->layouts)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < count; i++)
        CORAS_TRY(begin_file(p, i, err));
    CORAS_TRY(coras_run_parallel(&p->run, p->jobs.len, run_job, p, err));
    return coras_run_parallel(&p->run, count, end_file, p, err);
}

static int save_index(struct tensor_pull *p, size_t i, coras_error **err)
{
    size_t at = p->chosen.len + p->documents.len + i;
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_auto_fd fd = -1;

    CORAS_TRY(coras_tensor_index_text(&p->chosen, &p->indexes, i, &text, err));
    CORAS_TRY(coras_new_files_create(&p->files, at, &fd, err));
    CORAS_TRY(describe(p, at, "application/json", err));
    CORAS_TRY(coras_write_full(fd, text.ptr, text.len, err));
    p->pulled[at].desc.size = (int64_t)text.len;
    CORAS_TRY(coras_digest_of(CORAS_SHA256, text.ptr, text.len, &p->pulled[at].desc.digest, err));
    return coras_new_files_done(&p->files, at, fd, err);
}

/* ---- all of it ---- */

static int warn(const struct tensor_pull *p, coras_strlist *warnings, coras_error **err)
{
    size_t verified = 0;
    bool was_cut = false;

    coras_vec_foreach (f, &p->chosen) {
        verified += f->verified;
        was_cut |= f->metadata_was_cut;
    }
    coras_auto_free char *text = coras_asprintf(
        "the tensors are not verified: no digest covers a part of a file (headers: %zu of %zu "
        "verified)",
        verified, p->chosen.len);
    if (!text)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_strlist_add(warnings, text, err));
    return was_cut ? coras_strlist_add(warnings, "metadata that is very long was left out", err)
                   : 0;
}

static int save_all(struct tensor_pull *p, coras_error **err)
{
    CORAS_TRY(coras_new_files_open(&p->files, p->wanted->output ? p->wanted->output : ".",
                                   p->model->run.no_sync, err));
    CORAS_TRY(check_room(p, err));
    CORAS_TRY(save_files(p, err));
    for (size_t i = 0; i < p->indexes.names.len; i++)
        CORAS_TRY(save_index(p, i, err));
    return coras_new_files_commit(&p->files, err);
}

static int pull(struct tensor_pull *p, coras_pull_result *ret, coras_strlist *warnings,
                coras_error **err)
{
    CORAS_TRY(coras_choose_tensors(p->model, &p->run, &p->wanted->choice, &p->chosen, err));
    CORAS_TRY(list_documents(p, err));
    CORAS_TRY(list_paths(p, err));
    if (p->wanted->plan)
        CORAS_TRY(plan_all(p, err));
    else
        CORAS_TRY(save_all(p, err));
    CORAS_TRY(warn(p, warnings, err));
    CORAS_TRY(coras_descriptor_copy(&ret->root, &p->model->desc, err));
    if (!p->wanted->plan) {
        ret->files = coras_steal(&p->pulled);
        ret->file_count = p->files.paths.len;
    }
    return 0;
}

int coras_model_pull_tensors(coras_model *m, const struct coras_tensors_wanted *wanted,
                             coras_pull_result *ret, coras_strlist *warnings, coras_error **err)
{
    struct tensor_pull p = {.model = m, .wanted = wanted, .files = CORAS_NEW_FILES_INIT};
    int rc;

    CORAS_TRY(coras_tensor_choice_check(&wanted->choice, err));
    coras_run_init(&p.run, &m->run);
    rc = pull(&p, ret, warnings, err);
    clear(&p);
    return rc;
}
