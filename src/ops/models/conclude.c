/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows from the headers and documents of a model: the facts that are handed out.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"
#include "model/dtypes.h"
#include "ops/models/inspection.h"

/* ---- the parts ---- */

static int copy_text(char **ret, const char *text, coras_error **err)
{
    if (!text || *ret)
        return 0;
    *ret = coras_strdup(text);
    return *ret ? 0 : coras_fail_no_memory(err);
}

static int put_files(const coras_model *m, coras_model_facts *facts, coras_error **err)
{
    facts->files = coras_calloc(m->files.len + 1, sizeof(*facts->files));
    if (!facts->files)
        return coras_fail_no_memory(err);
    coras_vec_foreach (f, &m->files) {
        coras_fact_file *to = &facts->files[facts->file_count++];
        *to = (coras_fact_file){.size = f->size, .has_digest = f->is_blob};
        CORAS_TRY(copy_text(&to->path, f->path, err));
        if (f->blob) {
            CORAS_TRY(copy_text(&to->media_type, f->blob->media_type, err));
            to->digest = f->blob->digest;
        }
        if (!coras_add_int64(facts->total_size, f->size, &facts->total_size))
            facts->total_size = INT64_MAX;
    }
    return 0;
}

static int compare_dtypes(const void *pa, const void *pb)
{
    const coras_fact_dtype *a = pa, *b = pb;

    if (a->elements != b->elements)
        return a->elements > b->elements ? -1 : 1;
    return strcmp(a->name, b->name);
}

static int add_tally(coras_dtype_tally *sum, const coras_dtype_tally *tally, coras_error **err)
{
    coras_vec_foreach (share, tally)
        CORAS_TRY(coras_dtype_tally_add(sum, share->dtype, share->elements, share->bytes, err));
    return 0;
}

static int put_dtypes(const coras_dtype_tally *sum, coras_model_facts *facts, coras_error **err)
{
    facts->dtypes = coras_calloc(sum->len + 1, sizeof(*facts->dtypes));
    if (!facts->dtypes)
        return coras_fail_no_memory(err);
    coras_vec_foreach (share, sum) {
        coras_fact_dtype *to = &facts->dtypes[facts->dtype_count++];
        to->elements = share->elements;
        CORAS_TRY(copy_text(&to->name, share->dtype ? share->dtype : "", err));
    }
    qsort(facts->dtypes, facts->dtype_count, sizeof(*facts->dtypes), compare_dtypes);
    return 0;
}

/* Counts over all weight files. */
static int put_counts(const struct coras_inspection *in, coras_model_facts *facts,
                      coras_error **err)
{
    coras_auto_value(coras_dtype_tally) sum = {0};
    bool some = false;

    for (size_t i = 0; i < in->model->files.len; i++) {
        const coras_file_facts *f = &in->files[i];
        if (!f->weights.found)
            continue;
        if (!some)
            facts->tensor_count = 0;
        some = true;
        facts->tensor_count += f->tensors;
        CORAS_TRY(add_tally(&sum, &f->tally, err));
    }
    if (some)
        facts->parameters = coras_dtype_tally_elements(&sum);
    return put_dtypes(&sum, facts, err);
}

static int put_tensors(struct coras_inspection *in, coras_model_facts *facts, coras_error **err)
{
    coras_arena all = {NULL};

    facts->has_tensors = in->tensors;
    if (!in->tensors)
        return 0;
    facts->tensors = coras_calloc(facts->tensor_count > 0 ? (size_t)facts->tensor_count : 1,
                                  sizeof(*facts->tensors));
    if (!facts->tensors)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < in->model->files.len; i++) {
        coras_file_facts *f = &in->files[i];
        coras_vec_foreach (t, &f->list)
            facts->tensors[facts->tensors_len++] = *t;
        coras_arena_join(&f->arena, &all); /* the long list goes behind the short one */
        all = f->arena;
        f->arena.blocks = NULL;
    }
    facts->memory = all.blocks;
    return 0;
}

/* ---- what the model is ---- */

