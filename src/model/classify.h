/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file of a model is for: the kind that a ModelPack layer has. The content decides; the name
 * does where the content is a text, or nothing that is known.
 */
#ifndef CORAS_MODEL_CLASSIFY_H
#define CORAS_MODEL_CLASSIFY_H

#include "base/common.h"

enum coras_model_kind {
    CORAS_MODEL_WEIGHT,
    CORAS_MODEL_WEIGHT_CONFIG,
    CORAS_MODEL_DOC,
    CORAS_MODEL_CODE,
    CORAS_MODEL_DATASET,
};

typedef struct coras_model_class {
    enum coras_model_kind kind;
    bool by_content;    /* the name had no say */
    const char *format; /* "safetensors", "gguf", "pickle", ...; NULL: not known */
    const char *unsafe; /* why loading it can run code: "pickle", "python", "lambda"; NULL */
} coras_model_class;

/* As in "application/vnd.cncf.model.<kind>.v1.raw". */
const char *coras_model_kind_name(enum coras_model_kind kind);

/* By the path below the model's directory and the first bytes of the file (some hundred do). */
coras_model_class coras_model_classify(const char *path, const void *head, size_t len,
                                       int64_t size);

#endif
