/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chosen tensors into a file of their own (tensor_file.h).
 */
#include "ops/models/tensor_file.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"
#include "model/dtypes.h"
#include "model/safetensors_write.h"
#include "oci/digest.h"

enum {
    GAP_BYTES = CORAS_MIB,
    PIECE_BYTES = CORAS_MIB,
    STRETCH_BYTES = 16 * CORAS_MIB /* long enough for a round trip not to count */
};

/* A stretch as it comes. */
struct tensor_arrival {
    const coras_tensor_file *file;
    const coras_run *run;
    size_t next; /* in the order */
    int64_t at;  /* the next byte of the source */
    int fd;
};

void coras_tensor_file_clear(coras_tensor_file *f)
{
    free(f->order);
    free(f->stretches.items);
    *f = (coras_tensor_file){0};
}

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
    struct tensor_arrival *r = user;
    const coras_tensor_file *f = r->file;
    const char *from = data;

    CORAS_TRY(coras_run_check(r->run, err));
    while (len > 0 && r->next < f->count) {
        const coras_chosen_tensor *t = f->order[r->next];
        bool is_before = r->at < t->offset;
        int64_t end = is_before ? t->offset : t->offset + t->bytes;
        size_t n = end - r->at < (int64_t)len ? (size_t)(end - r->at) : len;
        if (!is_before)
            CORAS_TRY(
                coras_pwrite_full(r->fd, from, n, f->data + t->place + (r->at - t->offset), err));
        from += n;
        len -= n;
        r->at += (int64_t)n;
        r->next += r->at == t->offset + t->bytes;
    }
    return 0;
}

int coras_tensor_file_fetch(const coras_tensor_file *f, coras_model *m, const coras_run *run,
                            size_t i, int fd, coras_error **err)
{
    const struct coras_tensor_stretch *s = &f->stretches.items[i];
    struct tensor_arrival r = {f, run, s->first, s->start, fd};
    const coras_sink sink = {take_bytes, &r};

    CORAS_TRY(coras_model_stream(m, f->chosen->file, s->start, s->end - s->start, &sink, err));
    return r.at == s->end
               ? 0
               : coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "the file ended before its tensors");
}

/* ---- the stretches ---- */

/* From tensor `first` on as long as they lie near each other; returns the first that does not. */
static size_t extend(const coras_tensor_file *f, size_t first, int64_t *ret_end)
{
    size_t i = first;

    for (*ret_end = f->order[i]->offset; i < f->count; i++) {
        const coras_chosen_tensor *t = f->order[i];
        if (t->offset - *ret_end > GAP_BYTES)
            break;
        *ret_end = t->offset + t->bytes;
    }
    return i;
}

static int cut_stretch(coras_tensor_file *f, size_t first, int64_t end, coras_error **err)
{
    int64_t start = f->order[first]->offset;

    while (start < end) {
        int64_t stop = end - start > STRETCH_BYTES ? start + STRETCH_BYTES : end;
        while (f->order[first]->offset + f->order[first]->bytes <= start)
            first++;
        if (coras_vec_grow(&f->stretches, 1) < 0)
            return coras_fail_no_memory(err);
        f->stretches.items[f->stretches.len++] = (struct coras_tensor_stretch){first, start, stop};
        start = stop;
    }
    return 0;
}

static int plan_stretches(coras_tensor_file *f, coras_error **err)
{
    size_t i = 0;

    while (i < f->count) {
        int64_t end;
        size_t first = i;
        i = extend(f, first, &end);
        CORAS_TRY(cut_stretch(f, first, end, err));
    }
    return 0;
}

/* ---- the whole ---- */

int coras_tensor_file_end(int fd, coras_descriptor *ret, coras_error **err)
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

int coras_tensor_file_begin(coras_chosen_file *chosen, int fd, coras_tensor_file *ret,
                            coras_error **err)
{
    const size_t count = chosen->tensors.len;
    coras_auto_value(coras_safetensors_writer) w = {0};
    coras_auto_value(coras_tensor_file)
        f = {.chosen = chosen, .order = coras_calloc(count, sizeof(coras_chosen_tensor *))};

    if (!f.order)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < count; i++)
        f.order[i] = &chosen->tensors.items[i];
    qsort(f.order, count, sizeof(*f.order), by_width);
    CORAS_TRY(make_header(chosen, f.order, &w, err));
    CORAS_TRY(coras_pwrite_full(fd, w.bytes.ptr, w.bytes.len, 0, err));
    f.data = (int64_t)w.bytes.len;
    f.count = drop_empty(f.order, count);
    qsort(f.order, f.count, sizeof(*f.order), by_offset);
    CORAS_TRY(plan_stretches(&f, err));
    *ret = f;
    f = (coras_tensor_file){0};
    return 0;
}
