/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chosen tensors into a file of their own (tensor_file.h).
 */
#include "ops/models/tensor_file.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "model/dtypes.h"
#include "model/safetensors_write.h"
#include "oci/digest.h"

enum { GAP_BYTES = CORAS_MIB, PIECE_BYTES = CORAS_MIB };

/* One request: tensors [first, last) in the order of the source. */
struct tensor_request {
    const coras_run *run;
    const coras_chosen_file *chosen;
    coras_chosen_tensor **order;
    size_t first, last;
    int fd;
    int64_t data; /* where the data of the new file start */
    int64_t at;   /* the next byte of the source */
};

static unsigned width_of(const coras_chosen_tensor *t)
{
    return coras_safetensors_bits(coras_str_of(t->dtype));
}

/* Wide elements come first, so that all are aligned; else as in the source. */
static int by_width(const void *a, const void *b)
{
    const coras_chosen_tensor *x = *(coras_chosen_tensor *const *)a;
    const coras_chosen_tensor *y = *(coras_chosen_tensor *const *)b;

    if (width_of(x) != width_of(y))
        return width_of(x) > width_of(y) ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static int by_offset(const void *a, const void *b)
{
    const coras_chosen_tensor *x = *(coras_chosen_tensor *const *)a;
    const coras_chosen_tensor *y = *(coras_chosen_tensor *const *)b;

    return (x->offset > y->offset) - (x->offset < y->offset);
}

static int make_header(const coras_chosen_file *chosen, coras_chosen_tensor **order,
                       coras_safetensors_writer *w, coras_error **err)
{
    coras_safetensors_begin(w);
    for (size_t i = 0; i + 1 < chosen->metadata.len; i += 2)
        coras_safetensors_metadata(w, coras_str_of(chosen->metadata.items[i]),
                                   coras_str_of(chosen->metadata.items[i + 1]));
    for (size_t i = 0; i < chosen->tensors.len; i++) {
        coras_chosen_tensor *t = order[i];
        t->place = w->data;
        coras_safetensors_tensor(w, coras_str_of(t->name), t->dtype, t->shape, t->dimensions,
                                 t->bytes);
    }
    return coras_safetensors_end(w, err);
}

/* Bytes of the source: each goes to its tensor, or nowhere. */
static int take_bytes(void *user, const void *data, size_t len, coras_error **err)
{
    struct tensor_request *r = user;
    const char *from = data;

    CORAS_TRY(coras_run_check(r->run, err));
    while (len > 0 && r->first < r->last) {
        const coras_chosen_tensor *t = r->order[r->first];
        bool is_before = r->at < t->offset;
        int64_t end = is_before ? t->offset : t->offset + t->bytes;
        size_t n = end - r->at < (int64_t)len ? (size_t)(end - r->at) : len;
        if (!is_before)
            CORAS_TRY(
                coras_pwrite_full(r->fd, from, n, r->data + t->place + (r->at - t->offset), err));
        from += n;
        len -= n;
        r->at += (int64_t)n;
        r->first += r->at == t->offset + t->bytes;
    }
    return 0;
}

/* The next request takes tensors as long as they lie near each other. */
static void extend(struct tensor_request *r, size_t count, int64_t *ret_end)
{
    int64_t end = r->order[r->first]->offset + r->order[r->first]->bytes;

    for (r->last = r->first + 1; r->last < count; r->last++) {
        const coras_chosen_tensor *t = r->order[r->last];
        if (t->offset - end > GAP_BYTES)
            break;
        end = t->offset + t->bytes;
    }
    *ret_end = end;
}

static int fetch(coras_model *m, struct tensor_request *r, size_t count, coras_error **err)
{
    const coras_sink sink = {take_bytes, r};

    while (r->first < count) {
        int64_t end;
        size_t last;
        extend(r, count, &end);
        last = r->last;
        r->at = r->order[r->first]->offset;
        CORAS_TRY(coras_model_stream(m, r->chosen->file, r->at, end - r->at, &sink, err));
        if (r->at != end)
            return coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "the file ended before its tensors");
        r->first = last;
    }
    return 0;
}

static int hash_file(int fd, coras_descriptor *ret, coras_error **err)
{
    coras_auto(coras_hasher) hasher = NULL;
    coras_auto_free char *piece = coras_malloc(PIECE_BYTES);
    int64_t at = 0;
    size_t n;

    if (!piece)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_hasher_new(CORAS_SHA256, &hasher, err));
    do {
        CORAS_TRY(coras_pread_full(fd, piece, PIECE_BYTES, at, &n, err));
        coras_hasher_update(hasher, piece, n);
        at += (int64_t)n;
    } while (n == PIECE_BYTES);
    coras_hasher_final(hasher, &ret->digest);
    ret->size = at;
    return 0;
}

/* Without the tensors that have no bytes: they are in the header alone. */
static size_t drop_empty(coras_chosen_tensor **order, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        if (order[i]->bytes > 0)
            order[kept++] = order[i];
    return kept;
}

int coras_write_tensor_file(coras_model *m, const coras_run *run, coras_chosen_file *chosen, int fd,
                            coras_descriptor *ret, coras_error **err)
{
    size_t count = chosen->tensors.len;
    coras_auto_free coras_chosen_tensor **order =
        coras_calloc(count, sizeof(coras_chosen_tensor *));
    coras_auto_value(coras_safetensors_writer) w = {0};

    if (!order)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < count; i++)
        order[i] = &chosen->tensors.items[i];
    qsort(order, count, sizeof(coras_chosen_tensor *), by_width);
    CORAS_TRY(make_header(chosen, order, &w, err));
    CORAS_TRY(coras_pwrite_full(fd, w.bytes.ptr, w.bytes.len, 0, err));
    count = drop_empty(order, count);
    qsort(order, count, sizeof(coras_chosen_tensor *), by_offset);
    struct tensor_request r = {
        .run = run, .chosen = chosen, .order = order, .fd = fd, .data = (int64_t)w.bytes.len};
    CORAS_TRY(fetch(m, &r, count, err));
    return hash_file(fd, ret, err);
}
