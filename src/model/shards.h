/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Models in several files: names that count ("model-00001-of-00004.safetensors"), which of them are
 * there, and the index.json that says which file holds which tensor.
 */
#ifndef CORAS_MODEL_SHARDS_H
#define CORAS_MODEL_SHARDS_H

#include "base/str.h"

/* A name taken apart; views into the path. */
typedef struct coras_shard_name {
    coras_str stem;      /* the directories and the name up to "-00001-of-" */
    coras_str extension; /* what follows the count: ".safetensors" */
    int64_t number, of;  /* 1 <= number <= of */
} coras_shard_name;
/* False when the path is not that of a shard. */
bool coras_shard_name_parse(const char *path, coras_shard_name *ret);

/* How much of one or several such series is there. */
typedef struct coras_shard_series {
    int64_t expected, present;
    coras_strlist missing; /* their paths, CORAS_LIMIT_SHARDS_SHOWN at most */
    bool disagrees;        /* names of one series count differently */
} coras_shard_series;
/* Look at the names among the paths that are shards'. All zero when none is. */
CORAS_MUST_CHECK int coras_shards_check(const char *const *paths, size_t count,
                                        coras_shard_series *ret, coras_error **err);
void coras_shard_series_clear(coras_shard_series *series);
CORAS_DEFINE_AUTO_VALUE(coras_shard_series, coras_shard_series_clear)

/* ---- index.json ---- */
/*
 * Read while its bytes arrive. A file is a name without directories: whatever could lead elsewhere
 * is refused with UNSAFE_PATH, other nonsense with INVALID_MODEL, too much with TOO_LARGE.
 */
typedef struct coras_shard_index {
    coras_strlist files; /* each once, in the order in which they are first named */
    int64_t tensors;
    int64_t total_size; /* -1: none, or no whole number */
} coras_shard_index;
void coras_shard_index_clear(coras_shard_index *index);
CORAS_DEFINE_AUTO_VALUE(coras_shard_index, coras_shard_index_clear)

/* Told of each tensor with the place of its file in `files`; below 0 ends the reading. */
typedef int (*coras_shard_tensor_fn)(void *user, coras_str tensor, size_t file, coras_error **err);

typedef struct coras_shard_index_reader coras_shard_index_reader;
/* `tensor` may be NULL. */
CORAS_MUST_CHECK int coras_shard_index_reader_new(coras_shard_tensor_fn tensor, void *user,
                                                  coras_shard_index_reader **ret,
                                                  coras_error **err);
CORAS_MUST_CHECK int coras_shard_index_feed(coras_shard_index_reader *reader, const char *text,
                                            size_t len, coras_error **err);
/* The text is at its end. */
CORAS_MUST_CHECK int coras_shard_index_finish(coras_shard_index_reader *reader,
                                              coras_shard_index *ret, coras_error **err);
void coras_shard_index_reader_free(coras_shard_index_reader *reader);
CORAS_DEFINE_AUTO(coras_shard_index_reader, coras_shard_index_reader_free)

#endif
