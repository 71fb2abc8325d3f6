/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparing the documents of two models, and what their headers hold beside tensors, value by
 * value.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/vec.h"
#include "ops/models/json_diff.h"
#include "ops/models/diff_impl.h"
#include "ops/models/index.h"

/* NULL for an absent value. */
static int to_text(const coras_json *v, char **ret, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&text, 0);

    if (!v)
        return 0;
    coras_jw_value(&w, v, false);
    return coras_buf_take(&text, ret, err);
}

static int add_value(void *user, const char *path, const coras_json *a, const coras_json *b,
                     coras_error **err)
{
    struct coras_diffing *d = user;
    coras_auto_free char *copy = coras_strdup(path);
    coras_auto_free char *text_a = NULL, *text_b = NULL;

    if (d->config.len >= CORAS_LIMIT_DIFF_VALUES)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "more than %d values differ",
                          CORAS_LIMIT_DIFF_VALUES);
    CORAS_TRY(to_text(a, &text_a, err));
    CORAS_TRY(to_text(b, &text_b, err));
    if (!copy || coras_vec_grow(&d->config, 1) < 0)
        return coras_fail_no_memory(err);
    d->config.items[d->config.len++] =
        (coras_changed_value){coras_steal(&copy), coras_steal(&text_a), coras_steal(&text_b)};
    return 0;
}

/* 1: it is no JSON, which is no reason to fail. */
static int read_json(coras_model *m, size_t file, coras_json **ret, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_MODEL_CONFIG);
    coras_auto(coras_error) why = NULL;

    CORAS_TRY(coras_model_document(m, file, CORAS_LIMIT_MODEL_CONFIG, &text, NULL, err));
    int rc = coras_json_parse(text.ptr, text.len, ret, &why);
    if (rc == CORAS_ERR_NO_MEMORY)
        return coras_fail_no_memory(err);
    return rc < 0 ? 1 : 0;
}

static int compare_documents(struct coras_diffing *d, const struct coras_file_pair *pair,
                             const char *path, coras_error **err)
{
    coras_auto(coras_json) a = NULL;
    coras_auto(coras_json) b = NULL;
    bool is_main = coras_streq(path, "config.json");
    coras_auto_free char *prefix = coras_asprintf("%s%s", is_main ? "" : path, is_main ? "" : ":");
    int rc;

    if (!prefix)
        return coras_fail_no_memory(err);
    rc = read_json(d->sides[0].model, pair->file[0], &a, err);
    if (rc == 0)
        rc = read_json(d->sides[1].model, pair->file[1], &b, err);
    return rc ? (rc < 0 ? rc : 0) : coras_json_diff(prefix, a, b, add_value, d, err);
}

/* What the headers of a file hold beside tensors. 1: nothing that can be compared. */
static int parse_metadata(const coras_file_facts *f, coras_json **ret, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) why = NULL;

    coras_buf_puts(&text, f->metadata.len ? f->metadata.ptr : "{");
    coras_buf_putc(&text, '}');
    CORAS_TRY(coras_buf_done(&text, err));
    int rc = coras_json_parse(text.ptr, text.len, ret, &why);
    if (rc == CORAS_ERR_NO_MEMORY)
        return coras_fail_no_memory(err);
    return rc < 0 ? 1 : 0;
}

static int compare_metadata(struct coras_diffing *d, const struct coras_file_pair *pair,
                            const char *path, coras_error **err)
{
    const coras_file_facts *fa = &d->sides[0].files[pair->file[0]];
    const coras_file_facts *fb = &d->sides[1].files[pair->file[1]];
    coras_auto(coras_json) a = NULL;
    coras_auto(coras_json) b = NULL;
    coras_auto_free char *prefix = coras_asprintf("%s:", path);
    int rc;

    if (!prefix)
        return coras_fail_no_memory(err);
    rc = parse_metadata(fa, &a, err);
    if (rc == 0)
        rc = parse_metadata(fb, &b, err);
    return rc ? (rc < 0 ? rc : 0) : coras_json_diff(prefix, a, b, add_value, d, err);
}

static bool has_header(const struct coras_diff_side *side, size_t file)
{
    return side->files[file].weights.found;
}

static bool is_small_document(const coras_model_file *f)
{
    return coras_str_ends(f->path, ".json") && !coras_model_is_index(f->path) &&
           f->size <= CORAS_LIMIT_MODEL_CONFIG;
}

int coras_diff_documents(struct coras_diffing *d, coras_error **err)
{
    coras_vec_foreach (pair, &d->pairs) {
        const coras_model_file *a = &d->sides[0].model->files.items[pair->file[0]];
        const coras_model_file *b = &d->sides[1].model->files.items[pair->file[1]];
        if (!pair->is_same && is_small_document(a) && is_small_document(b))
            CORAS_TRY(compare_documents(d, pair, a->path, err));
        else if (has_header(&d->sides[0], pair->file[0]) && has_header(&d->sides[1], pair->file[1]))
            CORAS_TRY(compare_metadata(d, pair, a->path, err));
    }
    return 0;
}
