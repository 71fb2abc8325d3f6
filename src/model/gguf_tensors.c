/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tensors of a GGUF header: packed while they are read, compared with the file at the end
 * (gguf_tensors.h).
 */
#include "model/gguf_tensors.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "model/dtypes.h"

/* One that is being looked at, with what follows from the rest of the file. */
struct placed {
    struct coras_gguf_tensor tensor;
    int64_t elements, bytes;
    char dtype[sizeof("TYPE_4294967295")];
};

/* The way through all of them. */
struct placing {
    coras_gguf_tensors *tensors;
    int64_t data, alignment;
    int64_t room;     /* bytes of data that the file has */
    int64_t expected; /* where the reference reader wants the next tensor */
    int64_t *offsets; /* sorted, where a type is unknown; else NULL */
    coras_buf shown;
};

void coras_gguf_tensors_init(coras_gguf_tensors *t, struct coras_header_facts *header)
{
    t->header = header;
    t->packed = (coras_buf)CORAS_BUF_INIT(CORAS_LIMIT_GGUF_TENSORS);
}

void coras_gguf_tensors_clear(coras_gguf_tensors *t)
{
    coras_buf_clear(&t->packed);
}

bool coras_gguf_align(int64_t n, int64_t alignment, int64_t *ret)
{
    int64_t up;

    if (!coras_add_int64(n, alignment - 1, &up))
        return false;
    *ret = up & ~(alignment - 1);
    return true;
}

/* Seven bits to a byte, the lowest first. */
static void pack(coras_buf *b, uint64_t n)
{
    for (; n >= 0x80; n >>= 7)
        coras_buf_putc(b, (char)(n | 0x80));
    coras_buf_putc(b, (char)n);
}

static uint64_t unpack(const char **at)
{
    uint64_t n = 0;
    unsigned char byte;

    for (unsigned shift = 0;; shift += 7) {
        byte = (unsigned char)*(*at)++;
        n |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return n;
    }
}

int coras_gguf_tensors_add(coras_gguf_tensors *t, const struct coras_gguf_tensor *tensor,
                           int64_t at, coras_error **err)
{
    coras_buf *b = &t->packed;

    pack(b, tensor->name.len);
    coras_buf_put(b, tensor->name.ptr, tensor->name.len);
    pack(b, tensor->rank);
    for (size_t i = 0; i < tensor->rank; i++)
        pack(b, (uint64_t)tensor->shape[i]);
    pack(b, tensor->type);
    pack(b, (uint64_t)tensor->offset);
    if (b->failed == CORAS_ERR_TOO_LARGE)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "byte %lld: more than %d bytes about tensors",
                          (long long)at, CORAS_LIMIT_GGUF_TENSORS);
    if (coras_gguf_type(tensor->type).block_bytes == 0)
        t->has_unknown_type = true;
    t->count++;
    return coras_buf_done(b, err);
}

static void unpack_tensor(const char **at, struct coras_gguf_tensor *ret)
{
    ret->name.len = (size_t)unpack(at);
    ret->name.ptr = *at;
    *at += ret->name.len;
    ret->rank = (size_t)unpack(at);
    for (size_t i = 0; i < ret->rank; i++)
        ret->shape[i] = (int64_t)unpack(at);
    ret->type = (uint32_t)unpack(at);
    ret->offset = (int64_t)unpack(at);
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int sort_offsets(struct placing *w, coras_error **err)
{
    const char *at = w->tensors->packed.ptr;

    w->offsets = coras_calloc(w->tensors->count, sizeof(*w->offsets));
    if (!w->offsets)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < w->tensors->count; i++) {
        struct coras_gguf_tensor tensor;
        unpack_tensor(&at, &tensor);
        w->offsets[i] = tensor.offset;
    }
    qsort(w->offsets, w->tensors->count, sizeof(*w->offsets), by_size);
    return 0;
}

/* The first offset beyond this one, or the end of the file if that comes first. */
static int64_t successor(const struct placing *w, int64_t offset)
{
    size_t low = 0, high = w->tensors->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->offsets[middle] > offset)
            high = middle;
        else
            low = middle + 1;
    }
    return low < w->tensors->count && w->offsets[low] < w->room ? w->offsets[low] : w->room;
}

static int refuse(struct placing *w, const struct placed *p, const char *what, coras_error **err)
{
    return coras_header_refuse(w->data + p->tensor.offset, err, "tensor \"%s\": %s",
                               coras_header_show(&w->shown, p->tensor.name), what);
}