static const char *format_of(const struct coras_inspection *in)
{
    bool gguf = false, safetensors = false;

    for (size_t i = 0; i < in->model->files.len; i++) {
        const coras_weights *w = &in->files[i].weights;
        gguf = gguf || (w->found && w->format == CORAS_WEIGHT_GGUF);
        safetensors = safetensors || (w->found && w->format == CORAS_WEIGHT_SAFETENSORS);
    }
    if (gguf && safetensors)
        return "mixed";
    return gguf ? "gguf" : safetensors ? "safetensors" : "other";
}

/* The GGUF file that speaks for the model: the first shard, and never a projector where there is
 * something else. NULL: there is none. */
static const coras_file_facts *main_gguf(const struct coras_inspection *in)
{
    const coras_file_facts *best = NULL;
    bool best_is_sidecar = true;

    for (size_t i = 0; i < in->model->files.len; i++) {
        const coras_file_facts *f = &in->files[i];
        bool is_sidecar = coras_model_is_sidecar(in->model->files.items[i].path);
        if (!f->weights.found || f->weights.format != CORAS_WEIGHT_GGUF || f->split_no > 0)
            continue;
        if (!best || (best_is_sidecar && !is_sidecar)) {
            best = f;
            best_is_sidecar = is_sidecar;
        }
    }
    return best;
}

static bool has_template_file(const coras_model *m)
{
    coras_vec_foreach (f, &m->files)
        if (coras_str_starts(coras_path_base(f->path), "chat_template.") ||
            coras_streq(coras_path_base(f->path), "template.jinja"))
            return true;
    return false;
}

static int put_gguf(const coras_file_facts *f, coras_model_facts *facts, coras_error **err)
{
    const char *file_type = coras_gguf_file_type(f->file_type);

    CORAS_TRY(copy_text(&facts->architecture, f->architecture, err));
    CORAS_TRY(copy_text(&facts->quantization, file_type, err));
    CORAS_TRY(copy_text(&facts->license, f->license, err));
    if (facts->context_length < 0)
        facts->context_length = coras_file_facts_context(f);
    facts->has_chat_template = facts->has_chat_template || f->has_chat_template;
    return 0;
}

static int put_kind(const struct coras_inspection *in, coras_model_facts *facts, coras_error **err)
{
    const coras_file_facts *gguf = main_gguf(in);

    facts->package = coras_package_name(in->model->package.kind);
    facts->format = format_of(in);
    facts->has_digest = in->model->target != NULL;
    facts->digest = in->model->desc.digest;
    facts->has_chat_template = has_template_file(in->model);
    CORAS_TRY(copy_text(&facts->architecture, in->config.architecture, err));
    CORAS_TRY(copy_text(&facts->architecture, in->config.model_type, err));
    CORAS_TRY(copy_text(&facts->quantization, in->config.quant_method, err));
    facts->context_length = in->config.context_length;
    CORAS_TRY(copy_text(&facts->license,
                        coras_annotations_get(&in->model->manifest.annotations,
                                              "org.opencontainers.image.licenses"),
                        err));
    return gguf ? put_gguf(gguf, facts, err) : 0;
}

static bool is_verified(const struct coras_inspection *in)
{
    bool some = false;

    for (size_t i = 0; i < in->model->files.len; i++) {
        const coras_weights *w = &in->files[i].weights;
        if (w->found && !w->verified)
            return false;
        some = some || w->found;
    }
    return some && !in->config_unverified;
}

/* ---- claims ---- */

static int check_claims(struct coras_inspection *in, const coras_model_claims *claims,
                        const coras_model_facts *facts, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    if (claims->parameters && facts->parameters >= 0 &&
        coras_parameter_claim_fits(claims->parameters, facts->parameters) != 1) {
        coras_buf_puts(&text, "the package says ");
        coras_escape(&text, claims->parameters, strlen(claims->parameters), CORAS_LIMIT_MODEL_WORD);
        coras_buf_printf(&text, " parameters, the headers have %lld", (long long)facts->parameters);
        CORAS_TRY(coras_inspection_warn(in, NULL, text.ptr, err));
    }
    bool is_known = coras_streq(facts->format, "gguf") || coras_streq(facts->format, "safetensors");
    if (claims->format && is_known && !coras_str_ieq(claims->format, facts->format)) {
        coras_buf_reset(&text);
        coras_buf_puts(&text, "the package says its format is ");
        coras_escape(&text, claims->format, strlen(claims->format), CORAS_LIMIT_MODEL_WORD);
        coras_buf_printf(&text, ", its files are %s", facts->format);
        CORAS_TRY(coras_inspection_warn(in, NULL, text.ptr, err));
    }
    return 0;
}

