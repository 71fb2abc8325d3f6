/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a GGUF header: counts, metadata, a list of tensors. It is a row of fields of fixed size
 * and of texts with a length before them; each is taken when it is whole and says what comes next.
 * Whatever a length or a count claims is compared with the bytes that the file has left.
 */
#include "model/gguf_impl.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"

enum {
    MIN_PAIR = 13,   /* an empty key, a type, one byte */
    MIN_TENSOR = 24, /* an empty name, no dimension, a type, an offset */
    DEFAULT_ALIGNMENT = 32,
};

int coras_gguf_beyond(const struct coras_gguf *g, const char *what, coras_error **err)
{
    return coras_fail(err, CORAS_ERR_TOO_LARGE, "byte %lld: %s", (long long)g->offset, what);
}

int coras_gguf_expect(struct coras_gguf *g, enum coras_gguf_part part, uint64_t bytes,
                      coras_error **err)
{
    if (bytes > (uint64_t)(g->header->file_size - g->offset))
        return coras_header_refuse(g->offset, err, "%llu bytes are claimed, %lld are left",
                                   (unsigned long long)bytes,
                                   (long long)(g->header->file_size - g->offset));
    if (g->offset > CORAS_LIMIT_GGUF_HEADER ||
        bytes > (uint64_t)(CORAS_LIMIT_GGUF_HEADER - g->offset))
        return coras_gguf_beyond(g, "a header of more than 256 MiB", err);
    g->part = part;
    g->left = bytes;
    g->field_len = 0;
    return 0;
}

int coras_gguf_check_count(const struct coras_gguf *g, uint64_t count, unsigned size,
                           const char *of, coras_error **err)
{
    if (count > (uint64_t)(g->header->file_size - g->offset) / size)
        return coras_header_refuse(g->offset, err, "%llu %s are claimed, %lld bytes are left",
                                   (unsigned long long)count, of,
                                   (long long)(g->header->file_size - g->offset));
    return 0;
}

uint64_t coras_gguf_field(const struct coras_gguf *g)
{
    uint64_t n = 0;

    for (size_t i = 0; i < g->field_len; i++)
        n = n << 8 | g->field[g->is_big_endian ? i : g->field_len - 1 - i];
    return n;
}

const char *coras_gguf_show(struct coras_gguf *g, const coras_buf *name)
{
    return coras_header_show(&g->shown, (coras_str){name->ptr, name->len});
}

static int take_magic(struct coras_gguf *g, coras_error **err)
{
    if (memcmp(g->field, "GGUF", 4) != 0)
        return coras_header_refuse(0, err, "not GGUF");
    return coras_gguf_expect(g, CORAS_AT_VERSION, 4, err);
}

/* A file does not say that it is big-endian, but no version has its low 16 bits empty. */
static int take_version(struct coras_gguf *g, coras_error **err)
{
    uint64_t version = coras_gguf_field(g);

    if ((version & 0xffff) == 0) {
        g->is_big_endian = true;
        version = coras_gguf_field(g);
    }
    if (version != 2 && version != 3)
        return coras_fail(err, CORAS_ERR_UNSUPPORTED,
                          "byte 4: version %llu of GGUF, where 2 and 3 are known",
                          (unsigned long long)version);
    return coras_gguf_expect(g, CORAS_AT_TENSOR_COUNT, 8, err);
}

static int take_tensor_count(struct coras_gguf *g, coras_error **err)
{
    g->tensors_left = coras_gguf_field(g);
    CORAS_TRY(coras_gguf_check_count(g, g->tensors_left, MIN_TENSOR, "tensors", err));
    if (g->tensors_left > CORAS_LIMIT_TENSORS)
        return coras_gguf_beyond(g, "more tensors than are allowed", err);
    return coras_gguf_expect(g, CORAS_AT_PAIR_COUNT, 8, err);
}

/* All tensors are known: the rest can be compared with the file. */
static int complete(struct coras_gguf *g, coras_error **err)
{
    int64_t size = g->header->file_size;

    if (!g->has_architecture && !g->is_later_shard && g->tensors.count > 0)
        CORAS_TRY(coras_header_odd(g->header, CORAS_ODD_ARCHITECTURE, err,
                                   "byte %lld: general.architecture is missing",
                                   (long long)g->offset));
    if (!coras_gguf_align(g->offset, g->alignment, &g->size) || g->size > size) {
        if (g->tensors.count > 0)
            return coras_header_refuse(g->offset, err, "the file ends before the tensors' data");
        g->size = size; /* without tensors nothing has to be padded */
    }
    g->part = CORAS_AT_COMPLETE;
    coras_name_set_clear(&g->names);
    return coras_gguf_tensors_finish(&g->tensors, g->size, g->alignment, err);
}

int coras_gguf_next_tensor(struct coras_gguf *g, coras_error **err)
{
    if (g->tensors_left == 0)
        return complete(g, err);
    g->tensors_left--;
    return coras_gguf_expect(g, CORAS_AT_NAME_LENGTH, 8, err);
}

