/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats that are not read but searched: what an HDF5, ONNX or TensorFlow file would make its
 * loader do stands in it as a name.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "ops/models/scan_impl.h"

enum { SEARCH_OVERLAP = 4096 + 16 };

struct search_row {
    enum coras_scan_kind kind;
    const char *bytes;
    size_t len;
    enum coras_severity severity;
    const char *detail;
};
#define ROW(kind, text, severity, detail)                                                          \
    {                                                                                              \
        CORAS_SCAN_##kind, (text), sizeof(text) - 1, CORAS_SEVERITY_##severity, (detail)           \
    }
/* A field of a protocol buffer with a name of this length before it. */
#define TENSORFLOW_OP(length, name, detail) ROW(TENSORFLOW, length name, MEDIUM, detail)

static const struct search_row rows[] = {
    ROW(HDF5, "\"class_name\": \"Lambda\"", MEDIUM,
        "a Lambda layer of Keras, whose code runs when it is loaded"),
    ROW(HDF5, "\"class_name\":\"Lambda\"", MEDIUM,
        "a Lambda layer of Keras, whose code runs when it is loaded"),
    TENSORFLOW_OP("\x08", "ReadFile", "TensorFlow's ReadFile, which reads files"),
    TENSORFLOW_OP("\x09", "WriteFile", "TensorFlow's WriteFile, which writes files"),
    TENSORFLOW_OP("\x0d", "MatchingFiles", "TensorFlow's MatchingFiles, which lists files"),
    TENSORFLOW_OP("\x06", "PyFunc", "TensorFlow's PyFunc, which calls Python"),
    TENSORFLOW_OP("\x0b", "EagerPyFunc", "TensorFlow's EagerPyFunc, which calls Python"),
};

struct scan_search {
    coras_scan *scan;
    const coras_scan_part *part;
    enum coras_scan_kind kind;
    bool found[CORAS_ARRAY_LEN(rows)];
    coras_buf kept; /* the end of what passed, and what has come */
    int64_t kept_at;
};

static int search_rows(struct scan_search *q, coras_error **err)
{
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        const struct search_row *row = &rows[i];
        if (row->kind != q->kind || q->found[i])
            continue;
        const char *at = memmem(q->kept.ptr, q->kept.len, row->bytes, row->len);
        if (!at)
            continue;
        q->found[i] = true;
        CORAS_TRY(coras_scan_find(q->scan, q->part, q->kept_at + (at - q->kept.ptr), "code",
                                  row->severity, err, "%s", row->detail));
    }
    return 0;
}

/* ---- paths of ONNX's external data ---- */

/* StringStringEntryProto{key: "location", value: path} */
static const char location[] = "\x0a\x08location\x12";

static int take_location(struct scan_search *q, const char *at, coras_error **err)
{
    const char *end = q->kept.ptr + q->kept.len;
    size_t len = 0, shift = 0;
    int64_t offset = q->kept_at + (at - q->kept.ptr);

    for (at += sizeof(location) - 1; at < end && shift < 21; shift += 7) {
        unsigned char c = (unsigned char)*at++;
        len |= (size_t)(c & 0x7f) << shift;
        if (c < 0x80)
            break;
    }
    if (len == 0 || len > CORAS_LIMIT_PATH || len > (size_t)(end - at))
        return 0;
    coras_auto_free char *path = coras_strndup(at, len);
    if (!path)
        return coras_fail_no_memory(err);
    if (!coras_scan_leaves(path))
        return 0;
    coras_auto_buf shown = CORAS_BUF_INIT(CORAS_LIMIT_SCAN_DETAIL);
    coras_escape(&shown, at, len, CORAS_LIMIT_COMPONENT);
    return coras_scan_find(q->scan, q->part, offset, "external", CORAS_SEVERITY_HIGH, err,
                           "external data outside of the package: %s", shown.ptr);
}

/* Those that begin before `before`: what follows them is there in whole. */
static int search_locations(struct scan_search *q, size_t before, coras_error **err)
{
    for (const char *at = q->kept.ptr, *end = q->kept.ptr + q->kept.len;
         (at = memmem(at, (size_t)(end - at), location, sizeof(location) - 1)) &&
         at < q->kept.ptr + before;
         at++)
        CORAS_TRY(take_location(q, at, err));
    return 0;
}

/* ---- */

static int search_some(void *user, const void *data, size_t len, coras_error **err)
{
    struct scan_search *q = user;

    coras_buf_put(&q->kept, data, len);
    CORAS_TRY(coras_buf_done(&q->kept, err));
    if (q->kept.len < 4 * SEARCH_OVERLAP)
        return 0;
    size_t done = q->kept.len - SEARCH_OVERLAP;
    CORAS_TRY(search_rows(q, err));
    if (q->kind == CORAS_SCAN_ONNX)
        CORAS_TRY(search_locations(q, done, err));
    memmove(q->kept.ptr, q->kept.ptr + done, SEARCH_OVERLAP);
    coras_buf_truncate(&q->kept, SEARCH_OVERLAP);
    q->kept_at += (int64_t)done;
    return 0;
}

static int run_search(struct scan_search *q, const coras_buf *head, int64_t limit,
                      coras_error **err)
{
    const coras_sink sink = {search_some, q};
    CORAS_TRY(coras_scan_stream(q->scan, q->part, head, 0, limit, &sink, err));
    CORAS_TRY(search_rows(q, err));
    return q->kind == CORAS_SCAN_ONNX ? search_locations(q, q->kept.len, err) : 0;
}

int coras_scan_search(coras_scan *s, const coras_scan_part *part, const coras_buf *head,
                      enum coras_scan_kind kind, coras_error **err)
{
    bool is_remote = s->model->target != NULL;
    int64_t limit = is_remote ? CORAS_LIMIT_SCAN_SEARCH : part->plain_size;
    struct scan_search q = {.scan = s,
                            .part = part,
                            .kind = kind,
                            .kept = CORAS_BUF_INIT(CORAS_MIB + 4 * SEARCH_OVERLAP)};
    int rc = run_search(&q, head, limit, err);

    coras_buf_clear(&q.kept);
    CORAS_TRY(rc);
    if (part->plain_size > limit)
        CORAS_TRY(coras_scan_not_looked(s, part, "only its beginning was searched", err));
    return coras_scan_looked(s, part, err);
}
