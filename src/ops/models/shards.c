/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a model is complete: by the index of a safetensors model, by the numbers in the names of
 * its files, by what the headers of split GGUF files say.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"
#include "model/shards.h"
#include "ops/models/inspection.h"

bool coras_model_is_sidecar(const char *path)
{
    return strstr(coras_path_base(path), "mmproj") != NULL;
}

/* ---- by index ---- */

static bool is_indexed(const struct coras_inspection *in, const char *path)
{
    coras_vec_foreach (d, &in->documents)
        if (d->index && coras_model_index_has(d->index, path))
            return true;
    return false;
}

static int count_indexed(struct coras_inspection *in, struct coras_shard_count *c,
                         coras_error **err)
{
    coras_vec_foreach (d, &in->documents) {
        if (!d->index)
            continue;
        c->expected += (int64_t)d->index->shards.len;
        c->present += (int64_t)(d->index->shards.len - d->index->missing.len);
        for (size_t i = 0; i < d->index->missing.len; i++)
            CORAS_TRY(coras_strlist_add(&c->missing, d->index->missing.items[i], err));
        CORAS_TRY(coras_model_index_judge(d->index, &in->warnings, err));
    }
    return 0;
}

/* ---- by name and header ---- */

/* One weight file that no index names. */
struct loose_file {
    const char *path;
    const coras_file_facts *facts;
    coras_shard_name name; /* of == 0: its name has no numbers */
};

static int compare_loose(const void *pa, const void *pb)
{
    const struct loose_file *a = pa, *b = pb;

    return strcmp(a->path, b->path);
}

static bool is_equal(coras_str a, coras_str b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

static bool is_same_set(const struct loose_file *a, const struct loose_file *b)
{
    return a->name.of == b->name.of && is_equal(a->name.stem, b->name.stem) &&
           is_equal(a->name.extension, b->name.extension);
}

static int add_missing(const struct loose_file *like, int64_t from, int64_t to,
                       struct coras_shard_count *c, coras_error **err)
{
    for (int64_t n = from; n < to && c->missing.len < CORAS_LIMIT_SHARDS; n++) {
        coras_auto_free char *name =
            coras_asprintf("%.*s-%05lld-of-%05lld%.*s", (int)like->name.stem.len,
                           like->name.stem.ptr, (long long)n, (long long)like->name.of,
                           (int)like->name.extension.len, like->name.extension.ptr);
        if (!name)
            return coras_fail_no_memory(err);
        CORAS_TRY(coras_strlist_add(&c->missing, name, err));
    }
    return 0;
}

/* What the headers of a complete set of GGUF files say about it. */
static int check_set(struct coras_inspection *in, const struct loose_file *set, size_t count,
                     coras_error **err)
{
    int64_t tensors = 0;

    for (size_t i = 0; i < count; i++) {
        const coras_file_facts *f = set[i].facts;
        if (f->split_count >= 0 && f->split_count != set[i].name.of)
            CORAS_TRY(coras_inspection_warn(
                in, set[i].path, "split.count is not the number that the file's name has", err));
        if (f->split_no >= 0 && f->split_no != set[i].name.number - 1)
            CORAS_TRY(coras_inspection_warn(
                in, set[i].path, "split.no is not the number that the file's name has", err));
        tensors += f->tensors;
    }
    if ((int64_t)count == set[0].name.of && set[0].facts->split_tensors >= 0 &&
        set[0].facts->split_tensors != tensors)
        return coras_inspection_warn(
            in, set[0].path, "the shards hold another number of tensors than split.tensors.count",
            err);
    return 0;
}

/* Files of one numbered set, sorted by number. */
static int count_set(struct coras_inspection *in, const struct loose_file *set, size_t count,
                     struct coras_shard_count *c, coras_error **err)
{
    int64_t next = 1;

    c->expected += set[0].name.of;
    c->present += (int64_t)count;
    for (size_t i = 0; i < count; i++) {
        CORAS_TRY(add_missing(&set[i], next, set[i].name.number, c, err));
        next = set[i].name.number + 1;
    }
    CORAS_TRY(add_missing(&set[0], next, set[0].name.of + 1, c, err));
    return check_set(in, set, count, err);
}

/* A file whose name has no numbers; its header may say that there are others. */
static int count_single(struct coras_inspection *in, const struct loose_file *file,
                        struct coras_shard_count *c, coras_error **err)
{
    c->expected++;
    c->present++;
    if (file->facts->split_count > 1)
        return coras_inspection_warn(
            in, file->path, "one of several shards, which engines do not find by this name", err);
    return 0;
}

static int count_loose(struct coras_inspection *in, struct loose_file *files, size_t count,
                       struct coras_shard_count *c, coras_error **err)
{
    qsort(files, count, sizeof(*files), compare_loose);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && files[i].name.of && is_same_set(&files[i], &files[end]);)
            end++;
        CORAS_TRY(files[i].name.of ? count_set(in, files + i, end - i, c, err)
                                   : count_single(in, files + i, c, err));
    }
    return 0;
}

static bool is_loose(const struct coras_inspection *in, size_t i)
{
    const char *path = in->model->files.items[i].path;

    return in->files[i].weights.found && !coras_model_is_sidecar(path) && !is_indexed(in, path);
}

int coras_inspection_count_shards(struct coras_inspection *in, struct coras_shard_count *ret,
                                  coras_error **err)
{
    coras_auto_free struct loose_file *files =
        coras_calloc(in->model->files.len + 1, sizeof(*files));
    size_t count = 0;

    if (!files)
        return coras_fail_no_memory(err);
    CORAS_TRY(count_indexed(in, ret, err));
    for (size_t i = 0; i < in->model->files.len; i++) {
        if (!is_loose(in, i))
            continue;
        struct loose_file file = {.path = in->model->files.items[i].path, .facts = &in->files[i]};
        if (!coras_shard_name_parse(file.path, &file.name))
            file.name = (coras_shard_name){0};
        files[count++] = file;
    }
    return count_loose(in, files, count, ret, err);
}
