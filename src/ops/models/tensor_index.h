/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What files of chosen tensors are called, and the index.json that says which of them holds which.
 */
#ifndef CORAS_OPS_MODELS_TENSOR_INDEX_H
#define CORAS_OPS_MODELS_TENSOR_INDEX_H

#include "ops/models/tensor_choice.h"

#define CORAS_TENSOR_INDEX_SUFFIX ".safetensors.index.json"

typedef struct coras_tensor_indexes {
    coras_strlist paths; /* of the new files, in the order of the chosen ones */
    coras_strlist names; /* of the indexes: one for each series of several files */
} coras_tensor_indexes;
void coras_tensor_indexes_clear(coras_tensor_indexes *indexes);

/* Files keep their paths, but for those of a series of shards, which is counted anew. */
CORAS_MUST_CHECK int coras_name_tensor_files(const coras_model *m, const coras_chosen_files *chosen,
                                             coras_tensor_indexes *ret, coras_error **err);
/* The text of the i-th index. */
CORAS_MUST_CHECK int coras_tensor_index_text(const coras_chosen_files *chosen,
                                             const coras_tensor_indexes *indexes, size_t i,
                                             coras_buf *ret, coras_error **err);

#endif