static int put_claims(struct coras_inspection *in, coras_model_facts *facts, coras_error **err)
{
    coras_auto_value(coras_model_claims) claims = {0};
    const coras_buf *config = &in->model->config;

    CORAS_TRY(coras_model_claims_read(in->model->package.kind,
                                      (coras_str){config->ptr, config->len}, &claims, err));
    CORAS_TRY(copy_text(&facts->license, claims.license, err));
    return check_claims(in, &claims, facts, err);
}

/* ---- warnings ---- */

static int warn_of_names(struct coras_inspection *in, coras_error **err)
{
    size_t others = 0, consolidated = SIZE_MAX;

    for (size_t i = 0; i < in->model->files.len; i++) {
        if (!in->files[i].weights.found)
            continue;
        bool is_second =
            coras_str_starts(coras_path_base(in->model->files.items[i].path), "consolidated");
        others += !is_second;
        if (is_second && consolidated == SIZE_MAX)
            consolidated = i;
    }
    if (consolidated == SIZE_MAX || others == 0)
        return 0;
    return coras_inspection_warn(in, in->model->files.items[consolidated].path,
                                 "probably the same weights a second time", err);
}

/* Those of the headers, behind their files' names. */
static int gather_warnings(struct coras_inspection *in, coras_error **err)
{
    for (size_t i = 0; i < in->model->files.len; i++)
        for (size_t k = 0; k < in->files[i].warnings.len; k++)
            CORAS_TRY(coras_inspection_warn(in, in->model->files.items[i].path,
                                            in->files[i].warnings.items[k], err));
    return 0;
}

static int copy_list(char ***ret, const coras_strlist *a, const coras_strlist *b, coras_error **err)
{
    size_t n = 0;
    char **list = coras_calloc(a->len + (b ? b->len : 0) + 1, sizeof(*list));

    *ret = list; /* released with the facts, whatever happens */
    if (!list)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < a->len; i++)
        CORAS_TRY(copy_text(&list[n++], a->items[i], err));
    for (size_t i = 0; b && i < b->len; i++)
        CORAS_TRY(copy_text(&list[n++], b->items[i], err));
    return 0;
}

static int put_shards(struct coras_inspection *in, coras_model_facts *facts, coras_error **err)
{
    struct coras_shard_count shards = {0};
    int rc = coras_inspection_count_shards(in, &shards, err);

    facts->shards_expected = shards.expected;
    facts->shards_present = shards.present;
    if (rc == 0)
        rc = copy_list(&facts->shards_missing, &shards.missing, NULL, err);
    coras_strlist_clear(&shards.missing);
    return rc;
}

int coras_inspection_conclude(struct coras_inspection *in, coras_model_facts **ret,
                              coras_error **err)
{
    coras_auto(coras_model_facts) facts = coras_new(coras_model_facts);

    if (!facts)
        return coras_fail_no_memory(err);
    facts->parameters = facts->tensor_count = facts->context_length = -1;
    CORAS_TRY(put_files(in->model, facts, err));
    CORAS_TRY(put_counts(in, facts, err));
    CORAS_TRY(put_kind(in, facts, err));
    CORAS_TRY(gather_warnings(in, err));
    CORAS_TRY(put_shards(in, facts, err));
    CORAS_TRY(put_claims(in, facts, err));
    CORAS_TRY(warn_of_names(in, err));
    facts->verified = is_verified(in);
    CORAS_TRY(copy_list(&facts->warnings, &in->model->warnings, &in->warnings, err));
    CORAS_TRY(put_tensors(in, facts, err)); /* last: takes memory over */
    *ret = coras_steal(&facts);
    return 0;
}
