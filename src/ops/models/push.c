/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of a model as a ModelPack artifact (coras/model_push.h): what was found in them becomes
 * layers, annotations and a config, and the pusher of every artifact does the rest.
 */
#include "coras/model_push.h"

#include "base/alloc.h"
#include "base/environment.h"
#include "base/error.h"
#include "base/options.h"
#include "base/vec.h"
#include "codec/date.h"
#include "model/mediatypes.h"
#include "coras/model_store.h"
#include "ops/artifact.h"
#include "ops/models/sources.h"
#include "ops/models/survey.h"
#include "transfer/run.h"

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free(texts);
}

void coras_model_pack_report_clear(coras_model_pack_report *report)
{
    free_texts(report->left_out, report->left_out_count);
    free_texts(report->warnings, report->warning_count);
    *report = (coras_model_pack_report){0};
}

/* ---- the config ---- */

static int write_config(void *user, const coras_artifact *a, coras_buf *out, coras_error **err)
{
    const coras_modelpack_config *config = user;
    coras_auto_free coras_digest *digests = coras_calloc(a->layers.len, sizeof(*digests));

    if (!digests)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < a->layers.len; i++)
        digests[i] = a->layers.items[i].desc.digest; /* raw layers: what is in them is they */
    return coras_modelpack_config_write(config, digests, a->layers.len, out, err);
}

static void release_config(void *user)
{
    coras_modelpack_config *config = user;

    coras_modelpack_config_clear(config);
    free(config);
}

/* The artifact takes the survey's config over. */
static int add_config(coras_artifact *a, coras_model_survey *survey, coras_error **err)
{
    coras_modelpack_config *config = coras_new(coras_modelpack_config);
    const struct coras_config_writer writer = {write_config, release_config, config};

    if (!config)
        return coras_fail_no_memory(err);
    *config = survey->config;
    survey->config = (coras_modelpack_config){0};
    return coras_artifact_take_config_writer(a, CORAS_MT_MODELPACK_CONFIG, &writer, err);
}

/* ---- the layers ---- */

static int add_layer_of(coras_artifact *a, struct coras_model_dir_file *file,
                        const struct coras_surveyed_file *found, coras_run *run, coras_error **err)
{
    coras_auto_free char *media_type =
        coras_asprintf(CORAS_MT_MODELPACK "%s.v1.raw", coras_model_kind_name(found->class.kind));
    struct coras_artifact_item *item = NULL;

    if (!media_type)
        return coras_fail_no_memory(err);
    coras_run_post(run, CORAS_EVENT_PREPARING, NULL, 0, file->path);
    coras_run_deliver(run);
    CORAS_TRY(coras_run_check(run, err));
    CORAS_TRY(coras_artifact_take_file(a, &file->fd, file->path, media_type,
                                       file->has_expected ? &file->expected : NULL, run, &item,
                                       err));
    return coras_annotations_merge(&item->desc.annotations, &found->annotations, err);
}

/* Readers take the first GGUF for the model: what only goes with one comes behind. */
static int add_layers(coras_artifact *a, coras_model_dir *dir, const coras_model_survey *survey,
                      coras_run *run, coras_error **err)
{
    for (int last = 0; last <= 1; last++)
        for (size_t i = 0; i < survey->len; i++)
            if (survey->files[i].comes_last == (last == 1))
                CORAS_TRY(add_layer_of(a, &dir->files.items[i], &survey->files[i], run, err));
    return 0;
}

/* ---- the manifest ---- */

static int set_created(coras_artifact *a, coras_modelpack_config *config,
                       const coras_environment *env, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    coras_format_rfc3339(&text, env->source_date_s);
    CORAS_TRY(coras_annotations_set(&a->annotations, CORAS_ANN_CREATED, text.ptr, err));
    return coras_buf_take(&text, &config->created_at, err);
}

static int annotate_artifact(coras_artifact *a, const coras_model_survey *survey,
                             const coras_annotations *given, coras_error **err)
{
    a->artifact_type = coras_strdup(CORAS_MT_MODELPACK_MANIFEST);
    if (!a->artifact_type)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_annotations_merge(&a->annotations, &survey->annotations, err));
    return given ? coras_annotations_merge(&a->annotations, given, err) : 0;
}

