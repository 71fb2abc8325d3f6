/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a weight file says of itself, read while its bytes arrive: safetensors and GGUF.
 *
 * A header is fed in order from the start of the file, in pieces of any size. It is a stranger's
 * claim about the file: counts, lengths and offsets are compared with the bytes that exist before
 * anything is kept, and what is kept of a tensor are some bytes, never the header itself, so that
 * 100 MB of header are read in less than 64 MiB of memory.
 *
 * Errors: CORAS_ERR_INVALID_MODEL when the file is not what it claims to be, with the byte at which
 * that was seen; CORAS_ERR_TOO_LARGE beyond one of our own bounds (base/limits.h); NO_MEMORY; and
 * what a visitor returned.
 */
#ifndef CORAS_MODEL_HEADER_H
#define CORAS_MODEL_HEADER_H

#include "base/str.h"

enum coras_weight_format { CORAS_WEIGHT_SAFETENSORS, CORAS_WEIGHT_GGUF };

/* One tensor; everything in it is borrowed and valid during the visit. */
typedef struct coras_tensor_record {
    coras_str name;       /* bytes of a stranger: escape them, and make no path of them */
    const char *dtype;    /* as the format spells it: "BF16", "Q4_K"; unknown ones too, escaped */
    size_t rank;          /* 0: a scalar */
    const int64_t *shape; /* in the order that the file has: GGUF's fastest dimension comes first */
    int64_t elements;     /* product of the shape */
    int64_t offset;       /* from the start of the file */
    int64_t bytes;
} coras_tensor_record;

/* Whoever wants to know. A function that is NULL is not called; what one returns below 0 ends the
 * reading with that error. Tensors of a GGUF file come when its header is complete, in the order of
 * the header; those of safetensors as they are read, which is before the whole was checked. */
typedef struct coras_header_visitor {
    int (*tensor)(void *user, const coras_tensor_record *tensor, coras_error **err);
    /* Metadata that is text: CORAS_LIMIT_METADATA_TEXT bytes of the value at most. */
    int (*text)(void *user, coras_str key, coras_str value, coras_error **err);
    /* Metadata that is an integer of 64 bits or a bool. */
    int (*number)(void *user, coras_str key, int64_t value, coras_error **err);
    /* One sentence, escaped; each kind of oddity is told once. */
    void (*warning)(void *user, const char *text);
    void *user;
} coras_header_visitor;

typedef struct coras_header_reader coras_header_reader;

/*
 * `strict` refuses what the reference readers of the format refuse, and what two readers could take
 * for two models; otherwise that which leaves no doubt about the tensors is a warning. The visitor
 * is copied, its user borrowed.
 */
CORAS_MUST_CHECK int coras_header_reader_new(enum coras_weight_format format, int64_t file_size,
                                             bool strict, const coras_header_visitor *visitor,
                                             coras_header_reader **ret, coras_error **err);
/* Take the next bytes of the file. 1: the header is complete and every rule holds, what lies behind
 * it was ignored; 0: more is needed. After a failure only coras_header_reader_free() is allowed. */
CORAS_MUST_CHECK int coras_header_feed(coras_header_reader *reader, const void *data, size_t len,
                                       coras_error **err);
/* How many bytes from the start of the file are needed at least, as far as is known: the whole of a
 * safetensors header after 8 bytes. A GGUF header does not tell: ask for the double of what was fed
 * where this is less. Never beyond the file. */
int64_t coras_header_wants(const coras_header_reader *reader);
/* After 1: the bytes of the header, so where the tensors' data start. */
int64_t coras_header_size(const coras_header_reader *reader);
void coras_header_reader_free(coras_header_reader *reader);
CORAS_DEFINE_AUTO(coras_header_reader, coras_header_reader_free)

#endif
