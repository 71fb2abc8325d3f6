/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of tensors in a GGUF header, one field after the other (gguf.c).
 */
#include "model/gguf_impl.h"

#include "base/error.h"
#include "base/limits.h"

enum { REFERENCE_NAME = 64 }; /* bytes that the C library reserves for a tensor's name */

static int take_name_length(struct coras_gguf *g, coras_error **err)
{
    uint64_t length = coras_gguf_field(g);

    if (length > CORAS_LIMIT_TENSOR_NAME)
        return coras_header_refuse(g->offset, err,
                                   "a tensor's name of %llu bytes, where %d are allowed",
                                   (unsigned long long)length, CORAS_LIMIT_TENSOR_NAME);
    return coras_gguf_expect_text(g, CORAS_AT_NAME, length, err);
}

static int take_tensor_name(struct coras_gguf *g, coras_error **err)
{
    CORAS_TRY(coras_buf_done(&g->text, err));
    CORAS_TRY(coras_gguf_take_name(g, &g->text, err));
    if (memchr(g->text.ptr, '\0', g->text.len))
        return coras_header_refuse(g->offset, err, "a tensor's name holds a NUL");
    if (g->text.len > REFERENCE_NAME || !coras_utf8_valid(g->text.ptr, g->text.len))
        CORAS_TRY(coras_header_odd(g->header, CORAS_ODD_NAME, err,
                                   "byte %lld: a tensor's name \"%s\" that is no text of at most "
                                   "%d bytes",
                                   (long long)g->offset, coras_gguf_show(g, &g->text),
                                   REFERENCE_NAME));
    return coras_gguf_expect(g, CORAS_AT_RANK, 4, err);
}

static int next_dimension(struct coras_gguf *g, coras_error **err)
{
    if (g->dimensions_left == 0)
        return coras_gguf_expect(g, CORAS_AT_TENSOR_TYPE, 4, err);
    g->dimensions_left--;
    return coras_gguf_expect(g, CORAS_AT_DIMENSION, 8, err);
}

static int take_rank(struct coras_gguf *g, coras_error **err)
{
    g->dimensions_left = coras_gguf_field(g);
    if (g->dimensions_left > CORAS_GGUF_MAX_RANK)
        return coras_header_refuse(g->offset, err, "tensor \"%s\": %llu dimensions, %d are allowed",
                                   coras_gguf_show(g, &g->text),
                                   (unsigned long long)g->dimensions_left, CORAS_GGUF_MAX_RANK);
    g->tensor.rank = 0;
    return next_dimension(g, err);
}

static int take_dimension(struct coras_gguf *g, coras_error **err)
{
    uint64_t n = coras_gguf_field(g);

    if (n > INT64_MAX)
        return coras_header_refuse(g->offset, err, "tensor \"%s\": a negative dimension",
                                   coras_gguf_show(g, &g->text));
    g->tensor.shape[g->tensor.rank++] = (int64_t)n;
    return next_dimension(g, err);
}

static int take_tensor_offset(struct coras_gguf *g, coras_error **err)
{
    uint64_t n = coras_gguf_field(g);

    if (n > (uint64_t)g->header->file_size)
        return coras_header_refuse(g->offset, err, "tensor \"%s\" begins beyond the file",
                                   coras_gguf_show(g, &g->text));
    g->tensor.offset = (int64_t)n;
    g->tensor.name = (coras_str){g->text.ptr, g->text.len};
    CORAS_TRY(coras_gguf_tensors_add(&g->tensors, &g->tensor, g->offset, err));
    return coras_gguf_next_tensor(g, err);
}

int coras_gguf_take_tensor_part(struct coras_gguf *g, coras_error **err)
{
    switch (g->part) {
    case CORAS_AT_NAME_LENGTH:
        return take_name_length(g, err);
    case CORAS_AT_NAME:
        return take_tensor_name(g, err);
    case CORAS_AT_RANK:
        return take_rank(g, err);
    case CORAS_AT_DIMENSION:
        return take_dimension(g, err);
    case CORAS_AT_TENSOR_TYPE:
        g->tensor.type = (uint32_t)coras_gguf_field(g);
        return coras_gguf_expect(g, CORAS_AT_TENSOR_OFFSET, 8, err);
    case CORAS_AT_TENSOR_OFFSET:
        return take_tensor_offset(g, err);
    default:
        return coras_fail(err, CORAS_ERR_INTERNAL, "no part of a tensor");
    }
}