/* ---- the report ---- */

/* The list becomes the report's. */
static void give_texts(coras_strlist *list, char ***ret, size_t *ret_count)
{
    *ret = list->items;
    *ret_count = list->len;
    *list = (coras_strlist){0};
}

static void give_report(coras_model_dir *dir, coras_model_survey *survey,
                        coras_model_pack_report *ret)
{
    if (!ret)
        return;
    give_texts(&dir->left_out, &ret->left_out, &ret->left_out_count);
    give_texts(&survey->warnings, &ret->warnings, &ret->warning_count);
}

/* ---- all together ---- */

/* Where the files come from: a directory, or any source. */
typedef int reader_fn(const char *source, const coras_environment *env,
                      const coras_selection *selection, const coras_cancel *cancel,
                      coras_model_dir *ret, coras_error **err);

static int read_path(const char *source, const coras_environment *env,
                     const coras_selection *selection, const coras_cancel *cancel,
                     coras_model_dir *ret, coras_error **err)
{
    (void)env;
    return coras_model_dir_read(source, selection, cancel, ret, err);
}

struct model_packing {
    const char *source;
    reader_fn *read;
    coras_model_pack_options opts;
    const coras_environment *env;
};

static int build(const struct model_packing *p, coras_model_dir *dir, coras_model_survey *survey,
                 coras_run *run, coras_artifact **ret, coras_error **err)
{
    coras_auto(coras_artifact) a = NULL;

    CORAS_TRY(coras_artifact_new(&a, err));
    CORAS_TRY(set_created(a, &survey->config, p->env, err));
    CORAS_TRY(annotate_artifact(a, survey, p->opts.annotations, err));
    CORAS_TRY(add_config(a, survey, err));
    CORAS_TRY(add_layers(a, dir, survey, run, err));
    CORAS_TRY(coras_artifact_check(a, err));
    CORAS_TRY(coras_artifact_check_size(a, err));
    *ret = coras_steal(&a);
    return 0;
}

static int prepare_model(const struct model_packing *p, coras_run *run, coras_artifact **ret,
                         coras_model_pack_report *report, coras_error **err)
{
    coras_auto_value(coras_model_dir) dir = {0};
    coras_auto_value(coras_model_survey) survey = {0};
    coras_selection selection = CORAS_SELECTION_INIT;

    CORAS_TRY(coras_selection_read(p->opts.selection, &selection, err));
    CORAS_TRY(p->read(p->source, p->env, &selection, run->options->cancel, &dir, err));
    CORAS_TRY(coras_model_survey_read(&dir, run->options->cancel, &survey, err));
    CORAS_TRY(build(p, &dir, &survey, run, ret, err));
    give_report(&dir, &survey, report);
    return 0;
}

static int prepare_from(const char *source, reader_fn *read, const coras_model_pack_options *opts,
                        const coras_run_options *run_options, coras_artifact **ret,
                        coras_model_pack_report *report, coras_error **err)
{
    struct model_packing p = {
        .source = source, .read = read, .opts = CORAS_MODEL_PACK_OPTIONS_INIT};
    coras_auto(coras_environment) env = NULL;

    if (!source || !ret)
        return coras_missing_argument(err);
    CORAS_TRY(coras_options_read(&p.opts, sizeof(p.opts), opts, err));
    coras_auto_value(coras_run) run;
    coras_run_init(&run, run_options);
    CORAS_TRY(coras_environment_dup(run.options->environment, &env, err));
    p.env = env;
    int rc = prepare_model(&p, &run, ret, report, err);
    coras_run_deliver(&run);
    return rc;
}

int coras_model_prepare(const char *path, const coras_model_pack_options *opts,
                        const coras_run_options *run, coras_artifact **ret,
                        coras_model_pack_report *report, coras_error **err)
{
    return prepare_from(path, read_path, opts, run, ret, report, err);
}

int coras_model_prepare_import(const char *source, const coras_model_pack_options *opts,
                               const coras_run_options *run, coras_artifact **ret,
                               coras_model_pack_report *report, coras_error **err)
{
    return prepare_from(source, coras_model_source_read, opts, run, ret, report, err);
}
