/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What config.json of a model directory says: the few facts that a reader of a model wants to know.
 * All of them are claims. A member of another type than expected counts as absent.
 */
#ifndef CORAS_MODEL_HF_CONFIG_H
#define CORAS_MODEL_HF_CONFIG_H

#include "base/str.h"

typedef struct coras_hf_config {
    char *model_type;       /* "llama"; all texts are NULL when absent, and a stranger's */
    char *architecture;     /* "LlamaForCausalLM": the first that is named */
    char *dtype;            /* "bfloat16" */
    char *quant_method;     /* "awq" */
    int64_t context_length; /* -1: not told */
    bool has_auto_map;      /* names code in the package that a loader would run */
} coras_hf_config;
void coras_hf_config_clear(coras_hf_config *config);
CORAS_DEFINE_AUTO_VALUE(coras_hf_config, coras_hf_config_clear)

/* INVALID_MODEL for what is no JSON object; TOO_LARGE beyond CORAS_LIMIT_MODEL_CONFIG bytes. */
CORAS_MUST_CHECK int coras_hf_config_read(const char *text, size_t len, coras_hf_config *ret,
                                          coras_error **err);

#endif
