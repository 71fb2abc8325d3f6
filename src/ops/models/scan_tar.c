/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tar archives that are files of a model (NeMo's, say): header by header, each member as content.
 */
#include "archive/link_target.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "codec/tar.h"
#include "ops/models/scan_impl.h"

struct scan_tar {
    coras_scan *scan;
    const coras_scan_part *part;
    coras_tar_decoder decoder;
    int64_t at; /* of what comes next */
    size_t members;
};

static int read_some(struct scan_tar *t, size_t len, coras_buf *ret, coras_error **err)
{
    const coras_sink sink = coras_sink_buf(ret);

    if ((int64_t)len > t->part->size - t->at)
        return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "unexpected EOF");
    CORAS_TRY(coras_scan_range(t->scan, t->part, t->at, (int64_t)len, &sink, err));
    t->at += (int64_t)len;
    return coras_buf_done(ret, err);
}

static int take_record(struct scan_tar *t, coras_error **err)
{
    size_t size = (size_t)t->decoder.record_size;
    size_t padded = size + coras_tar_padding((int64_t)size);
    coras_auto_buf bytes = CORAS_BUF_INIT(CORAS_LIMIT_TAR_RECORD + CORAS_TAR_BLOCK);

    CORAS_TRY(read_some(t, padded, &bytes, err));
    return coras_tar_decode_record(&t->decoder, bytes.ptr, size, err);
}

/* ---- members ---- */

static int check_names(const struct scan_tar *t, const coras_scan_part *member, coras_error **err)
{
    const coras_tar_entry *e = &t->decoder.entry;
    long depth = (long)coras_path_depth(e->name);

    if (coras_scan_leaves(e->name))
        CORAS_TRY(coras_scan_find(t->scan, member, 0, "path", CORAS_SEVERITY_HIGH, err,
                                  "a member that leaves the archive"));
    bool leads_out = e->type == CORAS_TAR_SYMLINK
                         ? coras_judge_link(e->link, depth) == CORAS_LINK_OUTSIDE
                         : e->type == CORAS_TAR_HARD_LINK && coras_scan_leaves(e->link);
    if (!leads_out)
        return 0;
    return coras_scan_find(t->scan, member, 0, "link", CORAS_SEVERITY_HIGH, err,
                           "a link that leaves the archive");
}

static int take_member(struct scan_tar *t, coras_error **err)
{
    const coras_tar_entry *e = &t->decoder.entry;
    int64_t size = e->type == CORAS_TAR_HARD_LINK ? 0 : e->size;
    int64_t padding = (int64_t)coras_tar_padding(size), left = t->part->size - t->at;
    const coras_scan_part member = {.file = t->part->file,
                                    .name = e->name,
                                    .is_member = true,
                                    .depth = t->part->depth + 1,
                                    .at = t->part->at + t->at,
                                    .size = size,
                                    .plain_size = size};

    if (size > left || padding > left - size)
        return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "unexpected EOF");
    CORAS_TRY(check_names(t, &member, err));
    t->at += size + padding;
    if (e->type != CORAS_TAR_FILE)
        return 0;
    coras_auto(coras_error) failure = NULL;
    int rc = coras_scan_content(t->scan, &member, &failure);
    return coras_scan_forgive(t->scan, &member, rc, &failure, err);
}

/* One header; 1 at the end of the archive. */
static int step(struct scan_tar *t, coras_error **err)
{
    coras_auto_buf block = CORAS_BUF_INIT(CORAS_TAR_BLOCK);

    if (t->at == t->part->size)
        return coras_tar_decode_eof(&t->decoder, err) < 0 ? CORAS_ERR_UNSAFE_ARCHIVE : 1;
    CORAS_TRY(read_some(t, CORAS_TAR_BLOCK, &block, err));
    int what = coras_tar_decode_block(&t->decoder, block.ptr, err);
    if (what == CORAS_TAR_RECORD)
        return take_record(t, err);
    if (what == CORAS_TAR_ENTRY)
        return ++t->members > CORAS_LIMIT_SCAN_CHOSEN
                   ? coras_fail(err, CORAS_ERR_TOO_LARGE, "more members than are looked into")
                   : take_member(t, err);
    return what < 0 ? what : what == CORAS_TAR_END;
}

static int scan_archive(struct scan_tar *t, coras_error **err)
{
    int rc;

    do
        rc = step(t, err);
    while (rc == 0);
    return rc < 0 ? rc : coras_scan_looked(t->scan, t->part, err);
}

int coras_scan_tar(coras_scan *s, const coras_scan_part *part, coras_error **err)
{
    struct scan_tar t = {.scan = s, .part = part};
    coras_auto(coras_error) failure = NULL;
    bool may = false;

    CORAS_TRY(coras_scan_may_open(s, part, &may, err));
    if (!may)
        return 0;
    coras_tar_decoder_init(&t.decoder);
    int rc = scan_archive(&t, &failure);
    coras_tar_decoder_clear(&t.decoder);
    return coras_scan_forgive(s, part, rc, &failure, err);
}
