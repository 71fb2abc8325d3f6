/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata of a GGUF header: pairs of a key and a value, which may be an array of very many
 * texts (gguf.c).
 */
#include "model/gguf_impl.h"

#include "base/error.h"
#include "base/limits.h"

enum { MIN_STRING = 8 }; /* its length alone */

static int take_key_length(struct coras_gguf *g, coras_error **err)
{
    uint64_t length = coras_gguf_field(g);

    if (length > CORAS_LIMIT_GGUF_KEY)
        return coras_header_refuse(g->offset, err, "a key of %llu bytes, where %d are allowed",
                                   (unsigned long long)length, CORAS_LIMIT_GGUF_KEY);
    return coras_gguf_expect_text(g, CORAS_AT_KEY, length, err);
}

static bool is_ascii(const coras_buf *b)
{
    for (size_t i = 0; i < b->len; i++)
        if ((unsigned char)b->ptr[i] >= 0x80 || b->ptr[i] == '\0')
            return false;
    return true;
}

static int take_key(struct coras_gguf *g, coras_error **err)
{
    CORAS_TRY(coras_buf_done(&g->key, err));
    if (!is_ascii(&g->key))
        return coras_header_refuse(g->offset, err, "the key \"%s\" is not ASCII",
                                   coras_gguf_show(g, &g->key));
    CORAS_TRY(coras_gguf_take_name(g, &g->key, err));
    return coras_gguf_expect(g, CORAS_AT_VALUE_TYPE, 4, err);
}

static unsigned size_of_type(uint32_t type)
{
    static const unsigned char sizes[] = {
        [CORAS_GGUF_U8] = 1,  [CORAS_GGUF_I8] = 1,  [CORAS_GGUF_U16] = 2, [CORAS_GGUF_I16] = 2,
        [CORAS_GGUF_U32] = 4, [CORAS_GGUF_I32] = 4, [CORAS_GGUF_F32] = 4, [CORAS_GGUF_BOOL] = 1,
        [CORAS_GGUF_U64] = 8, [CORAS_GGUF_I64] = 8, [CORAS_GGUF_F64] = 8,
    };

    return type < sizeof(sizes) ? sizes[type] : 0;
}

static bool is_key(const struct coras_gguf *g, const char *key)
{
    return coras_str_eq((coras_str){g->key.ptr, g->key.len}, key);
}

static int take_value_type(struct coras_gguf *g, coras_error **err)
{
    g->type = (uint32_t)coras_gguf_field(g);
    if (is_key(g, "general.alignment") && g->type != CORAS_GGUF_U32)
        return coras_header_refuse(g->offset, err, "general.alignment is no u32");
    if (g->type == CORAS_GGUF_STRING)
        return coras_gguf_expect(g, CORAS_AT_TEXT_LENGTH, 8, err);
    if (g->type == CORAS_GGUF_ARRAY)
        return coras_gguf_expect(g, CORAS_AT_ELEMENT_TYPE, 4, err);
    if (size_of_type(g->type) == 0)
        return coras_header_refuse(g->offset, err, "key \"%s\": a value of the unknown type %u",
                                   coras_gguf_show(g, &g->key), g->type);
    return coras_gguf_expect(g, CORAS_AT_SCALAR, size_of_type(g->type), err);
}

/* The integer or bool that was read; false for a fraction and for what 63 bits do not hold. */
static bool integer_value(const struct coras_gguf *g, int64_t *ret)
{
    uint64_t n = coras_gguf_field(g);
    unsigned unused_bits = 64 - 8 * (unsigned)g->field_len;

    switch (g->type) {
    case CORAS_GGUF_F32:
    case CORAS_GGUF_F64:
        return false;
    case CORAS_GGUF_I8:
    case CORAS_GGUF_I16:
    case CORAS_GGUF_I32:
    case CORAS_GGUF_I64:
        *ret = (int64_t)(n << unused_bits) >> unused_bits;
        return true;
    default:
        *ret = (int64_t)n;
        return n <= INT64_MAX;
    }
}

static int take_alignment(struct coras_gguf *g, int64_t value, coras_error **err)
{
    if (value == 0 || (value & (value - 1)) != 0)
        return coras_header_refuse(g->offset, err, "an alignment of %lld, which is no power of two",
                                   (long long)value);
    g->alignment = value;
    return 0;
}

static int check_bool(struct coras_gguf *g, coras_error **err)
{
    if (g->field[0] <= 1)
        return 0;
    return coras_header_odd(g->header, CORAS_ODD_BOOL, err,
                            "byte %lld: key \"%s\": a bool is %u, which is neither 0 nor 1",
                            (long long)g->offset, coras_gguf_show(g, &g->key), g->field[0]);
}

