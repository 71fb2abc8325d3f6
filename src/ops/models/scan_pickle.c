/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pickles in a scan: files, members, arrays of objects, compressed streams.
 */
#include <string.h>

#include "base/error.h"
#include "codec/inflate.h"
#include "model/npy.h"
#include "model/pickle.h"
#include "ops/models/scan_impl.h"

enum { MAX_LISTED = 400 /* bytes of names that a finding lists */ };

/* ---- one pickle ---- */

struct scan_pickle {
    coras_scan *scan;
    const coras_scan_part *part;
    int64_t from;       /* of the pickle in the part */
    coras_pickle *p;    /* owned */
    coras_buf harmless; /* names of imports that are expected, for one finding */
    size_t unlisted;    /* more of them */
    bool any_worse;
};

static void scan_pickle_clear(struct scan_pickle *sp)
{
    coras_pickle_free(sp->p);
    coras_buf_clear(&sp->harmless);
}

static int take_import(void *user, const coras_pickle_import *import, coras_error **err)
{
    struct scan_pickle *sp = user;

    if (import->severity > CORAS_SEVERITY_LOW) {
        sp->any_worse = true;
        return coras_scan_find(sp->scan, sp->part, sp->from + import->offset, "pickle",
                               import->severity, err, "imports %s", import->what);
    }
    if (sp->harmless.len + strlen(import->what) > MAX_LISTED)
        sp->unlisted++;
    else
        coras_buf_printf(&sp->harmless, "%s%s", sp->harmless.len ? ", " : "", import->what);
    return coras_buf_done(&sp->harmless, err);
}

static int feed_pickle(void *user, const void *data, size_t len, coras_error **err)
{
    struct scan_pickle *sp = user;
    return coras_pickle_feed(sp->p, data, len, err);
}

static int begin_pickle(struct scan_pickle *sp, coras_error **err)
{
    const coras_pickle_visitor visitor = {take_import, sp};
    sp->harmless = (coras_buf)CORAS_BUF_INIT(CORAS_LIMIT_SCAN_DETAIL);
    return coras_pickle_new(&visitor, &sp->p, err);
}

static int note_end(struct scan_pickle *sp, const coras_pickle_summary *summary, coras_error **err)
{
    char why[128];

    if (summary->broken_at >= 0) {
        int64_t at = sp->part->at + sp->from + summary->broken_at;

        snprintf(why, sizeof(why), "the pickle breaks off at byte %lld", (long long)at);
        return coras_scan_not_looked(sp->scan, sp->part, why, err);
    }
    return 0;
}

static int end_pickle(struct scan_pickle *sp, coras_error **err)
{
    coras_pickle_summary summary;

    CORAS_TRY(coras_pickle_finish(sp->p, &summary, err));
    if (sp->unlisted > 0)
        coras_buf_printf(&sp->harmless, " and %zu more", sp->unlisted);
    CORAS_TRY(coras_buf_done(&sp->harmless, err));
    if (!sp->any_worse)
        CORAS_TRY(coras_scan_find(sp->scan, sp->part, sp->from, "pickle", CORAS_SEVERITY_LOW, err,
                                  "a pickle, which is a program: %s%s",
                                  sp->harmless.len ? "imports " : "no imports", sp->harmless.ptr));
    CORAS_TRY(coras_scan_looked(sp->scan, sp->part, err));
    return note_end(sp, &summary, err);
}

static int run_pickle(struct scan_pickle *sp, const coras_buf *head, coras_error **err)
{
    const coras_sink sink = {feed_pickle, sp};

    CORAS_TRY(begin_pickle(sp, err));
    CORAS_TRY(coras_scan_stream(sp->scan, sp->part, head, sp->from, -1, &sink, err));
    return end_pickle(sp, err);
}

int coras_scan_pickle(coras_scan *s, const coras_scan_part *part, const coras_buf *head,
                      int64_t from, coras_error **err)
{
    struct scan_pickle sp = {.scan = s, .part = part, .from = from};
    int rc = run_pickle(&sp, head, err);
    scan_pickle_clear(&sp);
    return rc;
}

/* ---- is it one? ---- */

struct first_imports {
    int64_t any, dangerous; /* offsets; INT64_MAX: none */
};

static int note_import(void *user, const coras_pickle_import *import, coras_error **err)
{
    struct first_imports *first = user;

    (void)err;
    if (import->offset < first->any)
        first->any = import->offset;
    /* What nobody can name proves nothing about bytes that may be anything. */
    if (import->severity == CORAS_SEVERITY_HIGH && strchr(import->what, '.') &&
        import->offset < first->dangerous)
        first->dangerous = import->offset;
    return 0;
}

/* Text and numbers are full of opcodes. A pickle comes to its end with something in hand, or has
 * imported something before it breaks off, or goes on beyond the bytes that are there. */
