/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model push, model import: a directory, or a model of another program's store, as a model.
 */
#include <stdio.h>
#include <sys/resource.h>

#include "base/error.h"
#include "cli/app/auto.h"
#include "cli/app/commands.h"
#include "cli/app/errors.h"
#include "cli/app/left_behind.h"
#include "cli/app/run_options.h"
#include "cli/options/packer.h"
#include "cli/options/targetref.h"
#include "cli/output/pushed.h"
#include "cli/output/upload_display.h"
#include "coras/model_store.h"

struct model_push_state {
    struct common_options common;
    struct target_options target;
    struct format_options format;
    struct progress_options progress;
    struct opt_list annotation;
    struct opt_list include;
    struct opt_list exclude;
    struct opt_bool force;
    struct opt_int concurrency;
    /* after preparing */
    bool import; /* the source may be a store */
    const char *source;
    coras_annotations annotations;
};

#define AT(member) OPT_AT(struct model_push_state, member)

static const struct opt model_push_options[] = {
    {"annotation", 'a', OPT_LIST, 0, AT(annotation), NULL,
     "manifest annotations, stronger than those that come from the files", NULL},
    {"include", 0, OPT_LIST, 0, AT(include), NULL,
     "take only files whose path matches the `pattern` (*, **, ?, [a-z], {a,b}), repeatable", NULL},
    {"exclude", 0, OPT_LIST, 0, AT(exclude), NULL,
     "leave files whose path matches the `pattern`, repeatable", NULL},
    {"force", 0, OPT_BOOL, 0, AT(force), NULL, FORCE_COPY_HELP, NULL},
    {"concurrency", 0, OPT_INT, 0, AT(concurrency), "5", "concurrency level", NULL},
    OPT_END,
};
static const struct opt_use model_push_groups[] = {
    {debug_options, offsetof(struct model_push_state, common), NULL, NULL},
    {verbose_on_options, offsetof(struct model_push_state, common), NULL, NULL},
    TARGET_GROUPS(struct model_push_state, target),
    {format_options, offsetof(struct model_push_state, format), NULL, NULL},
    {progress_options, offsetof(struct model_push_state, progress), NULL, NULL},
    {model_push_options, 0, NULL, NULL},
    {0},
};

static int model_push_prepare(struct call *call, coras_error **err)
{
    struct model_push_state *s = call->state;

    s->import = call->cmd == &cmd_model_import;
    s->source = call->args[s->import ? 0 : 1];
    CORAS_TRY(target_parse_tags(call, &s->target, call->args[s->import ? 1 : 0], err));
    CORAS_TRY(format_check(&s->format, false, err));
    return parse_annotation_flags(&s->annotation, &s->annotations, err);
}

static void print_headline(void *user)
{
    const struct model_push_state *s = user;

    pushed_headline(&s->target, &s->format);
}

static int prepare_artifact(struct model_push_state *s, const coras_run_options *run,
                            coras_artifact **ret, coras_error **err)
{
    coras_model_pack_options options = CORAS_MODEL_PACK_OPTIONS_INIT;
    coras_selection selection = CORAS_SELECTION_INIT;
    coras_model_pack_report report = {0};

    selection.include = (const char *const *)s->include.items;
    selection.exclude = (const char *const *)s->exclude.items;
    options.selection = &selection;
    options.annotations = &s->annotations;
    CORAS_TRY(s->import ? coras_model_prepare_import(s->source, &options, run, ret, &report, err)
                        : coras_model_prepare(s->source, &options, run, ret, &report, err));
    tell_packed(&report);
    coras_model_pack_report_clear(&report);
    return 0;
}

