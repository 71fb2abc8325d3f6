/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading index.json for the shards that a choice of tensors needs (tensor_whereabouts.h).
 */
#include "ops/models/tensor_whereabouts.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/vec.h"
#include "model/shards.h"
#include "ops/models/index.h"

enum { INDEX_BYTES = 16 * CORAS_MIB }; /* of the largest models it has nine */

struct whereabouts {
    const coras_tensor_choice *choice;
    struct {
        bool *items; /* by file of the index: it has a chosen tensor */
        size_t len, cap;
    } wanted;
};

static int see_tensor(void *user, coras_str tensor, size_t file, coras_error **err)
{
    struct whereabouts *w = user;
    coras_auto_free char *name = coras_strndup(tensor.ptr, tensor.len);

    if (!name)
        return coras_fail_no_memory(err);
    while (w->wanted.len <= file) {
        if (coras_vec_grow(&w->wanted, 1) < 0)
            return coras_fail_no_memory(err);
        w->wanted.items[w->wanted.len++] = false;
    }
    w->wanted.items[file] = w->wanted.items[file] || coras_tensor_is_chosen(w->choice, name);
    return 0;
}

static int read_index(coras_model *m, size_t file, struct whereabouts *w, coras_shard_index *ret,
                      coras_error **err)
{
    coras_auto(coras_shard_index_reader) reader = NULL;
    coras_auto_buf text = CORAS_BUF_INIT(INDEX_BYTES);

    CORAS_TRY(coras_model_document(m, file, INDEX_BYTES, &text, NULL, err));
    CORAS_TRY(coras_shard_index_reader_new(see_tensor, w, &reader, err));
    CORAS_TRY(coras_shard_index_feed(reader, text.ptr, text.len, err));
    return coras_shard_index_finish(reader, ret, err);
}

/* Files of the index lie beside it. */
static int note_unwanted(const char *index_path, const coras_shard_index *index,
                         const struct whereabouts *w, coras_map *elsewhere, coras_error **err)
{
    const char *slash = strrchr(index_path, '/');
    int directory = slash ? (int)(slash + 1 - index_path) : 0;

    for (size_t i = 0; i < index->files.len; i++) {
        if (i < w->wanted.len && w->wanted.items[i])
            continue;
        coras_auto_free char *path =
            coras_asprintf("%.*s%s", directory, index_path, index->files.items[i]);
        if (!path)
            return coras_fail_no_memory(err);
        CORAS_TRY(coras_map_set(elsewhere, path, NULL, err));
    }
    return 0;
}

static int look_into(coras_model *m, size_t file, const coras_tensor_choice *choice,
                     coras_map *elsewhere, coras_error **err)
{
    coras_auto_value(coras_shard_index) index = {0};
    coras_auto(coras_error) failure = NULL;
    struct whereabouts w = {.choice = choice};
    int rc = read_index(m, file, &w, &index, &failure);
    bool is_broken =
        rc == CORAS_ERR_INVALID_MODEL || rc == CORAS_ERR_UNSAFE_PATH || rc == CORAS_ERR_TOO_LARGE;

    if (rc == 0)
        rc = note_unwanted(m->files.items[file].path, &index, &w, elsewhere, &failure);
    free(w.wanted.items);
    if (rc == 0 || is_broken)
        return 0; /* what it would have told is found out by reading headers */
    coras_error_propagate(err, &failure);
    return rc;
}

int coras_tensors_elsewhere(coras_model *m, const coras_tensor_choice *choice, coras_map **ret,
                            coras_error **err)
{
    coras_auto(coras_map) elsewhere = coras_map_new(NULL);

    if (!elsewhere)
        return coras_fail_no_memory(err);
    for (size_t i = 0; choice->patterns && *choice->patterns && i < m->files.len; i++)
        if (coras_model_is_index(m->files.items[i].path))
            CORAS_TRY(look_into(m, i, choice, elsewhere, err));
    *ret = coras_steal(&elsewhere);
    return 0;
}
