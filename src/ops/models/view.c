/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the files of a model in part, whichever way they are kept.
 */
#include "ops/models/view.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"
#include "oci/digest.h"
#include "ops/models/blob_reader.h"
#include "ops/models/layers.h"
#include "ops/range_stream.h"

enum { PIECE_BYTES = 64 * CORAS_KIB };

void coras_model_file_clear(coras_model_file *f)
{
    free(f->path);
    *f = (coras_model_file){0};
}

void coras_model_files_clear(coras_model_files *l)
{
    for (size_t i = 0; i < l->len; i++)
        coras_model_file_clear(&l->items[i]);
    free(l->items);
    for (size_t i = 0; i < l->strays.len; i++) {
        free(l->strays.items[i].path);
        free(l->strays.items[i].link);
    }
    free(l->strays.items);
    *l = (coras_model_files){0};
}

int coras_model_add_stray(coras_model_files *l, const char *path, const char *link,
                          coras_error **err)
{
    coras_model_stray stray = {NULL, NULL};

    if (l->strays.len >= CORAS_LIMIT_MODEL_WARNINGS)
        return 0;
    stray.path = coras_strdup(path);
    stray.link = link ? coras_strdup(link) : NULL;
    if (!stray.path || (link && !stray.link) || coras_vec_grow(&l->strays, 1) < 0) {
        free(stray.path);
        free(stray.link);
        return coras_fail_no_memory(err);
    }
    l->strays.items[l->strays.len++] = stray;
    return 0;
}

void coras_model_free(coras_model *model)
{
    if (!model)
        return;
    coras_model_files_clear(&model->files);
    coras_package_clear(&model->package);
    coras_manifest_clear(&model->manifest);
    coras_descriptor_clear(&model->desc);
    coras_buf_clear(&model->config);
    coras_strlist_clear(&model->warnings);
    coras_close_fd(&model->rootfd);
    free(model->reference);
    free(model);
}

int coras_model_fetch_config(coras_model *m, coras_error **err)
{
    if (!m->target || !m->manifest.has_config || m->config.len > 0 ||
        coras_descriptor_is_empty(&m->manifest.config, false))
        return 0;
    return coras_target_fetch_verified(m->target, &m->manifest.config, CORAS_LIMIT_MANIFEST,
                                       &m->config, err);
}

/* ---- streams ---- */

static int stream_local(const coras_model *m, const coras_model_file *f, int64_t offset,
                        int64_t length, const coras_sink *sink, coras_error **err)
{
    coras_auto_free char *piece = coras_malloc(PIECE_BYTES);
    coras_auto_fd fd = -1;

    if (!piece)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_model_open_local(m, f, &fd, err));
    while (length > 0) {
        size_t want = length < PIECE_BYTES ? (size_t)length : PIECE_BYTES, got = 0;
        CORAS_TRY(coras_cancel_check(m->run.cancel, err));
        CORAS_TRY(coras_pread_full(fd, piece, want, offset, &got, err));
        if (got < want)
            return coras_fail(err, CORAS_ERR_CHANGED, "file became shorter while it was read");
        int rc = sink->write(sink->user, piece, got, err);
        if (rc != 0)
            return rc < 0 ? rc : 0;
        offset += (int64_t)got;
        length -= (int64_t)got;
    }
    return 0;
}

/* A sink that leaves out what comes first. */
struct without_start {
    const coras_sink *sink;
    int64_t skip;
    int64_t passed;
};

static int pass_without_start(void *user, const void *data, size_t len, coras_error **err)
{
    struct without_start *w = user;

    if ((int64_t)len <= w->skip) {
        w->skip -= (int64_t)len;
        return 0;
    }
    size_t out = (size_t)w->skip;
    w->skip = 0;
    w->passed += (int64_t)(len - out);
    return w->sink->write(w->sink->user, (const char *)data + out, len - out, err);
}

/* Ranges come from where the content is: a cache would fetch the whole before it gave a part. */
static int stream_range(const coras_model *m, const coras_descriptor *blob, int64_t offset,
                        int64_t length, const coras_sink *sink, coras_error **err)
{
    return coras_stream_range(coras_target_origin(m->target), blob, offset, length, sink, err);
}

/* The end of what is asked for is near enough to the start of the layer to read all before it. */
static bool is_beginning(int64_t offset, int64_t length)
{
    return length <= CORAS_LIMIT_MODEL_BEGINNING && offset <= CORAS_LIMIT_MODEL_BEGINNING - length;
}