static int push_model(struct model_push_state *s, struct call *call, struct display *display,
                      coras_error **err)
{
    coras_auto_value(coras_descriptor) manifest = CORAS_DESCRIPTOR_INIT;
    coras_auto(coras_artifact) artifact = NULL;
    coras_run_options run = run_options(call, &s->concurrency, display);
    coras_push_options options = CORAS_PUSH_OPTIONS_INIT;

    CORAS_TRY(prepare_artifact(s, &run, &artifact, err));
    CORAS_TRY(target_open(call, &s->target, CORAS_LAYOUT_WRITE, NULL, err));
    options.reference = s->target.reference;
    options.extra_tags = s->target.extra_tag_items;
    options.force = s->force.value;
    CORAS_TRY(
        coras_artifact_push(artifact, s->target.target, &options, &run, &manifest, NULL, err));
    display_finish(display);
    return pushed_print(&s->target, &s->format, manifest.artifact_type, &manifest, err);
}

/* Every file of a model is open until it is sent. */
static void allow_many_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* else the error says what is lacking */
    }
}

static int model_push_run(struct call *call, coras_error **err)
{
    struct model_push_state *s = call->state;

    common_apply(&s->common);
    allow_many_files();
    struct display *display =
        upload_display(call, &s->common, &s->format, &s->progress, print_headline, s);
    int rc = push_model(s, call, display, err);
    if (rc < 0)
        display_advise(display, err);
    display_free(display);
    return rc;
}

static void model_push_clear(void *state)
{
    struct model_push_state *s = state;

    target_clear(&s->target);
    coras_annotations_clear(&s->annotations);
}

static const struct example model_push_examples[] = {
    {"Push the model in directory 'tiny-llm'", "model push localhost:5000/tiny-llm:v1 ./tiny-llm"},
    {"Push a model of one file", "model push localhost:5000/tiny-llm:q4 tiny-llm-q4.gguf"},
    {"Push a model from the cache of the Hugging Face hub",
     "model push localhost:5000/tiny-llm:v1 "
     "~/.cache/huggingface/hub/models--acme--tiny-llm/snapshots/"
     "0123456789abcdef0123456789abcdef01234567"},
    {"Push without the weights that other formats have",
     "model push localhost:5000/tiny-llm:v1 ./tiny-llm --exclude '*.bin' --exclude 'onnx/**'"},
    {"Push with a version, and print the result as JSON",
     "model push localhost:5000/tiny-llm:v1 ./tiny-llm --annotation "
     "org.opencontainers.image.version=1.0 --format json"},
    {NULL, NULL},
};

const struct cmd cmd_model_push = {
    .name = "push",
    .use = "[flags] <name>[:<tag>[,<tag>][...]] <directory>",
    .summary = "Push a model to a registry or an OCI image layout",
    .examples = model_push_examples,
    .options = model_push_groups,
    .state_size = sizeof(struct model_push_state),
    .min_args = 2,
    .max_args = 2,
    .role = "the destination for pushing, and the directory of the model",
    .prepare = model_push_prepare,
    .run = model_push_run,
    .clear = model_push_clear,
};

static const struct example model_import_examples[] = {
    {"Push a model from the cache of the Hugging Face hub",
     "model import hf:acme/tiny-llm localhost:5000/tiny-llm:v1"},
    {"Push another revision of it", "model import hf:acme/tiny-llm@v2 localhost:5000/tiny-llm:v2"},
    {"Push a model of Ollama", "model import ollama:tiny-llm:latest localhost:5000/tiny-llm:v1"},
    {"Push the model in directory 'tiny-llm'",
     "model import ./tiny-llm localhost:5000/tiny-llm:v1"},
    {NULL, NULL},
};

const struct cmd cmd_model_import = {
    .name = "import",
    .use = "[flags] hf:<directory>|hf:<owner>/<name>[@<revision>]|ollama:<name>|<directory> "
           "<name>[:<tag>[,<tag>][...]]",
    .summary = "Push a model from the Hugging Face hub's cache, or from Ollama's models",
    .examples = model_import_examples,
    .options = model_push_groups,
    .state_size = sizeof(struct model_push_state),
    .min_args = 2,
    .max_args = 2,
    .role = "the model on this machine, and the destination for pushing",
    .prepare = model_push_prepare,
    .run = model_push_run,
    .clear = model_push_clear,
};
