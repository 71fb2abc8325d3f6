/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers of local weight files, read to their end by every rule, and what they add up to.
 */
#ifndef CORAS_OPS_MODELS_SURVEY_WEIGHTS_H
#define CORAS_OPS_MODELS_SURVEY_WEIGHTS_H

#include "base/cancel.h"
#include "model/header.h"
#include "model/precision.h"
#include "ops/models/dir.h"

/* Metadata of a GGUF file that concern the model; owned, NULL where absent. */
struct coras_gguf_facts {
    char *architecture, *name, *version, *licence, *organization, *type, *template;
    int64_t file_type; /* -1: absent */
};

/* What the files of one model add up to. All zero is empty. */
typedef struct coras_weight_sums {
    coras_dtype_tally safetensors, gguf;
    bool packed; /* several numbers share an element: elements are not parameters */
    bool has_gguf;
    struct coras_gguf_facts facts; /* of the first that is the model */
    coras_strlist warnings;        /* escaped */
} coras_weight_sums;
void coras_weight_sums_clear(coras_weight_sums *sums);
CORAS_DEFINE_AUTO_VALUE(coras_weight_sums, coras_weight_sums_clear)

/* Of one file. */
struct coras_weight_header {
    int64_t size;
    coras_digest digest;
    bool is_companion; /* a GGUF beside the model: a projector, an adapter */
    bool is_adapter;   /* of these the second */
};

/* Errors have the file's path in front, and say at which byte. */
CORAS_MUST_CHECK int coras_weight_sums_read(coras_weight_sums *sums,
                                            const struct coras_model_dir_file *file,
                                            enum coras_weight_format format,
                                            const coras_cancel *cancel,
                                            struct coras_weight_header *ret, coras_error **err);

#endif
