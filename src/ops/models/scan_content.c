/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One piece of content in a scan: what its bytes are, what its name promises, and who looks on.
 */
#include "base/error.h"
#include "ops/models/scan_impl.h"

/* ---- names against bytes ---- */

static bool is_code_kind(enum coras_scan_kind kind)
{
    return kind == CORAS_SCAN_PICKLE || kind == CORAS_SCAN_ZIP || kind == CORAS_SCAN_EXECUTABLE;
}

static bool keeps_promise(enum coras_scan_kind kind, enum coras_scan_promise promise)
{
    switch (promise) {
    case CORAS_PROMISE_SAFETENSORS:
        return kind == CORAS_SCAN_SAFETENSORS;
    case CORAS_PROMISE_GGUF:
        return kind == CORAS_SCAN_GGUF;
    case CORAS_PROMISE_DATA:
        return !is_code_kind(kind);
    case CORAS_PROMISE_NOTHING:
    case CORAS_PROMISE_PICKLE:
    case CORAS_PROMISE_CODE:
        break;
    }
    return true;
}

static int compare_name(coras_scan *s, const coras_scan_part *part, enum coras_scan_kind kind,
                        coras_error **err)
{
    enum coras_scan_promise promise = coras_scan_promise_of(part->name);

    if (keeps_promise(kind, promise))
        return 0;
    return coras_scan_find(
        s, part, 0, "name", is_code_kind(kind) ? CORAS_SEVERITY_HIGH : CORAS_SEVERITY_MEDIUM, err,
        "the content is %s, the name says otherwise", coras_scan_kind_text(kind));
}

/* ---- code by its name ---- */

static int scan_code(coras_scan *s, const coras_scan_part *part, coras_error **err)
{
    CORAS_TRY(coras_scan_find(s, part, 0, "code", CORAS_SEVERITY_LOW, err, "source code"));
    return coras_scan_looked(s, part, err);
}

static int scan_executable(coras_scan *s, const coras_scan_part *part, enum coras_scan_kind kind,
                           coras_error **err)
{
    CORAS_TRY(coras_scan_find(s, part, 0, "executable", CORAS_SEVERITY_MEDIUM, err, "%s",
                              coras_scan_kind_text(kind)));
    return coras_scan_looked(s, part, err);
}

/* ---- what nothing is known of ---- */

/* Python's zip readers find an archive by its end, whatever stands before it. */
static int has_zip_end(coras_scan *s, const coras_scan_part *part, const coras_buf *head, bool *ret,
                       coras_error **err)
{
    coras_auto_buf tail = CORAS_BUF_INIT(CORAS_ZIP_TAIL);
    const coras_sink sink = coras_sink_buf(&tail);
    coras_zip_end end = {0};
    int64_t length = part->size < CORAS_ZIP_TAIL ? part->size : CORAS_ZIP_TAIL;

    *ret = false;
    if (part->is_deflated)
        return 0;
    if ((int64_t)head->len == part->size)
        coras_buf_put(&tail, head->ptr + (part->size - length), (size_t)length);
    else
        CORAS_TRY(coras_scan_range(s, part, part->size - length, length, &sink, err));
    CORAS_TRY(coras_buf_done(&tail, err));
    *ret = coras_zip_find_end(tail.ptr, tail.len, part->size, &end, NULL) == 0 && end.members > 0;
    return 0;
}

static int scan_other(coras_scan *s, const coras_scan_part *part, const coras_buf *head,
                      coras_error **err)
{
    if (coras_scan_has_suffix(part->name, ".pb")) /* graphs without a sign of their own */
        return coras_scan_search(s, part, head, CORAS_SCAN_TENSORFLOW, err);
    return coras_scan_not_looked(s, part, "an unknown format: only its beginning was read", err);
}

/* ---- */

