/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Choosing tensors by the headers of a model's files (tensor_choice.h).
 */
#include "ops/models/tensor_choice.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/glob.h"
#include "base/limits.h"
#include "base/vec.h"
#include "ops/models/weights.h"
#include "ops/select.h"
#include "ops/models/tensor_whereabouts.h"
#include "transfer/parallel.h"

enum {
    NAMES_KEPT = 8,       /* of each file, */
    NAMES_SHOWN = 16,     /* and of all together, for a message */
    NAME_SHOWN_BYTES = 64 /* of each */
};

static void clear_file(coras_chosen_file *f)
{
    coras_vec_foreach (t, &f->tensors)
        free(t->shape);
    free(f->tensors.items);
    coras_strlist_clear(&f->metadata);
    coras_strlist_clear(&f->some_names);
}

void coras_chosen_files_clear(coras_chosen_files *files)
{
    coras_vec_foreach (f, files)
        clear_file(f);
    free(files->items);
    *files = (coras_chosen_files){0};
}

int coras_tensor_choice_check(const coras_tensor_choice *choice, coras_error **err)
{
    for (const char *const *p = choice->patterns; p && *p; p++)
        CORAS_TRY(coras_glob_check(*p, err));
    if (choice->of < 0 || choice->rank < 0 || (choice->of > 0 && choice->rank >= choice->of))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "no part %d of %d parts", choice->rank,
                          choice->of);
    return 0;
}

/* ---- one tensor ---- */

bool coras_tensor_is_chosen(const coras_tensor_choice *choice, const char *name)
{
    bool is_match = !choice->patterns || !*choice->patterns;

    for (const char *const *p = choice->patterns; !is_match && p && *p; p++)
        is_match = coras_glob_match(*p, name);
    return is_match;
}

/* Whether a component of the name is that of a layer whose inputs are spread over the processes:
 * these take columns, which do not lie together. */
static bool is_cut_by_columns(const char *name)
{
    static const char *const layers[] = {"o_proj", "down_proj", "out_proj", "dense_4h_to_h"};

    for (const char *at = name; at; at = strchr(at, '.')) {
        at += *at == '.';
        for (size_t i = 0; i < CORAS_ARRAY_LEN(layers); i++) {
            size_t n = strlen(layers[i]);
            if (strncmp(at, layers[i], n) == 0 && (at[n] == '.' || at[n] == '\0'))
                return true;
        }
    }
    return false;
}

static int refuse_part(const coras_chosen_tensor *t, const char *why, coras_error **err)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;

    coras_escape(&shown, t->name, strlen(t->name), CORAS_LIMIT_TENSOR_NAME);
    return coras_fail(err, CORAS_ERR_UNSUPPORTED, "tensor \"%s\": %s", shown.ptr, why);
}

/* Rows lie one after the other, so those of one part are one range. */
static int take_rows(const coras_tensor_choice *choice, coras_chosen_tensor *t, coras_error **err)
{
    int64_t row_bytes, rows;

    if (choice->of == 0 || t->dimensions < 2)
        return 0;
    if (is_cut_by_columns(t->name))
        return refuse_part(t, "its parts are columns, which are not read by ranges", err);
    if (t->shape[0] % choice->of != 0 || t->bytes % choice->of != 0) {
        coras_auto_buf why = CORAS_BUF_UNLIMITED;
        coras_buf_printf(&why, "%lld rows do not divide into %d parts", (long long)t->shape[0],
                         choice->of);
        return refuse_part(t, why.ptr, err);
    }
    if (t->shape[0] == 0)
        return 0;
    row_bytes = t->bytes / t->shape[0];
    rows = t->shape[0] / choice->of;
    t->shape[0] = rows;
    t->bytes = row_bytes * rows;
    t->offset += t->bytes * choice->rank;
    return 0;
}

