/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model package into a directory: the package says what becomes of its layers, the pull does it.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"
#include "coras/model_get.h"
#include "oci/json_fields.h"
#include "ops/models/package.h"
#include "ops/models/scan.h"
#include "ops/models/tensors.h"
#include "ops/pull.h"
#include "ops/select.h"

/* As the usual writer of safetensors makes its files: an engine may run as somebody else. */
static int warn_of_modes(coras_package *p, coras_error **err)
{
    size_t count = 0;

    for (size_t i = 0; i < p->entries.len; i++)
        count += p->entries.items[i].has_mode && (p->entries.items[i].mode & 0044) == 0;
    if (!count)
        return 0;
    coras_auto_free char *line = coras_asprintf(
        "%zu of the files can be read by their owner only: so the package recorded it", count);
    return line ? coras_strlist_add(&p->warnings, line, err) : coras_fail_no_memory(err);
}

static int tell_warnings(const coras_strlist *warnings, char ***ret, coras_error **err)
{
    coras_auto_free char **list = coras_calloc(warnings->len + 1, sizeof(*list));

    if (!list)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < warnings->len; i++)
        list[i] = warnings->items[i];
    return coras_text_list_copy(ret, list) ? 0 : coras_fail_no_memory(err);
}

/* Bytes that others share have the mode and the time of all of them. */
static void forget_records(coras_package *p)
{
    for (size_t i = 0; i < p->entries.len; i++)
        p->entries.items[i].has_mode = p->entries.items[i].has_mtime = false;
}

static int get(coras_target *source, const char *reference, const coras_model_get_options *opts,
               const coras_run_options *run, coras_model_got *ret, coras_error **err)
{
    coras_auto_value(coras_found_package) found = {0};
    coras_pull_options options = CORAS_PULL_OPTIONS_INIT;
    coras_pull_result result = {0};
    const struct coras_packaged packaged = {&found.root, &found.bytes, &found.package,
                                            opts->shared};

    CORAS_TRY(coras_find_package(source, reference, opts->platform, &found, err));
    CORAS_TRY(coras_check_package_is_whole(&found, err));
    CORAS_TRY(warn_of_modes(&found.package, err));
    CORAS_TRY(tell_warnings(&found.package.warnings, &ret->warnings, err));
    if (opts->safe)
        CORAS_TRY(coras_model_scan_before(source, &found.root, run, err));
    options.output = opts->output;
    options.selection = opts->selection;
    options.plan = opts->plan;
    if (opts->shared)
        forget_records(&found.package);
    CORAS_TRY(coras_pull_package(source, &packaged, &options, run, &result, err));
    ret->root = result.root;
    ret->files = result.files;
    ret->file_count = result.file_count;
    ret->package = coras_package_name(found.package.kind);
    return 0;
}

static bool wants_tensors(const coras_model_get_options *opts)
{
    return (opts->tensors && *opts->tensors) || opts->shard_count != 0;
}

static int get_tensors(coras_target *source, const char *reference,
                       const coras_model_get_options *opts, const coras_run_options *run,
                       coras_model_got *ret, coras_error **err)
{
    coras_selection selection = CORAS_SELECTION_INIT;
    const struct coras_tensors_wanted wanted = {
        .choice = {opts->tensors, opts->shard, opts->shard_count, &selection},
        .output = opts->output,
        .plan = opts->plan};
    coras_auto(coras_model) model = NULL;
    coras_pull_result result = {0};

    CORAS_TRY(coras_tensor_choice_check(&wanted.choice, err));
    CORAS_TRY(coras_selection_read(opts->selection, &selection, err));
    CORAS_TRY(coras_model_open(source, reference, opts->platform, run, &model, err));
    if (opts->safe)
        CORAS_TRY(coras_model_refuse_code(model, err));
    CORAS_TRY(coras_model_pull_tensors(model, &wanted, &result, &model->warnings, err));
    ret->root = result.root;
    ret->files = result.files;
    ret->file_count = result.file_count;
    ret->package = coras_package_name(model->package.kind);
    return tell_warnings(&model->warnings, &ret->warnings, err);
}

int coras_model_get(coras_target *source, const char *reference,
                    const coras_model_get_options *opts, const coras_run_options *run,
                    coras_model_got *ret, coras_error **err)
{
    coras_model_get_options known = CORAS_MODEL_GET_OPTIONS_INIT;
    coras_model_got got = {0};

    if (!source || !reference || !ret)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing argument");
    CORAS_TRY(coras_options_read(&known, sizeof(known), opts, err));
    int rc = wants_tensors(&known) ? get_tensors(source, reference, &known, run, &got, err)
                                   : get(source, reference, &known, run, &got, err);
    if (rc < 0)
        coras_model_got_clear(&got);
    else
        *ret = got;
    return rc;
}

void coras_model_got_clear(coras_model_got *got)
{
    coras_pull_result files = {
        .root = got->root, .files = got->files, .file_count = got->file_count};

    coras_pull_result_clear(&files);
    coras_text_list_free(got->warnings);
    *got = (coras_model_got){0};
}