static int scan_by_kind(coras_scan *s, const coras_scan_part *part, const coras_buf *head,
                        enum coras_scan_kind kind, coras_error **err)
{
    switch (kind) {
    case CORAS_SCAN_PICKLE:
        return coras_scan_pickle(s, part, head, 0, err);
    case CORAS_SCAN_ZIP:
        return coras_scan_zip(s, part, head, err);
    case CORAS_SCAN_NPY:
        return coras_scan_npy(s, part, head, err);
    case CORAS_SCAN_HDF5:
        CORAS_TRY(coras_scan_find(s, part, 0, "code", CORAS_SEVERITY_LOW, err,
                                  "HDF5, in which models of Keras may hold code"));
        return coras_scan_search(s, part, head, kind, err);
    case CORAS_SCAN_ONNX:
    case CORAS_SCAN_TENSORFLOW:
        return coras_scan_search(s, part, head, kind, err);
    case CORAS_SCAN_GZIP:
    case CORAS_SCAN_ZLIB:
        return coras_scan_inflated(s, part, head, kind == CORAS_SCAN_GZIP, err);
    case CORAS_SCAN_SAFETENSORS:
        return coras_scan_safetensors(s, part, head, err);
    case CORAS_SCAN_GGUF:
        return coras_scan_gguf(s, part, head, err);
    case CORAS_SCAN_EXECUTABLE:
    case CORAS_SCAN_SCRIPT:
        return scan_executable(s, part, kind, err);
    case CORAS_SCAN_TAR:
        return coras_scan_tar(s, part, err);
    case CORAS_SCAN_COMPRESSED:
        return coras_scan_not_looked(s, part, coras_scan_kind_text(kind), err);
    case CORAS_SCAN_INERT:
        return coras_scan_looked(s, part, err);
    case CORAS_SCAN_TEXT:
        return coras_scan_text(s, part, head, err);
    case CORAS_SCAN_OTHER:
        break;
    }
    return scan_other(s, part, head, err);
}

/* Bytes that carry no sign, or another format's, can be a pickle or a zip archive as well. */
struct second_look {
    bool is_pickle, is_zip;
};

static int look_again(coras_scan *s, const coras_scan_part *part, const coras_buf *head,
                      enum coras_scan_kind kind, struct second_look *ret, coras_error **err)
{
    bool is_all = (int64_t)head->len == part->plain_size;
    bool is_expected = coras_scan_promise_of(part->name) == CORAS_PROMISE_PICKLE &&
                       (kind == CORAS_SCAN_OTHER || kind == CORAS_SCAN_TEXT);
    bool is_open = kind == CORAS_SCAN_OTHER || kind == CORAS_SCAN_EXECUTABLE ||
                   kind == CORAS_SCAN_SCRIPT || kind == CORAS_SCAN_INERT ||
                   kind == CORAS_SCAN_PICKLE;

    if (kind != CORAS_SCAN_PICKLE && kind != CORAS_SCAN_ZIP)
        CORAS_TRY(coras_scan_is_pickle(head, is_all, is_expected, &ret->is_pickle, err));
    if (kind != CORAS_SCAN_ZIP && (is_all || is_open))
        CORAS_TRY(has_zip_end(s, part, head, &ret->is_zip, err));
    return 0;
}

/* What it is worst as is what its name has to fit. */
static enum coras_scan_kind worst_kind(enum coras_scan_kind kind, const struct second_look *look)
{
    return look->is_pickle ? CORAS_SCAN_PICKLE : look->is_zip ? CORAS_SCAN_ZIP : kind;
}

static int scan_all_kinds(coras_scan *s, const coras_scan_part *part, const coras_buf *head,
                          enum coras_scan_kind kind, const struct second_look *look,
                          coras_error **err)
{
    bool is_nothing_else = kind == CORAS_SCAN_OTHER || kind == CORAS_SCAN_TEXT;

    if (look->is_pickle)
        CORAS_TRY(coras_scan_pickle(s, part, head, 0, err));
    if (look->is_zip)
        CORAS_TRY(coras_scan_zip(s, part, head, err));
    if (is_nothing_else && (look->is_pickle || look->is_zip))
        return 0;
    return scan_by_kind(s, part, head, kind, err);
}

int coras_scan_content(coras_scan *s, const coras_scan_part *part, coras_error **err)
{
    coras_auto_buf head = CORAS_BUF_INIT(CORAS_SCAN_HEAD);
    struct second_look look = {0};

    if (part->plain_size == 0)
        return coras_scan_looked(s, part, err);
    CORAS_TRY(coras_scan_head(s, part, CORAS_SCAN_HEAD, &head, err));
    enum coras_scan_kind kind = coras_scan_kind_of(head.ptr, head.len, part->plain_size);
    bool is_source = coras_scan_promise_of(part->name) == CORAS_PROMISE_CODE &&
                     (kind == CORAS_SCAN_TEXT || kind == CORAS_SCAN_SCRIPT);
    if (is_source)
        return scan_code(s, part, err);
    CORAS_TRY(look_again(s, part, &head, kind, &look, err));
    CORAS_TRY(compare_name(s, part, worst_kind(kind, &look), err));
    return scan_all_kinds(s, part, &head, kind, &look, err);
}