/* One piece of memory for all that a tensor needs: there may be very many. */
static bool copy_record(coras_chosen_tensor *t, const char *name, const coras_tensor_record *record)
{
    size_t name_bytes = strlen(name) + 1, dtype_bytes = strlen(record->dtype) + 1;
    char *texts;

    t->shape = coras_malloc(record->rank * sizeof(*t->shape) + name_bytes + dtype_bytes);
    if (!t->shape)
        return false;
    texts = (char *)(t->shape + record->rank);
    if (record->rank > 0)
        memcpy(t->shape, record->shape, record->rank * sizeof(*t->shape));
    t->name = memcpy(texts, name, name_bytes);
    t->dtype = memcpy(texts + name_bytes, record->dtype, dtype_bytes);
    t->dimensions = record->rank;
    t->offset = record->offset;
    t->bytes = record->bytes;
    return true;
}

static int keep_tensor(coras_chosen_file *f, const char *name, const coras_tensor_record *record,
                       coras_error **err)
{
    coras_chosen_tensor t = {0};

    if (atomic_fetch_add(f->kept, 1) >= CORAS_LIMIT_TENSORS_CHOSEN)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "more than %d tensors are chosen",
                          CORAS_LIMIT_TENSORS_CHOSEN);
    if (coras_vec_grow(&f->tensors, 1) < 0 || !copy_record(&t, name, record))
        return coras_fail_no_memory(err);
    f->tensors.items[f->tensors.len++] = t;
    return take_rows(f->choice, &f->tensors.items[f->tensors.len - 1], err);
}

static int see_tensor(void *user, const coras_tensor_record *record, coras_error **err)
{
    coras_chosen_file *f = user;
    coras_auto_free char *name = coras_strndup(record->name.ptr, record->name.len);

    if (!name)
        return coras_fail_no_memory(err);
    f->tensor_count++;
    if (f->some_names.len < NAMES_KEPT)
        CORAS_TRY(coras_strlist_add(&f->some_names, name, err));
    return coras_tensor_is_chosen(f->choice, name) ? keep_tensor(f, name, record, err) : 0;
}

static int see_text(void *user, coras_str key, coras_str value, coras_error **err)
{
    coras_chosen_file *f = user;
    bool is_whole = value.len < CORAS_LIMIT_METADATA_TEXT - CORAS_UTF8_MAX &&
                    !memchr(value.ptr, '\0', value.len) && !memchr(key.ptr, '\0', key.len);

    if (!is_whole || f->metadata.len / 2 == CORAS_LIMIT_METADATA_KEPT) {
        f->metadata_was_cut = true;
        return 0;
    }
    CORAS_TRY(coras_strlist_addn(&f->metadata, key.ptr, key.len, err));
    return coras_strlist_addn(&f->metadata, value.ptr, value.len, err);
}

/* ---- all files ---- */

struct choosing {
    coras_model *model;
    coras_chosen_files *files;
};

static int read_file(void *user, size_t i, coras_error **err)
{
    struct choosing *c = user;
    coras_chosen_file *f = &c->files->items[i];
    const coras_header_visitor visitor = {.tensor = see_tensor, .text = see_text, .user = f};
    coras_weights weights;

    CORAS_TRY(coras_model_read_weights(c->model, f->file, false, &visitor, &weights, err));
    f->is_safetensors = weights.found && weights.format == CORAS_WEIGHT_SAFETENSORS;
    f->verified = weights.verified;
    return 0;
}

/* `elsewhere` are paths of files that need not be read; NULL: none. */
static int list_files(const coras_model *m, const coras_tensor_choice *choice,
                      const coras_map *elsewhere, atomic_size_t *kept, coras_chosen_files *ret,
                      coras_error **err)
{
    for (size_t i = 0; i < m->files.len; i++) {
        const coras_model_file *f = &m->files.items[i];
        if (!coras_model_may_be_weights(m, i) || (elsewhere && coras_map_has(elsewhere, f->path)) ||
            !coras_selection_matches(choice->selection, f->path,
                                     f->blob ? f->blob->media_type : NULL))
            continue;
        if (coras_vec_grow(ret, 1) < 0)
            return coras_fail_no_memory(err);
        ret->items[ret->len++] = (coras_chosen_file){.file = i, .choice = choice, .kept = kept};
    }
    return 0;
}

