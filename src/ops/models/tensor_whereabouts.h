/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files of a model need not be looked into for some tensors, because its index.json says that
 * they are elsewhere.
 */
#ifndef CORAS_OPS_MODELS_TENSOR_WHEREABOUTS_H
#define CORAS_OPS_MODELS_TENSOR_WHEREABOUTS_H

#include "base/map.h"
#include "ops/models/tensor_choice.h"

/* The paths of such files, as keys of a map; none where there is no index, or one that is broken:
 * then every header is read. */
CORAS_MUST_CHECK int coras_tensors_elsewhere(coras_model *m, const coras_tensor_choice *choice,
                                             coras_map **ret, coras_error **err);

#endif