static bool looks_like_pickle(const struct first_imports *first,
                              const coras_pickle_summary *summary, int64_t len, bool is_all,
                              bool is_expected)
{
    int64_t followed = summary->broken_at >= 0 ? summary->broken_at
                       : summary->raw_at >= 0  ? summary->raw_at
                                               : len;

    if (first->dangerous < followed)
        return true;
    if (!is_all && summary->broken_at == len)
        return is_expected || first->any < followed;
    return summary->pickles > 0 && (first->any < followed || (followed == len && len > 3));
}

int coras_scan_is_pickle(const coras_buf *head, bool is_all, bool is_expected, bool *ret,
                         coras_error **err)
{
    struct first_imports first = {INT64_MAX, INT64_MAX};
    const coras_pickle_visitor visitor = {note_import, &first};
    coras_auto(coras_pickle) p = NULL;
    coras_pickle_summary summary;

    CORAS_TRY(coras_pickle_new(&visitor, &p, err));
    CORAS_TRY(coras_pickle_feed(p, head->ptr, head->len, err));
    CORAS_TRY(coras_pickle_finish(p, &summary, err));
    *ret = looks_like_pickle(&first, &summary, (int64_t)head->len, is_all, is_expected);
    return 0;
}

/* ---- arrays ---- */

int coras_scan_npy(coras_scan *s, const coras_scan_part *part, const coras_buf *head,
                   coras_error **err)
{
    size_t data_at = 0;
    bool objects = false;

    if (!coras_npy_read(head->ptr, head->len, &data_at, &objects))
        return coras_scan_not_looked(s, part, "the header of the array is cut short", err);
    if (!objects)
        return coras_scan_looked(s, part, err);
    return coras_scan_pickle(s, part, head, (int64_t)data_at, err);
}

/* ---- compressed streams ---- */

static int inflate_bytes(void *user, const void *data, size_t len, coras_error **err)
{
    int rc = coras_inflate_feed(user, data, len, err);
    return rc > 0 ? CORAS_SINK_STOP : rc;
}

/* What the first block inflates to. */
static int inflate_head(const coras_buf *head, enum coras_inflate_form form, coras_buf *ret,
                        coras_error **err)
{
    const coras_sink sink = coras_sink_buf(ret);
    coras_auto(coras_inflate) z = NULL;
    coras_auto(coras_error) failure = NULL;

    CORAS_TRY(coras_inflate_new(form, INT64_MAX, &sink, &z, err));
    int rc = coras_inflate_feed(z, head->ptr, head->len, &failure);
    if (rc == CORAS_ERR_TOO_LARGE || rc == CORAS_ERR_UNSAFE_ARCHIVE)
        return 0; /* enough, or as far as it goes */
    coras_error_propagate(err, &failure);
    return rc < 0 ? rc : 0;
}

static int run_inflated(struct scan_pickle *sp, const coras_buf *head, enum coras_inflate_form form,
                        coras_error **err)
{
    const coras_sink plain = {feed_pickle, sp};
    coras_auto(coras_inflate) z = NULL;

    CORAS_TRY(begin_pickle(sp, err));
    CORAS_TRY(coras_inflate_new(form, CORAS_LIMIT_SCAN_INFLATED, &plain, &z, err));
    const coras_sink sink = {inflate_bytes, z};
    int rc = coras_scan_stream(sp->scan, sp->part, head, 0, -1, &sink, err);
    if (rc == CORAS_ERR_TOO_LARGE || rc == CORAS_ERR_UNSAFE_ARCHIVE) {
        coras_error_clear(err);
        CORAS_TRY(end_pickle(sp, err));
        return coras_scan_not_looked(sp->scan, sp->part, "the stream does not inflate to its end",
                                     err);
    }
    CORAS_TRY(rc);
    return end_pickle(sp, err);
}

int coras_scan_inflated(coras_scan *s, const coras_scan_part *part, const coras_buf *head,
                        bool is_gzip, coras_error **err)
{
    enum coras_inflate_form form = is_gzip ? CORAS_INFLATE_GZIP : CORAS_INFLATE_ZLIB;
    struct scan_pickle sp = {.scan = s, .part = part};
    coras_auto_buf plain = CORAS_BUF_INIT(CORAS_SCAN_HEAD);
    coras_auto(coras_error) failure = NULL;
    bool is_pickle = false;

    CORAS_TRY(inflate_head(head, form, &plain, err));
    plain.failed = 0; /* the buffer was meant to run full */
    if (coras_scan_kind_of(plain.ptr, plain.len, INT64_MAX) == CORAS_SCAN_PICKLE)
        is_pickle = true;
    else
        CORAS_TRY(
            coras_scan_is_pickle(&plain, plain.len < CORAS_SCAN_HEAD, false, &is_pickle, err));
    if (!is_pickle)
        return coras_scan_not_looked(s, part, "a compressed stream of something else", err);
    int rc = run_inflated(&sp, head, form, &failure);
    scan_pickle_clear(&sp);
    return coras_scan_forgive(s, part, rc, &failure, err);
}
