/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The members of a tar layer, without what is in them: of a plain archive a window around each
 * header is read by a range, a compressed one passes by as a stream.
 */
#include <string.h>

#include "archive/link_target.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"
#include "codec/tar.h"
#include "model/package_impl.h"
#include "ops/models/blob_reader.h"
#include "ops/models/layers.h"
#include "ops/range_stream.h"

enum { WINDOW_BYTES = 64 * CORAS_KIB };

/* An archive while it is listed. */
typedef struct tar_listing {
    coras_model *model;
    const coras_package_entry *entry;
    coras_model_files *files;
    coras_strlist *warnings;
    coras_tar_decoder decoder;
    int64_t offset; /* of what comes next */
    /* Either of these: */
    coras_blob_reader *reader; /* everything passes by */
    char *window;              /* [window_start, window_start + window_len) of the layer */
    int64_t window_start;
    size_t window_len;
} tar_listing;

static void tar_listing_clear(tar_listing *l)
{
    coras_tar_decoder_clear(&l->decoder);
    coras_blob_reader_free(l->reader);
    free(l->window);
}
CORAS_DEFINE_AUTO_VALUE(tar_listing, tar_listing_clear)

/* ---- bytes ---- */

static int fill_window(tar_listing *l, size_t need, coras_error **err)
{
    const coras_descriptor *blob = l->entry->desc;
    coras_auto_buf bytes = CORAS_BUF_INIT(CORAS_LIMIT_TAR_RECORD + WINDOW_BYTES);
    const coras_sink sink = coras_sink_buf(&bytes);
    int64_t left = blob->size - l->offset;
    int64_t want = need > WINDOW_BYTES ? (int64_t)need : WINDOW_BYTES;

    CORAS_TRY(coras_stream_range(coras_target_origin(l->model->target), blob, l->offset,
                                 want < left ? want : left, &sink, err));
    l->window_start = l->offset;
    l->window_len = bytes.len;
    free(l->window);
    l->window = NULL;
    return coras_buf_take(&bytes, &l->window, err);
}

static int read_window(tar_listing *l, void *buf, size_t len, bool *ret_end, coras_error **err)
{
    int64_t left = l->entry->desc->size - l->offset;

    *ret_end = left <= 0;
    if (*ret_end)
        return 0;
    if (left < (int64_t)len)
        return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "unexpected EOF");
    if (!l->window || l->offset < l->window_start ||
        l->offset - l->window_start > (int64_t)l->window_len - (int64_t)len)
        CORAS_TRY(fill_window(l, len, err));
    memcpy(buf, l->window + (l->offset - l->window_start), len);
    return 0;
}

static int read_bytes(tar_listing *l, void *buf, size_t len, bool *ret_end, coras_error **err)
{
    CORAS_TRY(l->reader ? coras_blob_reader_exactly(l->reader, buf, len, ret_end, err)
                        : read_window(l, buf, len, ret_end, err));
    if (!*ret_end)
        l->offset += (int64_t)len;
    return 0;
}

static int skip_bytes(tar_listing *l, int64_t len, coras_error **err)
{
    if (l->reader)
        CORAS_TRY(coras_blob_reader_skip(l->reader, len, err));
    else if (len > l->entry->desc->size - l->offset)
        return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "unexpected EOF");
    l->offset += len;
    return 0;
}

/* Nothing but an end mark lies in so little: not worth a request. */
static bool is_at_end_mark(const tar_listing *l)
{
    return !l->reader && l->offset > 0 && l->entry->desc->size - l->offset <= CORAS_TAR_END_BYTES;
}

/* ---- members ---- */

static int warn_left_out(tar_listing *l, const char *name, const char *why, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    if (l->warnings->len >= CORAS_LIMIT_MODEL_WARNINGS)
        return 0;
    coras_escape(&text, name, strlen(name), CORAS_LIMIT_COMPONENT);
    coras_buf_printf(&text, ": %s", why);
    CORAS_TRY(coras_buf_done(&text, err));
    return coras_strlist_add(l->warnings, text.ptr, err);
}

/* Where a member goes: *ret is NULL for one that is not of the model. */
static int member_path(tar_listing *l, const char *name, char **ret, coras_error **err)
{
    const coras_package_entry *e = l->entry;
    coras_auto(coras_error) failure = NULL;
    coras_auto_free char *clean = NULL;

    *ret = NULL;
    while (coras_str_starts(name, "./"))
        name += 2;
    if (e->strip && !coras_str_starts(name, e->strip))
        return 0;
    if (coras_package_clean_path(name + (e->strip ? strlen(e->strip) : 0), &clean, &failure) < 0) {
        CORAS_TRY(coras_model_add_stray(l->files, name, NULL, err));
        return warn_left_out(l, name, "left out, since its name leads nowhere below the model",
                             err);
    }
    if (e->strip || e->has_prefix || !e->path || !*e->path)
        *ret = coras_steal(&clean);
    else
        *ret = coras_path_join(e->path, clean);
    return *ret ? 0 : coras_fail_no_memory(err);
}