static int stream_blob(coras_model *m, const coras_descriptor *blob, int64_t offset, int64_t length,
                       const coras_sink *sink, coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    struct without_start part = {.sink = sink};
    const coras_sink counted = {pass_without_start, &part};

    if (!atomic_load(&m->whole_only) || offset == 0 || !is_beginning(offset, length)) {
        int rc = stream_range(m, blob, offset, length, &counted, &failure);
        if (rc != CORAS_ERR_RANGE || offset + part.passed == 0 || !is_beginning(offset, length)) {
            coras_error_propagate(err, &failure);
            return rc;
        }
        atomic_store(&m->whole_only, true);
    }
    part.skip = offset + part.passed;
    return stream_range(m, blob, 0, offset + length, &counted, err);
}

static int stream_compressed(const coras_model *m, const coras_model_file *f, int64_t offset,
                             int64_t length, const coras_sink *sink, coras_error **err)
{
    coras_auto(coras_blob_reader) reader = NULL;
    coras_auto_free char *piece = coras_malloc(PIECE_BYTES);

    if (!piece)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_blob_reader_new(coras_target_origin(m->target), f->blob, f->compression,
                                    &reader, err));
    CORAS_TRY(coras_blob_reader_skip(reader, f->offset + offset, err));
    while (length > 0) {
        size_t want = length < PIECE_BYTES ? (size_t)length : PIECE_BYTES;
        CORAS_TRY(coras_cancel_check(m->run.cancel, err));
        CORAS_TRY(coras_blob_reader_exactly(reader, piece, want, NULL, err));
        int rc = sink->write(sink->user, piece, want, err);
        if (rc != 0)
            return rc < 0 ? rc : 0;
        length -= (int64_t)want;
    }
    return 0;
}

static int stream_file(coras_model *m, const coras_model_file *f, int64_t offset, int64_t length,
                       const coras_sink *sink, coras_error **err)
{
    if (length == 0)
        return 0;
    if (!f->blob)
        return stream_local(m, f, offset, length, sink, err);
    if (f->compression != CORAS_COMPRESSION_NONE)
        return stream_compressed(m, f, offset, length, sink, err);
    return stream_blob(m, f->blob, f->offset + offset, length, sink, err);
}

int coras_model_stream(coras_model *m, size_t file, int64_t offset, int64_t length,
                       const coras_sink *sink, coras_error **err)
{
    const coras_model_file *f = &m->files.items[file];

    if (offset < 0 || offset > f->size || length > f->size - offset)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "%lld bytes at %lld are not within a file of %lld bytes",
                          (long long)length, (long long)offset, (long long)f->size);
    int rc = stream_file(m, f, offset, length < 0 ? f->size - offset : length, sink, err);
    if (rc >= 0)
        return 0;
    coras_auto_free char *shown = coras_escape_dup(f->path);
    return coras_wrap(err, rc, "%s", shown ? shown : "");
}

/* ---- into memory ---- */

struct into_memory {
    char *at;
};

static int copy_into(void *user, const void *data, size_t len, coras_error **err)
{
    struct into_memory *to = user;

    (void)err;
    memcpy(to->at, data, len);
    to->at += len;
    return 0;
}

int coras_model_read(coras_model *m, size_t file, int64_t offset, size_t length, void *buffer,
                     coras_error **err)
{
    struct into_memory to = {buffer};
    const coras_sink sink = {copy_into, &to};

    if (length > (uint64_t)INT64_MAX)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "%zu bytes at once", length);
    return coras_model_stream(m, file, offset, (int64_t)length, &sink, err);
}

int coras_model_document(coras_model *m, size_t file, size_t limit, coras_buf *ret,
                         bool *ret_verified, coras_error **err)
{
    const coras_model_file *f = &m->files.items[file];
    const coras_sink sink = coras_sink_buf(ret);
    bool verified = f->blob && f->is_blob;
    int rc;

    if (ret_verified)
        *ret_verified = verified;
    if ((uint64_t)f->size > limit)
        rc = coras_fail(err, CORAS_ERR_TOO_LARGE, "%lld bytes are more than the %zu allowed here",
                        (long long)f->size, limit);
    else if (verified)
        rc = coras_target_fetch_verified(m->target, f->blob, limit, ret, err);
    else
        return coras_model_stream(m, file, 0, -1, &sink, err);
    if (rc >= 0)
        return 0;
    coras_auto_free char *shown = coras_escape_dup(f->path);
    return coras_wrap(err, rc, "%s", shown ? shown : "");
}
