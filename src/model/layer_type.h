/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the media type of a layer claims: whose it is, what for, in which form.
 */
#ifndef CORAS_MODEL_LAYER_TYPE_H
#define CORAS_MODEL_LAYER_TYPE_H

#include "model/package.h"

enum coras_type_family {
    CORAS_TYPE_OTHER,
    CORAS_TYPE_MODELPACK,
    CORAS_TYPE_KITOPS,
    CORAS_TYPE_DOCKER,
    CORAS_TYPE_OLLAMA,
    CORAS_TYPE_IMAGE, /* a layer of a runnable image */
};

struct coras_layer_type {
    enum coras_type_family family;
    coras_str what;       /* behind the family's beginning: "weight.v1.raw", "gguf.v3" */
    coras_str parameters; /* behind the ';', or empty */
    enum coras_layer_form form;
    enum coras_compression compression;
};

/* `media_type` is borrowed and may be NULL. What is not known is OTHER, raw. */
struct coras_layer_type coras_layer_type_of(const char *media_type);

/* Whether what the type is for is this: "model" fits "model.v1.tar" and "model". */
bool coras_layer_is_for(const struct coras_layer_type *type, const char *what);

/* The value of a parameter `key`; empty: there is none. */
coras_str coras_layer_parameter(const struct coras_layer_type *type, const char *key);

#endif