static int add_member(tar_listing *l, const coras_tar_entry *tar, coras_error **err)
{
    coras_auto_free char *path = NULL;

    CORAS_TRY(member_path(l, tar->name, &path, err));
    if (!path)
        return 0;
    if (l->files->len >= CORAS_LIMIT_MODEL_FILES)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "more than %d files", CORAS_LIMIT_MODEL_FILES);
    if (coras_vec_grow(l->files, 1) < 0)
        return coras_fail_no_memory(err);
    l->files->items[l->files->len++] = (coras_model_file){
        .path = coras_steal(&path),
        .size = tar->size,
        .blob = l->entry->desc,
        .offset = l->offset,
        .compression = l->entry->compression,
        .has_mode = true,
        .mode = (mode_t)(tar->mode & 0777),
        .has_mtime = true,
        .mtime = {.tv_sec = tar->mtime_s, .tv_nsec = (long)tar->mtime_ns},
    };
    return 0;
}

/* A second name of a member before it. */
static int add_hard_link(tar_listing *l, const coras_tar_entry *tar, coras_error **err)
{
    coras_auto_free char *path = NULL, *of = NULL;

    CORAS_TRY(member_path(l, tar->name, &path, err));
    CORAS_TRY(member_path(l, tar->link, &of, err));
    for (size_t i = l->files->len; path && of && i-- > 0;) {
        coras_model_file copy = l->files->items[i];
        if (!coras_streq(copy.path, of))
            continue;
        if (coras_vec_grow(l->files, 1) < 0)
            return coras_fail_no_memory(err);
        copy.path = coras_steal(&path);
        l->files->items[l->files->len++] = copy;
        return 0;
    }
    return path ? warn_left_out(l, tar->name, "left out, a link to what is not here", err) : 0;
}

/* Links are no files here, but one that leads out is worth a word. */
static int note_link(tar_listing *l, const coras_tar_entry *tar, coras_error **err)
{
    coras_auto_free char *path = NULL;
    long depth = 0;

    CORAS_TRY(member_path(l, tar->name, &path, err));
    for (const char *at = path; at && (at = strchr(at, '/')); at++)
        depth++;
    if (!path || coras_judge_link(tar->link, depth) != CORAS_LINK_OUTSIDE)
        return 0;
    return coras_model_add_stray(l->files, path, tar->link, err);
}

static int take_entry(tar_listing *l, coras_error **err)
{
    const coras_tar_entry *tar = &l->decoder.entry;

    if (tar->type == CORAS_TAR_FILE)
        CORAS_TRY(add_member(l, tar, err));
    else if (tar->type == CORAS_TAR_HARD_LINK)
        CORAS_TRY(add_hard_link(l, tar, err));
    else if (tar->type == CORAS_TAR_SYMLINK)
        CORAS_TRY(note_link(l, tar, err));
    int64_t size = tar->type == CORAS_TAR_HARD_LINK ? 0 : tar->size;
    int64_t padded;
    if (!coras_add_int64(size, (int64_t)coras_tar_padding(size), &padded))
        return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "a member without end");
    return skip_bytes(l, padded, err);
}

/* A record of the headers: a long name, say. */
static int take_record(tar_listing *l, coras_error **err)
{
    size_t size = (size_t)l->decoder.record_size;
    size_t padded = size + coras_tar_padding((int64_t)size);
    coras_auto_free char *bytes = coras_malloc(padded + 1);
    bool end = false;

    if (!bytes)
        return coras_fail_no_memory(err);
    CORAS_TRY(read_bytes(l, bytes, padded, &end, err));
    if (end && padded > 0)
        return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "unexpected EOF");
    return coras_tar_decode_record(&l->decoder, bytes, size, err);
}

/* One block of the headers; 1 at the end of the archive. */
static int step(tar_listing *l, coras_error **err)
{
    char block[CORAS_TAR_BLOCK];
    bool end = is_at_end_mark(l);

    CORAS_TRY(coras_cancel_check(l->model->run.cancel, err));
    if (!end)
        CORAS_TRY(read_bytes(l, block, sizeof(block), &end, err));
    if (end) {
        CORAS_TRY(coras_tar_decode_eof(&l->decoder, err));
        return 1;
    }
    int what = coras_tar_decode_block(&l->decoder, block, err);
    if (what == CORAS_TAR_RECORD)
        return take_record(l, err);
    if (what == CORAS_TAR_ENTRY)
        return take_entry(l, err);
    return what < 0 ? what : what == CORAS_TAR_END;
}

static int open_stream(tar_listing *l, coras_error **err)
{
    return coras_blob_reader_new(coras_target_origin(l->model->target), l->entry->desc,
                                 l->entry->compression, &l->reader, err);
}

static int list(tar_listing *l, coras_error **err)
{
    int rc;

    coras_tar_decoder_init(&l->decoder);
    if (l->entry->compression != CORAS_COMPRESSION_NONE || atomic_load(&l->model->whole_only))
        CORAS_TRY(open_stream(l, err));
    do
        rc = step(l, err);
    while (rc == 0);
    return rc < 0 ? rc : 0;
}

static int list_once(coras_model *m, const coras_package_entry *entry, coras_model_files *ret,
                     coras_strlist *warnings, coras_error **err)
{
    coras_auto_value(tar_listing)
        l = {.model = m, .entry = entry, .files = ret, .warnings = warnings};

    return list(&l, err);
}

int coras_model_list_tar(coras_model *m, const coras_package_entry *entry, coras_model_files *ret,
                         coras_strlist *warnings, coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    int rc = list_once(m, entry, ret, warnings, &failure);

    if (rc == CORAS_ERR_RANGE && !atomic_load(&m->whole_only)) {
        atomic_store(&m->whole_only, true);
        coras_model_files_clear(ret);
        coras_strlist_clear(warnings);
        return list_once(m, entry, ret, warnings, err);
    }
    coras_error_propagate(err, &failure);
    return rc;
}
