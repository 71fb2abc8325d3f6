/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model pull: a model, whichever tool packed it, into a directory that engines load.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/app/commands.h"
#include "cli/app/run_options.h"
#include "cli/options/selection.h"
#include "cli/options/targetref.h"
#include "cli/output/plan.h"
#include "cli/output/pulled.h"
#include "coras/model_get.h"
#include "coras/platform.h"

struct model_pull_state {
    struct common_options common;
    struct target_options target;
    struct platform_option platform;
    struct format_options format;
    struct progress_options progress;
    struct opt_bool no_sync;
    struct opt_bool safe;
    struct opt_string output;
    struct opt_int concurrency;
    struct opt_list tensors;
    struct opt_string shard;
    int shard_rank, shard_count; /* what the text says */
    struct selection_options selection;
    struct opt_bool dry_run;
    coras_plan plan; /* of a dry run */
};

#define AT(member) OPT_AT(struct model_pull_state, member)

static const struct opt model_pull_options[] = {
    {"no-sync", 0, OPT_BOOL, 0, AT(no_sync), NULL, "do not wait until files have reached the disk",
     NULL},
    {"safe", 0, OPT_BOOL, 0, AT(safe), NULL,
     "look for code first, and pull nothing when something of medium severity or worse is found",
     NULL},
    {"tensor", 0, OPT_LIST, 0, AT(tensors), NULL,
     "write safetensors files that hold only tensors whose name matches the `pattern`, repeatable",
     NULL},
    {"shard", 0, OPT_STRING, 0, AT(shard), NULL,
     "take of each tensor only the rows of one process of several, in the form `rank/of`, such as "
     "0/4",
     NULL},
    {"output", 'o', OPT_STRING, 0, AT(output), ".", "output directory", NULL},
    {"concurrency", 0, OPT_INT, 0, AT(concurrency), "3", "concurrency level", NULL},
    OPT_END,
};
static const struct opt_use model_pull_groups[] = {
    {debug_options, offsetof(struct model_pull_state, common), NULL, NULL},
    {verbose_on_options, offsetof(struct model_pull_state, common), NULL, NULL},
    TARGET_GROUPS(struct model_pull_state, target),
    {platform_options, offsetof(struct model_pull_state, platform), NULL, NULL},
    {format_options, offsetof(struct model_pull_state, format), NULL, NULL},
    {progress_options, offsetof(struct model_pull_state, progress), NULL, NULL},
    {model_pull_options, 0, NULL, NULL},
    {selection_options, offsetof(struct model_pull_state, selection), NULL, NULL},
    {dry_run_options, offsetof(struct model_pull_state, dry_run), NULL, NULL},
    {0},
};

/* "0/4" */
static int parse_shard(struct model_pull_state *s, coras_error **err)
{
    enum { MOST_PROCESSES = 1 << 20 };
    const char *slash = strchr(s->shard.value, '/');
    int64_t rank, count;

    if (!s->shard.set)
        return 0;
    if (!slash ||
        !coras_parse_int64((coras_str){s->shard.value, (size_t)(slash - s->shard.value)}, &rank) ||
        !coras_parse_int64(coras_str_of(slash + 1), &count) || rank >= count ||
        count > MOST_PROCESSES)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "--shard %s: expecting <rank>/<of> with the rank counted from 0",
                          s->shard.value);
    s->shard_rank = (int)rank;
    s->shard_count = (int)count;
    return 0;
}

static int model_pull_prepare(struct call *call, coras_error **err)
{
    struct model_pull_state *s = call->state;

    CORAS_TRY(platform_check(&s->platform, err));
    CORAS_TRY(parse_shard(s, err));
    CORAS_TRY(target_parse(call, &s->target, call->args[0], err));
    return format_check(&s->format, false, err);
}

static int get_model(struct call *call, struct model_pull_state *s, coras_model_got *got,
                     coras_error **err)
{
    struct display *display = download_display(call, &s->common, &s->format, &s->progress);
    coras_model_get_options options = CORAS_MODEL_GET_OPTIONS_INIT;
    coras_run_options run = run_options(call, &s->concurrency, display);

    const coras_selection selection = selection_of(&s->selection);
    options.selection = &selection;
    options.plan = s->dry_run.value ? &s->plan : NULL;
    if (s->dry_run.value)
        run.on_event = NULL; /* nothing is transferred */
    options.output = s->output.value;
    options.platform = platform_wanted(&s->platform);
    options.tensors = (const char *const *)s->tensors.items;
    options.shard = s->shard_rank;
    options.shard_count = s->shard_count;
    options.safe = s->safe.value;
    run.no_sync = s->no_sync.value;
    int rc = coras_model_get(s->target.target, s->target.reference, &options, &run, got, err);
    if (rc < 0)
        display_advise(display, err);
    display_finish(display);
    display_free(display);
    return rc;
}

static int print_result(const struct model_pull_state *s, const coras_model_got *got,
                        coras_error **err)
{
    const coras_pull_result pulled = {
        .root = got->root, .files = got->files, .file_count = got->file_count};
    char digest[CORAS_DIGEST_TEXT_MAX];

    for (char *const *warning = got->warnings; warning && *warning; warning++)
        fprintf(stderr, "WARNING! %s\n", *warning);
    if (s->dry_run.value)
        return plan_print(&s->format, &s->plan, s->target.raw, &got->root.digest, err);
    if (s->format.kind != FORMAT_TEXT)
        return pulled_print_json(&s->target, &s->format, &pulled, err);
    printf("Pulled [%s] %s\nPackage: %s\nDigest: %s\n", target_kind(&s->target), s->target.raw,
           got->package, coras_digest_format(&got->root.digest, digest));
    return 0;
}

static int model_pull_run(struct call *call, coras_error **err)
{
    struct model_pull_state *s = call->state;
    coras_model_got got = {0};

    common_apply(&s->common);
    CORAS_TRY(target_open_source(call, &s->target, NULL, err));
    CORAS_TRY(target_require_reference(call, &s->target, err));
    int rc = get_model(call, s, &got, err);
    if (rc == 0)
        rc = print_result(s, &got, err);
    coras_model_got_clear(&got);
    return rc;
}

static void model_pull_clear(void *state)
{
    struct model_pull_state *s = state;

    target_clear(&s->target);
    coras_plan_clear(&s->plan);
    coras_platform_clear(&s->platform.platform);
}

static const struct example model_pull_examples[] = {
    {"Pull a model into the directory 'tiny-llm'",
     "model pull localhost:5000/tiny-llm:v1 -o tiny-llm"},
    {"Pull a model from Docker Hub", "model pull docker.io/ai/smollm2:latest -o smollm2"},
    {"Pull a model from the OCI image layout 'layout-dir'",
     "model pull --oci-layout layout-dir:v1 -o tiny-llm"},
    {"Pull only the embedding and the head, moving only their bytes",
     "model pull localhost:5000/tiny-llm:v1 -o part --tensor '*embed_tokens*' --tensor "
     "'lm_head.*'"},
    {NULL, NULL},
};

const struct cmd cmd_model_pull = {
    .name = "pull",
    .use = "[flags] <name>{:<tag>|@<digest>}",
    .summary = "Pull a model, whichever tool packed it, into a directory",
    .examples = model_pull_examples,
    .options = model_pull_groups,
    .state_size = sizeof(struct model_pull_state),
    .min_args = 1,
    .max_args = 1,
    .role = "the reference of the model you want to pull",
    .prepare = model_pull_prepare,
    .run = model_pull_run,
    .clear = model_pull_clear,
};
