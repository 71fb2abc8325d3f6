/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a part of a file for a scan: bytes as they lie there, or inflated.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "codec/inflate.h"
#include "ops/models/scan_impl.h"

coras_scan_part coras_scan_whole(const coras_scan *s, size_t file)
{
    const coras_model_file *f = &s->model->files.items[file];
    return (coras_scan_part){.file = file, .name = f->path, .size = f->size, .plain_size = f->size};
}

/* ---- a sink that takes a window ---- */

struct scan_window {
    const coras_sink *sink;
    int64_t skip, left; /* bytes to leave out, then to pass on */
};

static int pass_window(void *user, const void *data, size_t len, coras_error **err)
{
    struct scan_window *w = user;
    const char *at = data;

    if ((int64_t)len <= w->skip) {
        w->skip -= (int64_t)len;
        return 0;
    }
    at += w->skip;
    len -= (size_t)w->skip;
    w->skip = 0;
    size_t n = (int64_t)len < w->left ? len : (size_t)w->left;
    int rc = n > 0 ? w->sink->write(w->sink->user, at, n, err) : 0;
    w->left -= (int64_t)n;
    return rc != 0 ? rc : w->left == 0 ? CORAS_SINK_STOP : 0;
}

/* ---- inflating ---- */

static int inflate_into(void *user, const void *data, size_t len, coras_error **err)
{
    coras_inflate *z = user;
    int rc = coras_inflate_feed(z, data, len, err);
    return rc > 0 ? CORAS_SINK_STOP : rc;
}

static int stream_inflated(coras_scan *s, const coras_scan_part *part, const coras_sink *sink,
                           coras_error **err)
{
    coras_auto(coras_inflate) z = NULL;

    CORAS_TRY(coras_inflate_new(CORAS_INFLATE_RAW, part->plain_size, sink, &z, err));
    const coras_sink compressed = {inflate_into, z};
    return coras_model_stream(s->model, part->file, part->at, part->size, &compressed, err);
}

/* ---- */

static int stream_from(coras_scan *s, const coras_scan_part *part, int64_t from, int64_t length,
                       const coras_sink *sink, coras_error **err)
{
    struct scan_window window = {sink, from, length};
    const coras_sink passing = {pass_window, &window};

    if (length <= 0)
        return 0;
    if (part->is_deflated)
        return stream_inflated(s, part, &passing, err);
    return coras_model_stream(s->model, part->file, part->at + from, length, sink, err);
}

int coras_scan_head(coras_scan *s, const coras_scan_part *part, size_t limit, coras_buf *ret,
                    coras_error **err)
{
    const coras_sink sink = coras_sink_buf(ret);
    int64_t length = part->plain_size < (int64_t)limit ? part->plain_size : (int64_t)limit;

    return stream_from(s, part, 0, length, &sink, err);
}

int coras_scan_stream(coras_scan *s, const coras_scan_part *part, const coras_buf *head,
                      int64_t from, int64_t limit, const coras_sink *sink, coras_error **err)
{
    int64_t left = part->plain_size - from, known = (int64_t)head->len - from;

    if (limit >= 0 && limit < left)
        left = limit;
    if (known > left)
        known = left;
    if (known > 0) {
        int rc = sink->write(sink->user, head->ptr + from, (size_t)known, err);
        if (rc != 0)
            return rc < 0 ? rc : 0;
        from += known;
        left -= known;
    }
    return stream_from(s, part, from, left, sink, err);
}

int coras_scan_range(coras_scan *s, const coras_scan_part *part, int64_t offset, int64_t length,
                     const coras_sink *sink, coras_error **err)
{
    if (offset > part->size || length > part->size - offset)
        return coras_fail(err, CORAS_ERR_INVALID_MODEL, "the archive reaches beyond its end");
    return coras_model_stream(s->model, part->file, part->at + offset, length, sink, err);
}

int coras_scan_may_open(coras_scan *s, const coras_scan_part *part, bool *ret, coras_error **err)
{
    *ret = !part->is_deflated && part->depth < CORAS_LIMIT_SCAN_DEPTH;
    if (*ret)
        return 0;
    CORAS_TRY(coras_scan_find(s, part, 0, "archive", CORAS_SEVERITY_MEDIUM, err,
                              "an archive in an archive"));
    return coras_scan_not_looked(s, part, "an archive in an archive", err);
}
