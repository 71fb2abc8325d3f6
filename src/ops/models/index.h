/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of a sharded safetensors model (model.safetensors.index.json): which shard each tensor
 * is in, compared with what the shards hold. For the operations that look into models.
 */
#ifndef CORAS_OPS_MODELS_INDEX_H
#define CORAS_OPS_MODELS_INDEX_H

#include <pthread.h>

#include "base/map.h"
#include "model/header.h"
#include "ops/models/facts.h"

/* One index.json. */
typedef struct coras_model_index {
    char *path;           /* of the file */
    coras_strlist shards; /* paths of the shards that it names, in order of appearance */
    coras_map *numbers;   /* path of a shard -> its index + 1 */
    coras_map *places;    /* tensor -> struct coras_index_place */
    struct coras_index_place *first, *last; /* in the order of the text */
    coras_arena arena;                      /* of these */
    coras_strlist missing;                  /* shards that the model does not have */
    pthread_mutex_t lock;
    /* under lock: what does not fit, counted, with the first names */
    size_t strangers, doubles, astray;
    coras_strlist stranger_names, double_names, astray_names;
} coras_model_index;

/* Whether a file is such an index. */
bool coras_model_is_index(const char *path);

/* Read the text of the index that is called `path`. INVALID_MODEL for a map that is none,
 * UNSAFE_PATH for shards that lie elsewhere. */
CORAS_MUST_CHECK int coras_model_index_new(const char *path, coras_str text,
                                           coras_model_index **ret, coras_error **err);
void coras_model_index_free(coras_model_index *index);
CORAS_DEFINE_AUTO(coras_model_index, coras_model_index_free)

/* Whether the index names the file. */
bool coras_model_index_has(const coras_model_index *index, const char *path);
/* Find out which shards are missing: `files` is a map with the paths of the model's files. */
CORAS_MUST_CHECK int coras_model_index_find_missing(coras_model_index *index,
                                                    const coras_map *files, coras_error **err);
/* A tensor was found in a shard of the index. Any thread. */
CORAS_MUST_CHECK int coras_model_index_see(coras_model_index *index, const char *shard,
                                           coras_str tensor, coras_error **err);
/* What does not fit, as sentences; tensors of shards that are missing are not complained of. After
 * every shard was read. */
CORAS_MUST_CHECK int coras_model_index_judge(coras_model_index *index, coras_strlist *warnings,
                                             coras_error **err);

#endif
