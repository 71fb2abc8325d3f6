/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of files of chosen tensors, and their index.json (tensor_index.h).
 */
#include "ops/models/tensor_index.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "codec/json.h"
#include "model/shards.h"

void coras_tensor_indexes_clear(coras_tensor_indexes *indexes)
{
    coras_strlist_clear(&indexes->paths);
    coras_strlist_clear(&indexes->names);
}

static const char *path_of(const coras_model *m, const coras_chosen_files *chosen, size_t i)
{
    return m->files.items[chosen->items[i].file].path;
}

static bool is_same(coras_str a, coras_str b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

/* The place of a file in its series, from 1, and how many of it were chosen. */
static size_t place_in_series(const coras_model *m, const coras_chosen_files *chosen,
                              const coras_shard_name *name, size_t *ret_count)
{
    size_t place = 0;

    *ret_count = 0;
    for (size_t k = 0; k < chosen->len; k++) {
        coras_shard_name other;
        if (!coras_shard_name_parse(path_of(m, chosen, k), &other) ||
            !is_same(name->stem, other.stem) || !is_same(name->extension, other.extension))
            continue;
        ++*ret_count;
        if (other.number <= name->number)
            place++;
    }
    return place;
}

static int add(coras_strlist *list, const coras_shard_name *name, const char *between,
               const char *suffix, coras_error **err)
{
    coras_auto_buf path = CORAS_BUF_UNLIMITED;

    coras_buf_put(&path, name->stem.ptr, name->stem.len);
    coras_buf_puts(&path, between);
    coras_buf_put(&path, name->extension.ptr, name->extension.len);
    coras_buf_puts(&path, suffix);
    CORAS_TRY(coras_buf_done(&path, err));
    return coras_strlist_add(list, path.ptr, err);
}

static int name_shard(const coras_model *m, const coras_chosen_files *chosen,
                      const coras_shard_name *name, coras_tensor_indexes *ret, coras_error **err)
{
    coras_auto_buf number = CORAS_BUF_UNLIMITED;
    size_t count, place = place_in_series(m, chosen, name, &count);

    if (count == 1)
        return add(&ret->paths, name, "", "", err);
    coras_buf_printf(&number, "-%05zu-of-%05zu", place, count);
    CORAS_TRY(coras_buf_done(&number, err));
    CORAS_TRY(add(&ret->paths, name, number.ptr, "", err));
    return place == 1 ? add(&ret->names, name, "", ".index.json", err) : 0;
}

int coras_name_tensor_files(const coras_model *m, const coras_chosen_files *chosen,
                            coras_tensor_indexes *ret, coras_error **err)
{
    for (size_t i = 0; i < chosen->len; i++) {
        coras_shard_name name;
        const char *path = path_of(m, chosen, i);
        if (coras_shard_name_parse(path, &name))
            CORAS_TRY(name_shard(m, chosen, &name, ret, err));
        else
            CORAS_TRY(coras_strlist_add(&ret->paths, path, err));
    }
    return 0;
}

/* Whether a new file belongs to an index: "a/model.safetensors.index.json" lists
 * "a/model-00001-of-00002.safetensors". */
static bool is_listed(const char *index, const char *path)
{
    coras_shard_name name;
    size_t stem = strlen(index) - strlen(".index.json");

    return coras_shard_name_parse(path, &name) && stem == name.stem.len + name.extension.len &&
           memcmp(index, name.stem.ptr, name.stem.len) == 0 &&
           memcmp(index + name.stem.len, name.extension.ptr, name.extension.len) == 0;
}

int coras_tensor_index_text(const coras_chosen_files *chosen, const coras_tensor_indexes *indexes,
                            size_t i, coras_buf *ret, coras_error **err)
{
    coras_json_writer w = CORAS_JSON_WRITER(ret, 2);
    int64_t total = 0;

    w.keep_html = true;
    coras_jw_object(&w);
    coras_jw_key(&w, "weight_map");
    coras_jw_object(&w);
    for (size_t k = 0; k < chosen->len; k++) {
        const coras_chosen_file *f = &chosen->items[k];
        const char *path = indexes->paths.items[k];
        for (size_t t = 0; is_listed(indexes->names.items[i], path) && t < f->tensors.len; t++) {
            coras_jw_member(&w, f->tensors.items[t].name, coras_path_base(path));
            total += f->tensors.items[t].bytes;
        }
    }
    coras_jw_end_object(&w);
    coras_jw_key(&w, "metadata");
    coras_jw_object(&w);
    coras_jw_member_int(&w, "total_size", total);
    coras_jw_end_object(&w);
    coras_jw_end_object(&w);
    coras_buf_putc(ret, '\n');
    return coras_buf_done(ret, err);
}
