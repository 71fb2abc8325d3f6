/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparing two models: files by their digests, then the headers of those weight files whose
 * content is not the same, then, if it is asked for, the bytes of their tensors.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/map.h"
#include "base/options.h"
#include "base/vec.h"
#include "oci/json_fields.h"
#include "ops/models/diff_impl.h"
#include "transfer/parallel.h"

enum { A, B };

/* ---- files ---- */

static int add_file(struct coras_diff_side *side, size_t i, coras_error **err)
{
    const coras_model_file *f = &side->model->files.items[i];
    char digest[CORAS_DIGEST_TEXT_MAX];

    coras_file_facts_init(&side->files[i], i);
    side->files[i].keep = &side->budget;
    side->files[i].keep_metadata = true;
    CORAS_TRY(coras_map_set(side->paths, f->path, (void *)(uintptr_t)(i + 1), err));
    return f->is_blob ? coras_map_set(side->digests, coras_digest_format(&f->blob->digest, digest),
                                      side, err)
                      : 0;
}

static int open_side(struct coras_diff_side *side, coras_model *model, coras_error **err)
{
    size_t count = model->files.len;

    side->model = model;
    side->paths = coras_map_new(NULL);
    side->digests = coras_map_new(NULL);
    side->tensors = coras_map_new(NULL);
    side->files = coras_calloc(count + 1, sizeof(*side->files));
    side->is_known = coras_calloc(count + 1, sizeof(*side->is_known));
    if (!side->paths || !side->digests || !side->tensors || !side->files || !side->is_known)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < count; i++)
        CORAS_TRY(add_file(side, i, err));
    return 0;
}

static void close_side(struct coras_diff_side *side)
{
    for (size_t i = 0; side->files && i < side->model->files.len; i++)
        coras_file_facts_clear(&side->files[i]);
    coras_map_free(side->paths);
    coras_map_free(side->digests);
    coras_map_free(side->tensors);
    free(side->files);
    free(side->is_known);
}

/* What has the digest of a file of the other side is known, whatever it is called there. */
static void find_known(struct coras_diff_side *side, const struct coras_diff_side *other)
{
    char digest[CORAS_DIGEST_TEXT_MAX];

    for (size_t i = 0; i < side->model->files.len; i++) {
        const coras_model_file *f = &side->model->files.items[i];
        side->is_known[i] =
            f->is_blob &&
            coras_map_has(other->digests, coras_digest_format(&f->blob->digest, digest));
    }
}

static int pair_files(struct coras_diffing *d, coras_error **err)
{
    struct coras_diff_side *a = &d->sides[A], *b = &d->sides[B];

    for (size_t i = 0; i < a->model->files.len; i++) {
        const char *path = a->model->files.items[i].path;
        size_t other = (uintptr_t)coras_map_get(b->paths, path);
        if (!other) {
            CORAS_TRY(coras_strlist_add(&d->files_removed, path, err));
            continue;
        }
        if (coras_vec_grow(&d->pairs, 1) < 0)
            return coras_fail_no_memory(err);
        d->pairs.items[d->pairs.len++] = (struct coras_file_pair){.file = {i, other - 1}};
    }
    coras_vec_foreach (f, &b->model->files)
        if (!coras_map_has(a->paths, f->path))
            CORAS_TRY(coras_strlist_add(&d->files_added, f->path, err));
    return 0;
}

static int compare_pair(void *user, size_t i, coras_error **err)
{
    struct coras_diffing *d = user;
    struct coras_file_pair *pair = &d->pairs.items[i];

    return coras_diff_same_content(d, pair, &pair->is_same, err);
}

static int note_pairs(struct coras_diffing *d, coras_error **err)
{
    coras_vec_foreach (pair, &d->pairs) {
        if (pair->is_same) {
            d->sides[A].is_known[pair->file[A]] = true;
            d->sides[B].is_known[pair->file[B]] = true;
            continue;
        }
        CORAS_TRY(coras_strlist_add(&d->files_changed,
                                    d->sides[A].model->files.items[pair->file[A]].path, err));
    }
    return 0;
}

/* ---- tensors ---- */

static int choose_headers(struct coras_diffing *d, struct coras_diff_side *side, coras_error **err)
{
    for (size_t i = 0; i < side->model->files.len; i++) {
        if (side->is_known[i] || !coras_model_may_be_weights(side->model, i))
            continue;
        if (coras_vec_grow(&d->headers, 1) < 0)
            return coras_fail_no_memory(err);
        d->headers.items[d->headers.len++] = (struct coras_diff_header){side, i};
    }
    return 0;
}

