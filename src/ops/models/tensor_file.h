/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A safetensors file that holds the chosen tensors of another one.
 */
#ifndef CORAS_OPS_MODELS_TENSOR_FILE_H
#define CORAS_OPS_MODELS_TENSOR_FILE_H

#include "ops/models/tensor_choice.h"

/*
 * Write it to an open, empty file. Only the bytes of the chosen tensors are read, and what lies
 * between two that are at most 1 MiB apart. `*ret` gets size and digest.
 */
CORAS_MUST_CHECK int coras_write_tensor_file(coras_model *m, const coras_run *run,
                                             coras_chosen_file *chosen, int fd,
                                             coras_descriptor *ret, coras_error **err);

#endif
