/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading an index.json without a tree of it, since large models have a hundred thousand tensors,
 * and striking out what the shards turn out to hold.
 */
#include "ops/models/index.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "model/shards.h"

enum { NAMES_SHOWN = 3 };

/* Where a tensor is to be. */
struct coras_index_place {
    struct coras_index_place *next;
    size_t shard;   /* index into `shards` */
    bool was_there; /* seen where it should be */
    bool was_elsewhere;
    char tensor[];
};

bool coras_model_is_index(const char *path)
{
    return coras_str_ends(path, ".safetensors.index.json");
}

void coras_model_index_free(coras_model_index *index)
{
    if (!index)
        return;
    coras_map_free(index->places);
    coras_map_free(index->numbers);
    coras_strlist_clear(&index->missing);
    coras_arena_clear(&index->arena);
    coras_strlist_clear(&index->shards);
    coras_strlist_clear(&index->stranger_names);
    coras_strlist_clear(&index->double_names);
    coras_strlist_clear(&index->astray_names);
    (void)pthread_mutex_destroy(&index->lock);
    free(index->path);
    free(index);
}

/* ---- reading ---- */

/* Room for a tensor, at the end of the list. */
static struct coras_index_place *add_place(coras_model_index *index, coras_str tensor)
{
    struct coras_index_place *place =
        coras_arena_take(&index->arena, sizeof(*place) + tensor.len + 1);

    if (!place)
        return NULL;
    *place = (struct coras_index_place){0};
    memcpy(place->tensor, tensor.ptr, tensor.len);
    place->tensor[tensor.len] = '\0';
    if (index->last)
        index->last->next = place;
    else
        index->first = place;
    index->last = place;
    return place;
}

static int place_tensor(void *user, coras_str tensor, size_t file, coras_error **err)
{
    coras_model_index *index = user;
    struct coras_index_place *place = add_place(index, tensor);

    if (!place)
        return coras_fail_no_memory(err);
    place->shard = file;
    if (coras_map_has(index->places, place->tensor)) {
        coras_auto_free char *shown = coras_escape_dup(place->tensor);
        return coras_fail(err, CORAS_ERR_INVALID_MODEL, "tensor \"%s\" twice in the map",
                          shown ? shown : "");
    }
    return coras_map_set(index->places, place->tensor, place, err);
}

/* A shard lies beside its index. */
static int number_shards(coras_model_index *index, const coras_shard_index *read, coras_error **err)
{
    int dir = (int)(coras_path_base(index->path) - index->path);

    for (size_t i = 0; i < read->files.len; i++) {
        coras_auto_free char *path =
            coras_asprintf("%.*s%s", dir, index->path, read->files.items[i]);
        if (!path)
            return coras_fail_no_memory(err);
        CORAS_TRY(coras_strlist_add(&index->shards, path, err));
        CORAS_TRY(coras_map_set(index->numbers, path, (void *)(uintptr_t)(i + 1), err));
    }
    return 0;
}

static int read_index(coras_model_index *index, coras_str text, coras_error **err)
{
    coras_auto_value(coras_shard_index) read = {0};
    coras_auto(coras_shard_index_reader) reader = NULL;

    CORAS_TRY(coras_shard_index_reader_new(place_tensor, index, &reader, err));
    CORAS_TRY(coras_shard_index_feed(reader, text.ptr, text.len, err));
    CORAS_TRY(coras_shard_index_finish(reader, &read, err));
    return number_shards(index, &read, err);
}

int coras_model_index_new(const char *path, coras_str text, coras_model_index **ret,
                          coras_error **err)
{
    coras_model_index *made = coras_new(coras_model_index);

    if (!made)
        return coras_fail_no_memory(err);
    (void)pthread_mutex_init(&made->lock, NULL);
    coras_auto(coras_model_index) index = made;
    index->path = coras_strdup(path);
    index->places = coras_map_new(NULL);
    index->numbers = coras_map_new(NULL);
    if (!index->path || !index->places || !index->numbers)
        return coras_fail_no_memory(err);
    int rc = read_index(index, text, err);
    if (rc < 0) {
        coras_auto_free char *shown = coras_escape_dup(path);
        return coras_wrap(err, rc, "%s", shown ? shown : "");
    }
    *ret = coras_steal(&index);
    return 0;
}