static int read_header(void *user, size_t i, coras_error **err)
{
    const struct coras_diffing *d = user;
    const struct coras_diff_header *h = &d->headers.items[i];

    return coras_file_facts_read(h->side->model, &h->side->files[h->file], err);
}

/* Of several tensors of one name the first counts. */
static int map_tensors(struct coras_diff_side *side, coras_error **err)
{
    for (size_t i = 0; i < side->model->files.len; i++)
        coras_vec_foreach (t, &side->files[i].list)
            if (!coras_map_has(side->tensors, t->name))
                CORAS_TRY(coras_map_set(side->tensors, t->name, t, err));
    return 0;
}

static bool same_shape(const coras_fact_tensor *a, const coras_fact_tensor *b)
{
    return a->rank == b->rank &&
           (a->rank == 0 || memcmp(a->shape, b->shape, a->rank * sizeof(*a->shape)) == 0);
}

static int note_change(struct coras_diffing *d, const char *name, coras_changed_tensor change,
                       coras_error **err)
{
    coras_auto_free char *copy = coras_strdup(name);

    if (!copy || coras_vec_grow(&d->changed, 1) < 0)
        return coras_fail_no_memory(err);
    change.name = coras_steal(&copy);
    d->changed.items[d->changed.len++] = change;
    return 0;
}

static int compare_tensors(struct coras_diffing *d, const coras_fact_tensor *a,
                           const coras_fact_tensor *b, coras_error **err)
{
    coras_changed_tensor change = {.dtype = !coras_streq(a->dtype, b->dtype),
                                   .shape = !same_shape(a, b)};

    if (change.dtype || change.shape)
        return note_change(d, a->name, change, err);
    if (a->bytes != b->bytes) {
        change.bytes = true;
        return note_change(d, a->name, change, err);
    }
    if (!d->deep)
        return 0;
    if (coras_vec_grow(&d->tensors, 1) < 0)
        return coras_fail_no_memory(err);
    d->tensors.items[d->tensors.len++] = (struct coras_tensor_pair){.tensor = {a, b}};
    return 0;
}

static int list_tensors(struct coras_diffing *d, coras_error **err)
{
    const struct coras_diff_side *a = &d->sides[A], *b = &d->sides[B];

    for (size_t i = 0; i < a->model->files.len; i++) {
        coras_vec_foreach (t, &a->files[i].list) {
            const coras_fact_tensor *other = coras_map_get(b->tensors, t->name);
            if (coras_map_get(a->tensors, t->name) != t)
                continue;
            CORAS_TRY(other ? compare_tensors(d, t, other, err)
                            : coras_strlist_add(&d->tensors_removed, t->name, err));
        }
    }
    for (size_t i = 0; i < b->model->files.len; i++)
        coras_vec_foreach (t, &b->files[i].list)
            if (!coras_map_has(a->tensors, t->name) && coras_map_get(b->tensors, t->name) == t)
                CORAS_TRY(coras_strlist_add(&d->tensors_added, t->name, err));
    return 0;
}

static int compare_bytes(void *user, size_t i, coras_error **err)
{
    struct coras_diffing *d = user;
    struct coras_tensor_pair *p = &d->tensors.items[i];

    return coras_diff_bytes(d->sides[A].model, p->tensor[A]->file, p->tensor[A]->offset,
                            d->sides[B].model, p->tensor[B]->file, p->tensor[B]->offset,
                            p->tensor[A]->bytes, &p->bytes_differ, err);
}

static int note_bytes(struct coras_diffing *d, coras_error **err)
{
    coras_vec_foreach (p, &d->tensors)
        if (p->bytes_differ)
            CORAS_TRY(
                note_change(d, p->tensor[A]->name, (coras_changed_tensor){.bytes = true}, err));
    return 0;
}

/* ---- the call ---- */

