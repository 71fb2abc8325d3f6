/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of inspecting a model: what was read (inspect.c) and what follows from it
 * (conclude.c, shards.c).
 */
#ifndef CORAS_OPS_MODELS_INSPECTION_H
#define CORAS_OPS_MODELS_INSPECTION_H

#include "model/hf_config.h"
#include "ops/models/claims.h"
#include "ops/models/facts.h"
#include "ops/models/index.h"

/* A small file that is read whole. */
enum coras_document_kind {
    CORAS_DOCUMENT_PACKAGE, /* the config of the package */
    CORAS_DOCUMENT_CONFIG,  /* config.json */
    CORAS_DOCUMENT_INDEX,   /* model.safetensors.index.json */
};
struct coras_inspected_document {
    enum coras_document_kind kind;
    size_t file;
    coras_model_index *index; /* owned; NULL: of another kind */
};

struct coras_inspection {
    coras_model *model;
    bool tensors; /* are listed */
    struct coras_tensor_budget budget;
    struct {
        struct coras_inspected_document *items;
        size_t len, cap;
    } documents;
    coras_hf_config config;
    bool config_unverified;  /* it was read from where nothing vouches for it */
    coras_file_facts *files; /* for each file of the model */
    size_t file_count;
    size_t *candidates; /* files that may hold weights */
    size_t candidate_count;
    coras_strlist warnings; /* escaped */
};

/* "<path>: <text>"; `text` is escaped already, `path` may be NULL. */
CORAS_MUST_CHECK int coras_inspection_warn(struct coras_inspection *in, const char *path,
                                           const char *text, coras_error **err);

/* What follows from everything that was read. */
CORAS_MUST_CHECK int coras_inspection_conclude(struct coras_inspection *in, coras_model_facts **ret,
                                               coras_error **err);

/* How many weight files there should be, and which are missing. */
struct coras_shard_count {
    int64_t expected, present;
    coras_strlist missing;
};
CORAS_MUST_CHECK int coras_inspection_count_shards(struct coras_inspection *in,
                                                   struct coras_shard_count *ret,
                                                   coras_error **err);

/* Whether a file is a projector beside a model, which is never the model itself. */
bool coras_model_is_sidecar(const char *path);

#endif