/* ---- comparing ---- */

bool coras_model_index_has(const coras_model_index *index, const char *path)
{
    return coras_map_has(index->numbers, path);
}

int coras_model_index_find_missing(coras_model_index *index, const coras_map *files,
                                   coras_error **err)
{
    for (size_t i = 0; i < index->shards.len; i++)
        if (!coras_map_has(files, index->shards.items[i]))
            CORAS_TRY(coras_strlist_add(&index->missing, index->shards.items[i], err));
    return 0;
}

static int note_name(size_t *count, coras_strlist *names, const char *name, coras_error **err)
{
    return (*count)++ < NAMES_SHOWN ? coras_strlist_add(names, name, err) : 0;
}

static int see_locked(coras_model_index *x, const char *shard, const char *tensor,
                      coras_error **err)
{
    struct coras_index_place *place = coras_map_get(x->places, tensor);

    if (!place)
        return note_name(&x->strangers, &x->stranger_names, tensor, err);
    bool is_there = coras_streq(x->shards.items[place->shard], shard);
    bool again = place->was_there || place->was_elsewhere;
    place->was_there = place->was_there || is_there;
    place->was_elsewhere = place->was_elsewhere || !is_there;
    return again ? note_name(&x->doubles, &x->double_names, tensor, err) : 0;
}

int coras_model_index_see(coras_model_index *index, const char *shard, coras_str tensor,
                          coras_error **err)
{
    coras_auto_free char *name = coras_strndup(tensor.ptr, tensor.len);

    if (!name)
        return coras_fail_no_memory(err);
    (void)pthread_mutex_lock(&index->lock);
    int rc = see_locked(index, shard, name, err);
    (void)pthread_mutex_unlock(&index->lock);
    return rc;
}

/* "index.json: 2 tensors ...: a, b" */
static int tell(const coras_model_index *x, size_t count, const coras_strlist *names,
                const char *what, coras_strlist *warnings, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    if (count == 0)
        return 0;
    coras_escape(&text, x->path, strlen(x->path), CORAS_LIMIT_COMPONENT);
    coras_buf_printf(&text, ": %zu tensor%s %s: ", count, count == 1 ? "" : "s", what);
    for (size_t i = 0; i < names->len; i++) {
        coras_buf_puts(&text, i ? ", " : "");
        coras_escape(&text, names->items[i], strlen(names->items[i]), CORAS_LIMIT_COMPONENT);
    }
    coras_buf_puts(&text, count > names->len ? ", …" : "");
    CORAS_TRY(coras_buf_done(&text, err));
    return coras_strlist_add(warnings, text.ptr, err);
}

static int judge_places(coras_model_index *x, const bool *gone, size_t *absent,
                        coras_strlist *absent_names, coras_error **err)
{
    for (const struct coras_index_place *p = x->first; p; p = p->next) {
        if (p->was_there || gone[p->shard])
            continue;
        CORAS_TRY(p->was_elsewhere ? note_name(&x->astray, &x->astray_names, p->tensor, err)
                                   : note_name(absent, absent_names, p->tensor, err));
    }
    return 0;
}

static int tell_all(const coras_model_index *x, size_t absent, const coras_strlist *absent_names,
                    coras_strlist *warnings, coras_error **err)
{
    CORAS_TRY(tell(x, absent, absent_names, "of the map in no shard", warnings, err));
    CORAS_TRY(
        tell(x, x->astray, &x->astray_names, "in another shard than the map says", warnings, err));
    CORAS_TRY(tell(x, x->doubles, &x->double_names, "in two shards", warnings, err));
    return tell(x, x->strangers, &x->stranger_names, "of a shard not in the map", warnings, err);
}

int coras_model_index_judge(coras_model_index *index, coras_strlist *warnings, coras_error **err)
{
    coras_auto_value(coras_strlist) absent_names = {0};
    coras_auto_free bool *gone = coras_calloc(index->shards.len + 1, sizeof(*gone));
    size_t absent = 0;

    if (!gone)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < index->missing.len; i++)
        gone[(uintptr_t)coras_map_get(index->numbers, index->missing.items[i]) - 1] = true;
    CORAS_TRY(judge_places(index, gone, &absent, &absent_names, err));
    return tell_all(index, absent, &absent_names, warnings, err);
}
