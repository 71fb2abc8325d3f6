/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A safetensors file that holds the chosen tensors of another one. First its header is written,
 * then stretches of the source are fetched in any order and by several threads, at last it is
 * hashed.
 */
#ifndef CORAS_OPS_MODELS_TENSOR_FILE_H
#define CORAS_OPS_MODELS_TENSOR_FILE_H

#include "ops/models/tensor_choice.h"

/* [start, end) of the source; the tensor that `start` lies in is order[first]. */
struct coras_tensor_stretch {
    size_t first;
    int64_t start, end;
};

typedef struct coras_tensor_file {
    const coras_chosen_file *chosen; /* borrowed */
    coras_chosen_tensor **order;     /* those that have bytes, as they lie in the source */
    size_t count;
    int64_t data; /* where the data of the new file start */
    struct {
        struct coras_tensor_stretch *items;
        size_t len, cap;
    } stretches;
} coras_tensor_file;
void coras_tensor_file_clear(coras_tensor_file *f);
CORAS_DEFINE_AUTO_VALUE(coras_tensor_file, coras_tensor_file_clear)

/* Write the header to an open, empty file, and plan the stretches: the chosen tensors, and what
 * lies between two that are at most 1 MiB apart, in pieces that several connections can share. */
CORAS_MUST_CHECK int coras_tensor_file_begin(coras_chosen_file *chosen, int fd,
                                             coras_tensor_file *ret, coras_error **err);
/* Fetch the i-th stretch. Any thread, each i once. */
CORAS_MUST_CHECK int coras_tensor_file_fetch(const coras_tensor_file *f, coras_model *m,
                                             const coras_run *run, size_t i, int fd,
                                             coras_error **err);
/* All is there: size and digest. */
CORAS_MUST_CHECK int coras_tensor_file_end(int fd, coras_descriptor *ret, coras_error **err);

#endif
