/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types of numbers that weight files hold, and what their elements take.
 */
#ifndef CORAS_MODEL_DTYPES_H
#define CORAS_MODEL_DTYPES_H

#include "base/str.h"

/* Bits of one element of a safetensors type; 0 when there is none of that name. */
unsigned coras_safetensors_bits(coras_str dtype);

/* A GGUF tensor type: blocks of some elements in some bytes. */
struct coras_gguf_type {
    const char *name; /* NULL: no such type is known */
    uint16_t block_elements;
    uint16_t block_bytes; /* 0: the type was removed from the format */
};
struct coras_gguf_type coras_gguf_type(uint32_t id);

/* The value of `general.file_type` in words ("Q4_K_M"); NULL for one that is not known. */
const char *coras_gguf_file_type(int64_t value);

#endif