/* A type without a size: what is there up to the next tensor. */
static int measure_unknown(struct placing *w, struct placed *p, coras_error **err)
{
    p->bytes = successor(w, p->tensor.offset) - p->tensor.offset;
    return coras_header_odd(w->tensors->header, CORAS_ODD_DTYPE, err,
                            "tensor \"%s\" has the type %u, which is not known",
                            coras_header_show(&w->shown, p->tensor.name), p->tensor.type);
}

static int measure(struct placing *w, struct placed *p, coras_error **err)
{
    struct coras_gguf_type type = coras_gguf_type(p->tensor.type);
    int64_t row = p->tensor.rank ? p->tensor.shape[0] : 1;

    if (type.name)
        (void)snprintf(p->dtype, sizeof(p->dtype), "%s", type.name);
    else
        (void)snprintf(p->dtype, sizeof(p->dtype), "TYPE_%u", p->tensor.type);
    if (!coras_header_elements(p->tensor.shape, p->tensor.rank, &p->elements))
        return refuse(w, p, "more elements than can be counted", err);
    if (p->tensor.offset > w->room)
        return refuse(w, p, "begins beyond the file", err);
    if (type.block_bytes == 0)
        return measure_unknown(w, p, err);
    if (row % type.block_elements != 0)
        return refuse(w, p, "its first dimension is no multiple of its type's block", err);
    if (__builtin_mul_overflow(p->elements / type.block_elements, (int64_t)type.block_bytes,
                               &p->bytes))
        return refuse(w, p, "more bytes than can be counted", err);
    if (p->bytes > w->room - p->tensor.offset)
        return refuse(w, p, "ends beyond the file", err);
    return 0;
}

/* The reference reader wants each tensor where the one before ends, padded. */
static int check_order(struct placing *w, const struct placed *p, coras_error **err)
{
    if (p->tensor.offset != w->expected)
        CORAS_TRY(coras_header_odd(
            w->tensors->header, CORAS_ODD_ORDER, err,
            "tensor \"%s\" lies at byte %lld of the data, where byte %lld was to be expected",
            coras_header_show(&w->shown, p->tensor.name), (long long)p->tensor.offset,
            (long long)w->expected));
    if (!coras_gguf_align(p->tensor.offset + p->bytes, w->alignment, &w->expected))
        return refuse(w, p, "ends beyond what can be counted", err);
    return 0;
}

static int visit(struct placing *w, const struct placed *p, coras_error **err)
{
    const coras_header_visitor *visitor = &w->tensors->header->visitor;
    coras_tensor_record record = {
        .name = p->tensor.name,
        .dtype = p->dtype,
        .rank = p->tensor.rank,
        .shape = p->tensor.shape,
        .elements = p->elements,
        .offset = w->data + p->tensor.offset,
        .bytes = p->bytes,
    };

    return visitor->tensor ? visitor->tensor(visitor->user, &record, err) : 0;
}

static int walk_all(struct placing *w, coras_error **err)
{
    const char *at = w->tensors->packed.ptr;
    int64_t reached = 0;

    if (w->tensors->has_unknown_type)
        CORAS_TRY(sort_offsets(w, err));
    for (size_t i = 0; i < w->tensors->count; i++) {
        struct placed p;
        unpack_tensor(&at, &p.tensor);
        CORAS_TRY(measure(w, &p, err));
        CORAS_TRY(check_order(w, &p, err));
        CORAS_TRY(visit(w, &p, err));
        if (w->expected > reached)
            reached = w->expected;
    }
    int64_t end = w->data + reached, behind = w->room - reached;
    if (behind > 0)
        return coras_header_odd(w->tensors->header, CORAS_ODD_TRAILING, err,
                                "byte %lld: bytes behind the last tensor: %lld", (long long)end,
                                (long long)behind);
    return 0;
}

int coras_gguf_tensors_finish(coras_gguf_tensors *t, int64_t data, int64_t alignment,
                              coras_error **err)
{
    struct placing w = {
        .tensors = t,
        .data = data,
        .alignment = alignment,
        .room = t->header->file_size - data,
        .shown = CORAS_BUF_UNLIMITED,
    };
    int rc = walk_all(&w, err);

    free(w.offsets);
    coras_buf_clear(&w.shown);
    return rc;
}
