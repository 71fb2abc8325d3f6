/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the header of one weight file says, collected while it is read, and the memory that facts
 * live in. For the operations that look into models.
 */
#ifndef CORAS_OPS_MODELS_FACTS_H
#define CORAS_OPS_MODELS_FACTS_H

#include <stdatomic.h>

#include "model/precision.h"
#include "ops/models/weights.h"

/* Memory that is given back at once. All zero is empty. */
typedef struct coras_arena {
    struct coras_arena_block *blocks;
} coras_arena;
/* Aligned for anything; NULL when out of memory. */
void *coras_arena_take(coras_arena *arena, size_t size);
void coras_arena_clear(coras_arena *arena);
/* What `from` holds belongs to `to`. */
void coras_arena_join(coras_arena *to, coras_arena *from);

/* How much of a list of tensors may be kept, over all files of a model. */
struct coras_tensor_budget {
    atomic_size_t used; /* bytes */
};

/* A number of the metadata whose key ends in ".context_length". */
struct coras_context_length {
    char *key;
    int64_t value;
};

/* What one file says. */
typedef struct coras_file_facts {
    coras_weights weights;
    coras_dtype_tally tally;
    int64_t tensors;
    char *architecture, *license; /* of GGUF */
    bool has_chat_template;
    int64_t file_type, split_no, split_count, split_tensors; /* of GGUF; -1: not said */
    struct {
        struct coras_context_length *items;
        size_t len, cap;
    } contexts;
    coras_strlist warnings; /* escaped */
    bool keep_metadata;
    coras_buf metadata; /* with `keep_metadata`: texts and integers as members of a JSON object,
                           without its end */
    /* With `keep`: */
    struct coras_tensor_budget *keep; /* NULL: tensors are counted only */
    struct {
        coras_fact_tensor *items;
        size_t len, cap;
    } list;
    coras_arena arena; /* of `list` */
    /* Sees each tensor too; may be NULL. */
    int (*tensor)(void *user, size_t file, const coras_tensor_record *t, coras_error **err);
    void *user;
    size_t file; /* index in the model */
} coras_file_facts;
void coras_file_facts_init(coras_file_facts *f, size_t file);
void coras_file_facts_clear(coras_file_facts *f);

/* Read the header of the file, if it has one. */
CORAS_MUST_CHECK int coras_file_facts_read(coras_model *m, coras_file_facts *f, coras_error **err);
/* The number for this architecture; -1: none. */
int64_t coras_file_facts_context(const coras_file_facts *f);

CORAS_DEFINE_AUTO(coras_model_facts, coras_model_facts_free)

#endif
