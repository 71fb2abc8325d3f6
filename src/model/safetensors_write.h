/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing the header of a safetensors file: metadata first, then tensors in the order of their
 * data, which follow each other without gaps. The header is padded so that the data start at a
 * multiple of eight.
 */
#ifndef CORAS_MODEL_SAFETENSORS_WRITE_H
#define CORAS_MODEL_SAFETENSORS_WRITE_H

#include "base/str.h"

typedef struct coras_safetensors_writer {
    coras_buf bytes;
    int64_t data; /* bytes of the tensors so far */
    bool has_metadata, has_tensor;
} coras_safetensors_writer;

void coras_safetensors_begin(coras_safetensors_writer *w);
/* Before the first tensor; keys must not repeat. */
void coras_safetensors_metadata(coras_safetensors_writer *w, coras_str key, coras_str value);
/* Names must not repeat, and `bytes` fit the type and shape. */
void coras_safetensors_tensor(coras_safetensors_writer *w, coras_str name, const char *dtype,
                              const int64_t *shape, size_t rank, int64_t bytes);
/* The header is in w->bytes. TOO_LARGE when no reader would take it. */
CORAS_MUST_CHECK int coras_safetensors_end(coras_safetensors_writer *w, coras_error **err);
void coras_safetensors_writer_clear(coras_safetensors_writer *w);
CORAS_DEFINE_AUTO_VALUE(coras_safetensors_writer, coras_safetensors_writer_clear)

#endif