int coras_gguf_next_pair(struct coras_gguf *g, coras_error **err)
{
    if (g->pairs_left == 0) {
        coras_name_set_clear(&g->names);
        return coras_gguf_next_tensor(g, err);
    }
    g->pairs_left--;
    return coras_gguf_expect(g, CORAS_AT_KEY_LENGTH, 8, err);
}

static int take_pair_count(struct coras_gguf *g, coras_error **err)
{
    g->pairs_left = coras_gguf_field(g);
    CORAS_TRY(coras_gguf_check_count(g, g->pairs_left, MIN_PAIR, "pairs of metadata", err));
    if (g->pairs_left > CORAS_LIMIT_GGUF_PAIRS)
        return coras_gguf_beyond(g, "more metadata than is allowed", err);
    return coras_gguf_next_pair(g, err);
}

int coras_gguf_expect_text(struct coras_gguf *g, enum coras_gguf_part part, uint64_t bytes,
                           coras_error **err)
{
    coras_buf_reset(part == CORAS_AT_KEY ? &g->key : &g->text);
    CORAS_TRY(coras_gguf_expect(g, part, bytes, err));
    return bytes > CORAS_LIMIT_GGUF_STRING ? coras_gguf_beyond(g, "a text of more than 64 MiB", err)
                                           : 0;
}

int coras_gguf_take_name(struct coras_gguf *g, const coras_buf *name, coras_error **err)
{
    int rc = coras_name_set_add(&g->names, (coras_str){name->ptr, name->len}, err);

    if (rc > 0)
        return coras_header_refuse(g->offset, err, "the name \"%s\" is there twice",
                                   coras_gguf_show(g, name));
    return rc;
}

/* The part is whole. */
static int take_part(struct coras_gguf *g, coras_error **err)
{
    if (g->part >= CORAS_AT_NAME_LENGTH)
        return coras_gguf_take_tensor_part(g, err);
    switch (g->part) {
    case CORAS_AT_MAGIC:
        return take_magic(g, err);
    case CORAS_AT_VERSION:
        return take_version(g, err);
    case CORAS_AT_TENSOR_COUNT:
        return take_tensor_count(g, err);
    case CORAS_AT_PAIR_COUNT:
        return take_pair_count(g, err);
    default:
        return coras_gguf_take_pair_part(g, err);
    }
}

/* Bytes of the part that is being read: kept, or read past. */
static void take_bytes(struct coras_gguf *g, const char *data, size_t len)
{
    coras_buf *text = g->part == CORAS_AT_KEY ? &g->key : &g->text;
    size_t room = CORAS_LIMIT_METADATA_TEXT - text->len;

    if (g->part == CORAS_AT_KEY || g->part == CORAS_AT_TEXT || g->part == CORAS_AT_NAME) {
        coras_buf_put(text, data, len < room ? len : room);
    } else if (g->part != CORAS_AT_ELEMENTS && g->part != CORAS_AT_ELEMENT_TEXT) {
        memcpy(g->field + g->field_len, data, len);
        g->field_len += len;
    }
    g->left -= len;
    g->offset += (int64_t)len;
}

int coras_gguf_feed(struct coras_gguf *g, const char *data, size_t len, coras_error **err)
{
    while (g->part != CORAS_AT_COMPLETE) {
        size_t n = g->left < len ? (size_t)g->left : len;
        if (n > 0) {
            take_bytes(g, data, n);
            data += n;
            len -= n;
        }
        if (g->left > 0)
            return 0;
        CORAS_TRY(take_part(g, err));
    }
    return 1;
}

int64_t coras_gguf_wants(const struct coras_gguf *g)
{
    return g->offset + (int64_t)g->left;
}

int64_t coras_gguf_size(const struct coras_gguf *g)
{
    return g->size;
}

int coras_gguf_new(struct coras_header_facts *h, struct coras_gguf **ret, coras_error **err)
{
    struct coras_gguf *g = coras_new(struct coras_gguf);

    if (!g)
        return coras_fail_no_memory(err);
    g->header = h;
    g->part = CORAS_AT_MAGIC;
    g->left = 4;
    g->alignment = DEFAULT_ALIGNMENT;
    g->key = g->text = (coras_buf)CORAS_BUF_INIT(CORAS_LIMIT_METADATA_TEXT);
    g->shown = (coras_buf)CORAS_BUF_UNLIMITED;
    coras_gguf_tensors_init(&g->tensors, h);
    *ret = g;
    return 0;
}

void coras_gguf_free(struct coras_gguf *g)
{
    if (!g)
        return;
    coras_name_set_clear(&g->names);
    coras_buf_clear(&g->key);
    coras_buf_clear(&g->text);
    coras_buf_clear(&g->shown);
    coras_gguf_tensors_clear(&g->tensors);
    free(g);
}