static int compare(struct coras_diffing *d, coras_run *run, coras_error **err)
{
    find_known(&d->sides[A], &d->sides[B]);
    find_known(&d->sides[B], &d->sides[A]);
    CORAS_TRY(pair_files(d, err));
    CORAS_TRY(coras_run_parallel(run, d->pairs.len, compare_pair, d, err));
    CORAS_TRY(note_pairs(d, err));
    CORAS_TRY(choose_headers(d, &d->sides[A], err));
    CORAS_TRY(choose_headers(d, &d->sides[B], err));
    CORAS_TRY(coras_run_parallel(run, d->headers.len, read_header, d, err));
    CORAS_TRY(map_tensors(&d->sides[A], err));
    CORAS_TRY(map_tensors(&d->sides[B], err));
    CORAS_TRY(list_tensors(d, err));
    CORAS_TRY(coras_run_parallel(run, d->tensors.len, compare_bytes, d, err));
    CORAS_TRY(note_bytes(d, err));
    return coras_diff_documents(d, err);
}

static int run_comparison(struct coras_diffing *d, coras_error **err)
{
    coras_auto_value(coras_run) run;
    coras_run_options options = d->sides[A].model->run;

    options.on_event = NULL; /* nothing is transferred */
    coras_run_init(&run, &options);
    return compare(d, &run, err);
}

/* The list as the caller gets it, which takes its texts over. */
static int hand_out(coras_strlist *list, char ***ret, coras_error **err)
{
    char **texts = coras_calloc(list->len + 1, sizeof(*texts));

    if (!texts)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < list->len; i++)
        texts[i] = coras_steal(&list->items[i]);
    *ret = texts;
    return 0;
}

static int conclude(struct coras_diffing *d, coras_model_difference **ret, coras_error **err)
{
    coras_auto(coras_model_difference) made = coras_new(coras_model_difference);

    if (!made)
        return coras_fail_no_memory(err);
    CORAS_TRY(hand_out(&d->files_added, &made->files_added, err));
    CORAS_TRY(hand_out(&d->files_removed, &made->files_removed, err));
    CORAS_TRY(hand_out(&d->files_changed, &made->files_changed, err));
    CORAS_TRY(hand_out(&d->tensors_added, &made->tensors_added, err));
    CORAS_TRY(hand_out(&d->tensors_removed, &made->tensors_removed, err));
    made->tensors_changed = coras_steal(&d->changed.items);
    made->tensors_changed_len = d->changed.len;
    made->config = coras_steal(&d->config.items);
    made->config_len = d->config.len;
    *ret = coras_steal(&made);
    return 0;
}

static void diffing_clear(struct coras_diffing *d)
{
    close_side(&d->sides[A]);
    close_side(&d->sides[B]);
    for (size_t i = 0; d->changed.items && i < d->changed.len; i++)
        free(d->changed.items[i].name);
    for (size_t i = 0; d->config.items && i < d->config.len; i++) {
        free(d->config.items[i].path);
        free(d->config.items[i].a);
        free(d->config.items[i].b);
    }
    free(d->changed.items);
    free(d->config.items);
    free(d->pairs.items);
    free(d->headers.items);
    free(d->tensors.items);
    coras_strlist_clear(&d->files_added);
    coras_strlist_clear(&d->files_removed);
    coras_strlist_clear(&d->files_changed);
    coras_strlist_clear(&d->tensors_added);
    coras_strlist_clear(&d->tensors_removed);
}

int coras_model_diff(coras_model *a, coras_model *b, const coras_diff_options *opts,
                     coras_model_difference **ret, coras_error **err)
{
    coras_diff_options known = CORAS_DIFF_OPTIONS_INIT;
    struct coras_diffing d = {.deep = false};

    if (!a || !b || !ret)
        return coras_missing_argument(err);
    CORAS_TRY(coras_options_read(&known, sizeof(known), opts, err));
    d.deep = known.deep;
    int rc = open_side(&d.sides[A], a, err);
    if (rc == 0)
        rc = open_side(&d.sides[B], b, err);
    if (rc == 0)
        rc = run_comparison(&d, err);
    if (rc == 0)
        rc = conclude(&d, ret, err);
    diffing_clear(&d);
    return rc;
}

void coras_model_difference_free(coras_model_difference *difference)
{
    if (!difference)
        return;
    coras_text_list_free(difference->files_added);
    coras_text_list_free(difference->files_removed);
    coras_text_list_free(difference->files_changed);
    coras_text_list_free(difference->tensors_added);
    coras_text_list_free(difference->tensors_removed);
    for (size_t i = 0; i < difference->tensors_changed_len; i++)
        free(difference->tensors_changed[i].name);
    for (size_t i = 0; i < difference->config_len; i++) {
        free(difference->config[i].path);
        free(difference->config[i].a);
        free(difference->config[i].b);
    }
    free(difference->tensors_changed);
    free(difference->config);
    free(difference);
}