static bool is_matched(const coras_chosen_files *files, const char *pattern)
{
    coras_vec_foreach (f, files)
        for (size_t i = 0; f->is_safetensors && i < f->tensors.len; i++)
            if (coras_glob_match(pattern, f->tensors.items[i].name))
                return true;
    return false;
}

/* What there is, for somebody who asked for something else. */
static int fail_unmatched(const coras_chosen_files *files, const char *pattern, coras_error **err)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;
    coras_auto_buf names = CORAS_BUF_UNLIMITED;
    int64_t count = 0, named = 0;

    coras_escape(&shown, pattern, strlen(pattern), CORAS_LIMIT_TENSOR_NAME);
    coras_vec_foreach (f, files) {
        if (!f->is_safetensors)
            continue;
        count += f->tensor_count;
        for (size_t i = 0; i < f->some_names.len && named < NAMES_SHOWN; i++, named++) {
            coras_buf_puts(&names, named ? ", " : "");
            coras_escape(&names, f->some_names.items[i], strlen(f->some_names.items[i]),
                         NAME_SHOWN_BYTES);
        }
    }
    return coras_fail(err, CORAS_ERR_NOT_FOUND, "no tensor matches \"%s\"; there are %lld: %s%s",
                      shown.ptr, (long long)count, names.ptr, named < count ? ", ..." : "");
}

static int check_patterns(const coras_chosen_files *files, const coras_tensor_choice *choice,
                          coras_error **err)
{
    bool has_safetensors = false;

    coras_vec_foreach (f, files)
        has_safetensors |= f->is_safetensors;
    if (!has_safetensors)
        return coras_fail(err, CORAS_ERR_UNSUPPORTED,
                          "there is no safetensors file, and tensors are chosen from no other");
    for (const char *const *p = choice->patterns; p && *p; p++)
        if (!is_matched(files, *p))
            return fail_unmatched(files, *p, err);
    return 0;
}

/* Drop the files of which nothing is taken. */
static void keep_chosen(coras_chosen_files *files)
{
    size_t kept = 0;

    coras_vec_foreach (f, files) {
        if (f->is_safetensors && f->tensors.len > 0)
            files->items[kept++] = *f;
        else
            clear_file(f);
    }
    files->len = kept;
}

static int choose(coras_model *m, coras_run *run, const coras_tensor_choice *choice,
                  const coras_map *elsewhere, coras_chosen_files *ret, coras_error **err)
{
    struct choosing c = {m, ret};
    atomic_size_t kept = 0;

    CORAS_TRY(list_files(m, choice, elsewhere, &kept, ret, err));
    CORAS_TRY(coras_run_parallel(run, ret->len, read_file, &c, err));
    coras_vec_foreach (f, ret)
        f->kept = NULL; /* counted enough */
    return 0;
}

int coras_choose_tensors(coras_model *m, coras_run *run, const coras_tensor_choice *choice,
                         coras_chosen_files *ret, coras_error **err)
{
    coras_auto(coras_map) elsewhere = NULL;
    coras_auto_value(coras_chosen_files) files = {0};

    CORAS_TRY(coras_tensors_elsewhere(m, choice, &elsewhere, err));
    CORAS_TRY(choose(m, run, choice, elsewhere, &files, err));
    if (coras_map_len(elsewhere) > 0 && check_patterns(&files, choice, NULL) < 0) {
        coras_chosen_files_clear(&files); /* an index may be wrong: look everywhere */
        CORAS_TRY(choose(m, run, choice, NULL, &files, err));
    }
    CORAS_TRY(check_patterns(&files, choice, err));
    keep_chosen(&files);
    *ret = files;
    files = (coras_chosen_files){0};
    return 0;
}
