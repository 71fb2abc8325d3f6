/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to the header readers: what both formats share, and the two of them.
 */
#ifndef CORAS_MODEL_HEADER_IMPL_H
#define CORAS_MODEL_HEADER_IMPL_H

#include "model/header.h"

/* What is told once for each file, or refused at once where the reader is strict. */
enum coras_header_oddity {
    CORAS_ODD_FIRST_BYTE = 1 << 0,   /* white space before the header */
    CORAS_ODD_LENGTH = 1 << 1,       /* a header that some readers find too long */
    CORAS_ODD_METADATA = 1 << 2,     /* null where an object is expected */
    CORAS_ODD_DTYPE = 1 << 3,        /* a type that is not known */
    CORAS_ODD_NAME = 1 << 4,         /* a name that some readers refuse */
    CORAS_ODD_ORDER = 1 << 5,        /* tensors with gaps between them, or in another order */
    CORAS_ODD_TRAILING = 1 << 6,     /* bytes behind the last tensor */
    CORAS_ODD_ARCHITECTURE = 1 << 7, /* none named */
    CORAS_ODD_BOOL = 1 << 8,         /* neither 0 nor 1 */
};

struct coras_header_facts {
    int64_t file_size;
    bool strict;
    coras_header_visitor visitor;
    unsigned told; /* of enum coras_header_oddity */
};

/* The file is not what it claims: returns CORAS_ERR_INVALID_MODEL with the byte in front. */
int coras_header_refuse(int64_t offset, coras_error **err, const char *fmt, ...) CORAS_PRINTF(3, 4);
/* An oddity: an error where the reader is strict, else 0 and a warning. Text is escaped already. */
CORAS_MUST_CHECK int coras_header_odd(struct coras_header_facts *h, enum coras_header_oddity oddity,
                                      coras_error **err, const char *fmt, ...) CORAS_PRINTF(4, 5);
/* A warning whether or not the reader is strict. */
void coras_header_warn(struct coras_header_facts *h, enum coras_header_oddity oddity,
                       const char *fmt, ...) CORAS_PRINTF(3, 4);
/* A name for a message: escaped and short; "" when out of memory. `b` is reset before. */
const char *coras_header_show(coras_buf *b, coras_str name);

/* The product of the dimensions; false when it does not fit. */
bool coras_header_elements(const int64_t *shape, size_t rank, int64_t *ret);

/* The two formats. `h` is borrowed. Each feed returns as coras_header_feed() does. */
struct coras_safetensors;
CORAS_MUST_CHECK int coras_safetensors_new(struct coras_header_facts *h,
                                           struct coras_safetensors **ret, coras_error **err);
CORAS_MUST_CHECK int coras_safetensors_feed(struct coras_safetensors *s, const char *data,
                                            size_t len, coras_error **err);
int64_t coras_safetensors_size(const struct coras_safetensors *s); /* 8 until it is known */
void coras_safetensors_free(struct coras_safetensors *s);

struct coras_gguf;
CORAS_MUST_CHECK int coras_gguf_new(struct coras_header_facts *h, struct coras_gguf **ret,
                                    coras_error **err);
CORAS_MUST_CHECK int coras_gguf_feed(struct coras_gguf *g, const char *data, size_t len,
                                     coras_error **err);
int64_t coras_gguf_wants(const struct coras_gguf *g);
int64_t coras_gguf_size(const struct coras_gguf *g);
void coras_gguf_free(struct coras_gguf *g);

#endif
