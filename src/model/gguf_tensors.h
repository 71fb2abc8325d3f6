/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to the GGUF reader: the tensors that its header lists, kept until the header is complete,
 * because only then is known where their data start. One takes its name and some bytes.
 */
#ifndef CORAS_MODEL_GGUF_TENSORS_H
#define CORAS_MODEL_GGUF_TENSORS_H

#include "model/header_impl.h"

#define CORAS_GGUF_MAX_RANK 4

typedef struct coras_gguf_tensors {
    struct coras_header_facts *header;
    coras_buf packed; /* one behind the other */
    size_t count;
    bool has_unknown_type;
} coras_gguf_tensors;

struct coras_gguf_tensor {
    coras_str name; /* borrowed */
    size_t rank;
    int64_t shape[CORAS_GGUF_MAX_RANK];
    uint32_t type;
    int64_t offset; /* from the start of the data */
};

void coras_gguf_tensors_init(coras_gguf_tensors *t, struct coras_header_facts *header);
void coras_gguf_tensors_clear(coras_gguf_tensors *t);
/* Keep one. `at` is where the header says it, for messages. */
CORAS_MUST_CHECK int coras_gguf_tensors_add(coras_gguf_tensors *t,
                                            const struct coras_gguf_tensor *tensor, int64_t at,
                                            coras_error **err);
/* Compare all of them with the file, whose data start at `data`, and tell the visitor. */
CORAS_MUST_CHECK int coras_gguf_tensors_finish(coras_gguf_tensors *t, int64_t data,
                                               int64_t alignment, coras_error **err);

/* The next multiple of the alignment, a power of two; false when it does not fit. */
bool coras_gguf_align(int64_t n, int64_t alignment, int64_t *ret);

#endif
