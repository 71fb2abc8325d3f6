/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to the GGUF reader: what its files share. gguf.c goes through the header and knows where
 * it is, gguf_pairs.c takes the metadata, gguf_infos.c the list of tensors.
 */
#ifndef CORAS_MODEL_GGUF_IMPL_H
#define CORAS_MODEL_GGUF_IMPL_H

#include "model/gguf_tensors.h"
#include "model/name_set.h"

#define CORAS_GGUF_MAX_FIELD 8 /* bytes of a part of fixed size */

enum coras_gguf_value_type {
    CORAS_GGUF_U8,
    CORAS_GGUF_I8,
    CORAS_GGUF_U16,
    CORAS_GGUF_I16,
    CORAS_GGUF_U32,
    CORAS_GGUF_I32,
    CORAS_GGUF_F32,
    CORAS_GGUF_BOOL,
    CORAS_GGUF_STRING,
    CORAS_GGUF_ARRAY,
    CORAS_GGUF_U64,
    CORAS_GGUF_I64,
    CORAS_GGUF_F64,
};

/* What is read now. */
enum coras_gguf_part {
    CORAS_AT_MAGIC,
    CORAS_AT_VERSION,
    CORAS_AT_TENSOR_COUNT,
    CORAS_AT_PAIR_COUNT,
    CORAS_AT_KEY_LENGTH,
    CORAS_AT_KEY,
    CORAS_AT_VALUE_TYPE,
    CORAS_AT_SCALAR,
    CORAS_AT_TEXT_LENGTH,
    CORAS_AT_TEXT,
    CORAS_AT_ELEMENT_TYPE,
    CORAS_AT_ELEMENT_COUNT,
    CORAS_AT_ELEMENTS,       /* of fixed size, all of them */
    CORAS_AT_ELEMENT_BOOL,   /* one */
    CORAS_AT_ELEMENT_LENGTH, /* of one string */
    CORAS_AT_ELEMENT_TEXT,
    CORAS_AT_NAME_LENGTH,
    CORAS_AT_NAME,
    CORAS_AT_RANK,
    CORAS_AT_DIMENSION,
    CORAS_AT_TENSOR_TYPE,
    CORAS_AT_TENSOR_OFFSET,
    CORAS_AT_COMPLETE,
};

struct coras_gguf {
    struct coras_header_facts *header;
    int64_t offset; /* of the next byte */
    int64_t size;   /* once it is complete: where the data start */
    bool is_big_endian;
    enum coras_gguf_part part;
    uint64_t left; /* bytes of the part that did not come yet */
    unsigned char field[CORAS_GGUF_MAX_FIELD];
    size_t field_len;
    uint64_t pairs_left, tensors_left, elements_left, dimensions_left;
    coras_name_set names; /* of pairs, then of tensors */
    coras_buf key, text;  /* the name of a tensor is a text */
    uint32_t type;        /* of the value, or of the elements of the array */
    int64_t alignment;
    bool has_architecture, is_later_shard;
    struct coras_gguf_tensor tensor; /* being read; the name is in `text` */
    coras_gguf_tensors tensors;
    coras_buf shown;
};

/* The next part has so many bytes. They must be there, and the header must stay in its bound. */
CORAS_MUST_CHECK int coras_gguf_expect(struct coras_gguf *g, enum coras_gguf_part part,
                                       uint64_t bytes, coras_error **err);
/* The same for a text, which goes to g->key when it is a key, else to g->text. */
CORAS_MUST_CHECK int coras_gguf_expect_text(struct coras_gguf *g, enum coras_gguf_part part,
                                            uint64_t bytes, coras_error **err);
/* `count` things of at least `size` bytes each must fit into what is left of the file. */
CORAS_MUST_CHECK int coras_gguf_check_count(const struct coras_gguf *g, uint64_t count,
                                            unsigned size, const char *of, coras_error **err);
/* The number that the part of fixed size holds. */
uint64_t coras_gguf_field(const struct coras_gguf *g);
/* Returns CORAS_ERR_TOO_LARGE. */
int coras_gguf_beyond(const struct coras_gguf *g, const char *what, coras_error **err);
/* A name of a pair or a tensor, which must be new. */
CORAS_MUST_CHECK int coras_gguf_take_name(struct coras_gguf *g, const coras_buf *name,
                                          coras_error **err);
/* A name for a message. */
const char *coras_gguf_show(struct coras_gguf *g, const coras_buf *name);

/* A part is whole: take it and say what comes next. */
CORAS_MUST_CHECK int coras_gguf_take_pair_part(struct coras_gguf *g, coras_error **err);
CORAS_MUST_CHECK int coras_gguf_take_tensor_part(struct coras_gguf *g, coras_error **err);
CORAS_MUST_CHECK int coras_gguf_next_pair(struct coras_gguf *g, coras_error **err);
CORAS_MUST_CHECK int coras_gguf_next_tensor(struct coras_gguf *g, coras_error **err);

#endif