static int take_scalar(struct coras_gguf *g, coras_error **err)
{
    const coras_header_visitor *visitor = &g->header->visitor;
    coras_str key = {g->key.ptr, g->key.len};
    int64_t value;

    if (g->type == CORAS_GGUF_BOOL)
        CORAS_TRY(check_bool(g, err));
    if (!integer_value(g, &value))
        return coras_gguf_next_pair(g, err);
    if (is_key(g, "general.alignment"))
        CORAS_TRY(take_alignment(g, value, err));
    if (is_key(g, "split.no"))
        g->is_later_shard = value > 0;
    if (visitor->number)
        CORAS_TRY(visitor->number(visitor->user, key, value, err));
    return coras_gguf_next_pair(g, err);
}

static int take_text(struct coras_gguf *g, coras_error **err)
{
    const coras_header_visitor *visitor = &g->header->visitor;
    coras_str key = {g->key.ptr, g->key.len}, value = {g->text.ptr, g->text.len};

    CORAS_TRY(coras_buf_done(&g->text, err));
    if (is_key(g, "general.architecture"))
        g->has_architecture = true;
    if (visitor->text)
        CORAS_TRY(visitor->text(visitor->user, key, value, err));
    return coras_gguf_next_pair(g, err);
}

static int next_element(struct coras_gguf *g, coras_error **err)
{
    if (g->elements_left == 0)
        return coras_gguf_next_pair(g, err);
    g->elements_left--;
    return g->type == CORAS_GGUF_BOOL ? coras_gguf_expect(g, CORAS_AT_ELEMENT_BOOL, 1, err)
                                      : coras_gguf_expect(g, CORAS_AT_ELEMENT_LENGTH, 8, err);
}

static int take_element_type(struct coras_gguf *g, coras_error **err)
{
    g->type = (uint32_t)coras_gguf_field(g);
    if (g->type == CORAS_GGUF_ARRAY)
        return coras_header_refuse(g->offset, err, "key \"%s\": an array of arrays",
                                   coras_gguf_show(g, &g->key));
    if (g->type != CORAS_GGUF_STRING && size_of_type(g->type) == 0)
        return coras_header_refuse(g->offset, err, "key \"%s\": an array of the unknown type %u",
                                   coras_gguf_show(g, &g->key), g->type);
    return coras_gguf_expect(g, CORAS_AT_ELEMENT_COUNT, 8, err);
}

static int take_element_count(struct coras_gguf *g, coras_error **err)
{
    unsigned size = g->type == CORAS_GGUF_STRING ? MIN_STRING : size_of_type(g->type);

    g->elements_left = coras_gguf_field(g);
    CORAS_TRY(coras_gguf_check_count(g, g->elements_left, size, "elements of an array", err));
    if (g->elements_left > CORAS_LIMIT_GGUF_ELEMENTS)
        return coras_gguf_beyond(g, "an array of more than 2^24 elements", err);
    if (g->type == CORAS_GGUF_STRING || g->type == CORAS_GGUF_BOOL)
        return next_element(g, err);
    return coras_gguf_expect(g, CORAS_AT_ELEMENTS, g->elements_left * size, err);
}

static int take_element_bool(struct coras_gguf *g, coras_error **err)
{
    CORAS_TRY(check_bool(g, err));
    return next_element(g, err);
}

int coras_gguf_take_pair_part(struct coras_gguf *g, coras_error **err)
{
    switch (g->part) {
    case CORAS_AT_KEY_LENGTH:
        return take_key_length(g, err);
    case CORAS_AT_KEY:
        return take_key(g, err);
    case CORAS_AT_VALUE_TYPE:
        return take_value_type(g, err);
    case CORAS_AT_SCALAR:
        return take_scalar(g, err);
    case CORAS_AT_TEXT_LENGTH:
        return coras_gguf_expect_text(g, CORAS_AT_TEXT, coras_gguf_field(g), err);
    case CORAS_AT_TEXT:
        return take_text(g, err);
    case CORAS_AT_ELEMENT_TYPE:
        return take_element_type(g, err);
    case CORAS_AT_ELEMENT_COUNT:
        return take_element_count(g, err);
    case CORAS_AT_ELEMENTS:
        return coras_gguf_next_pair(g, err);
    case CORAS_AT_ELEMENT_BOOL:
        return take_element_bool(g, err);
    case CORAS_AT_ELEMENT_LENGTH:
        return coras_gguf_expect_text(g, CORAS_AT_ELEMENT_TEXT, coras_gguf_field(g), err);
    case CORAS_AT_ELEMENT_TEXT:
        return next_element(g, err);
    default:
        return coras_fail(err, CORAS_ERR_INTERNAL, "no part of a pair");
    }
}
