/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Some tensors of a model into a directory: safetensors files that hold nothing else, and the small
 * documents of the model beside them.
 */
#ifndef CORAS_OPS_MODELS_TENSORS_H
#define CORAS_OPS_MODELS_TENSORS_H

#include "coras/plan.h"
#include "ops/models/tensor_choice.h"

struct coras_tensors_wanted {
    coras_tensor_choice choice;
    const char *output; /* directory; NULL: "." */
    coras_plan *plan;   /* not NULL: nothing is written but this, where sizes are what would move */
};

/*
 * One new file for each file that has chosen tensors. Of a series of shards those are counted anew,
 * and index.json is written where several remain; one that remains loses its number. Everything
 * appears under its name at once, at the end.
 *
 * Parts of blobs are not covered by digests: `warnings` says so. The descriptors in `ret->files`
 * are those of the new files. Errors are those of coras_choose_tensors(), EXISTS for names that
 * cannot stand together, NO_SPACE, DIGEST_MISMATCH for a document, and what reading a model gives.
 */
CORAS_MUST_CHECK int coras_model_pull_tensors(coras_model *m,
                                              const struct coras_tensors_wanted *wanted,
                                              coras_pull_result *ret, coras_strlist *warnings,
                                              coras_error **err);

#endif
