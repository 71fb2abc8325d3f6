/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pull: the files of an artifact into a directory.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/app/commands.h"
#include "cli/app/left_behind.h"
#include "cli/options/fileref.h"
#include "cli/app/run_options.h"
#include "cli/options/selection.h"
#include "cli/output/plan.h"
#include "cli/output/pulled.h"
#include "cli/options/targetref.h"
#include "coras/mediatype.h"
#include "coras/platform.h"

struct pull_state {
    struct common_options common;
    struct target_options target;
    struct platform_option platform;
    struct format_options format;
    struct progress_options progress;
    struct opt_bool keep_old_files;
    struct opt_bool allow_path_traversal;
    struct opt_bool include_subject;
    struct opt_bool no_sync;
    struct opt_string output;
    struct opt_string config;
    struct opt_int concurrency;
    struct selection_options selection;
    struct opt_bool dry_run;
    /* while it runs */
    coras_selection chosen;
    coras_plan plan; /* of a dry run */
    char *config_path;
    const char *config_type;
};

static const struct opt pull_options[] = {
    {"keep-old-files", 'k', OPT_BOOL, 0, OPT_AT(struct pull_state, keep_old_files), NULL,
     "do not replace existing files when pulling, treat them as errors", NULL},
    {"allow-path-traversal", 'T', OPT_BOOL, 0, OPT_AT(struct pull_state, allow_path_traversal),
     NULL, "allow storing files out of the output directory", NULL},
    {"include-subject", 0, OPT_BOOL, 0, OPT_AT(struct pull_state, include_subject), NULL,
     "recursively pull the subject of artifacts", NULL},
    {"no-sync", 0, OPT_BOOL, 0, OPT_AT(struct pull_state, no_sync), NULL,
     "do not wait until files have reached the disk", NULL},
    {"output", 'o', OPT_STRING, 0, OPT_AT(struct pull_state, output), ".", "output directory",
     NULL},
    {"config", 0, OPT_STRING, 0, OPT_AT(struct pull_state, config), NULL,
     "output manifest config file", NULL},
    {"concurrency", 0, OPT_INT, 0, OPT_AT(struct pull_state, concurrency), "3", "concurrency level",
     NULL},
    OPT_END,
};
static const struct opt_use pull_groups[] = {
    {debug_options, offsetof(struct pull_state, common), NULL, NULL},
    {verbose_on_options, offsetof(struct pull_state, common), NULL, NULL},
    TARGET_GROUPS(struct pull_state, target),
    {platform_options, offsetof(struct pull_state, platform), NULL, NULL},
    {format_options, offsetof(struct pull_state, format), NULL, NULL},
    {progress_options, offsetof(struct pull_state, progress), NULL, NULL},
    {pull_options, 0, NULL, NULL},
    {selection_options, offsetof(struct pull_state, selection), NULL, NULL},
    {dry_run_options, offsetof(struct pull_state, dry_run), NULL, NULL},
    {0},
};

static int pull_prepare(struct call *call, coras_error **err)
{
    struct pull_state *s = call->state;
    CORAS_TRY(platform_check(&s->platform, err));
    CORAS_TRY(target_parse(call, &s->target, call->args[0], err));
    return format_check(&s->format, false, err);
}

static coras_pull_options library_options(struct pull_state *s)
{
    coras_pull_options options = CORAS_PULL_OPTIONS_INIT;
    s->chosen = selection_of(&s->selection);
    options.selection = &s->chosen;
    options.plan = s->dry_run.value ? &s->plan : NULL;
    options.output = s->output.value;
    options.keep_old_files = s->keep_old_files.value;
    options.allow_path_traversal = s->allow_path_traversal.value;
    options.include_subject = s->include_subject.value;
    options.config_path = s->config_path;
    options.config_media_type = s->config_type;
    options.platform = platform_wanted(&s->platform);
    return options;
}

static void print_text(const struct pull_state *s, const coras_pull_result *result)
{
    const struct target_options *t = &s->target;
    char digest[CORAS_DIGEST_TEXT_MAX];
    if (result->skipped_unnamed)
        printf("Skipped pulling layers without file name in \"%s\"\n"
               "Use 'oras copy %s --to-oci-layout <layout-dir>' to pull all layers.\n",
               CORAS_ANN_TITLE, t->raw);
    else
        printf("Pulled [%s] %s\nDigest: %s\n", target_kind(t), t->raw,
               coras_digest_format(&result->root.digest, digest));
}

static int pull_files(struct call *call, struct pull_state *s, coras_pull_result *result,
                      coras_error **err)
{
    struct display *display = download_display(call, &s->common, &s->format, &s->progress);
    const coras_pull_options options = library_options(s);
    coras_run_options run = run_options(call, &s->concurrency, display);
    if (s->dry_run.value)
        run.on_event = NULL; /* nothing is transferred */
    run.no_sync = s->no_sync.value;
    int rc = coras_pull(s->target.target, s->target.reference, &options, &run, result, err);
    if (rc < 0)
        display_advise(display, err);
    display_finish(display);
    display_free(display);
    return rc;
}

static int pull_run(struct call *call, coras_error **err)
{
    struct pull_state *s = call->state;
    common_apply(&s->common);
    if (*s->config.value)
        CORAS_TRY(fileref_split(s->config.value, &s->config_path, &s->config_type, err));
    if (s->config_type && !*s->config_type)
        s->config_type = NULL;
    CORAS_TRY(target_open_source(call, &s->target, NULL, err));
    CORAS_TRY(target_require_reference(call, &s->target, err));
    coras_pull_result result = {0};
    int rc = pull_files(call, s, &result, err);
    if (rc == 0 && s->dry_run.value)
        rc = plan_print(&s->format, &s->plan, s->target.raw, &result.root.digest, err);
    else if (rc == 0 && s->format.kind == FORMAT_TEXT)
        print_text(s, &result);
    else if (rc == 0)
        rc = pulled_print_json(&s->target, &s->format, &result, err);
    if (rc == 0)
        tell_model_package(call->program, result.model_package, s->target.is_layout, s->target.raw);
    coras_pull_result_clear(&result);
    return rc;
}

static void pull_clear(void *state)
{
    struct pull_state *s = state;
    target_clear(&s->target);
    coras_platform_clear(&s->platform.platform);
    coras_plan_clear(&s->plan);
    free(s->config_path);
}

static const struct example pull_examples[] = {
    {"Pull the files of an artifact", "pull localhost:5000/hello:v1"},
    {"Pull the files of an artifact and of the subjects that it is attached to",
     "pull --include-subject localhost:5000/hello:v1"},
    {"Pull without verifying the registry's certificate",
     "pull --insecure localhost:5000/hello:v1"},
    {"Pull over plain HTTP", "pull --plain-http localhost:5000/hello:v1"},
    {"Pull and keep what was fetched in a local cache",
     "$ export ORAS_CACHE=~/.oras/cache\npull localhost:5000/hello:v1"},
    {"Pull the files for one platform", "pull --platform linux/arm/v5 localhost:5000/hello:v1"},
    {"Pull the files that match a pattern",
     "pull --include \"*.json\" --include \"tokenizer/**\" localhost:5000/hello:v1"},
    {"Say what would be pulled", "pull --dry-run --exclude \"*.bin\" localhost:5000/hello:v1"},
    {"Pull with six transfers at a time", "pull --concurrency 6 localhost:5000/hello:v1"},
    {"[Experimental] Pull files and print the result as JSON",
     "pull localhost:5000/hello:v1 --format json"},
    {"[Experimental] Pull files and print the result with a Go template",
     "pull localhost:5000/hello:v1 --format go-template=\"{{.reference}}\""},
    {"Pull from the OCI image layout 'layout-dir'", "pull --oci-layout layout-dir:v1"},
    {"Pull from the OCI layout archive 'layout.tar'", "pull --oci-layout layout.tar:v1"},
    {"Pull what is tagged 'example.com:v1' in the OCI image layout 'layout-dir'",
     "pull example.com:v1 --oci-layout-path layout-dir"},
    {NULL, NULL},
};

const struct cmd cmd_pull = {
    .name = "pull",
    .use = "[flags] <name>{:<tag>|@<digest>}",
    .summary = "Pull files from a registry or an OCI image layout",
    .examples = pull_examples,
    .options = pull_groups,
    .state_size = sizeof(struct pull_state),
    .min_args = 1,
    .max_args = 1,
    .role = "the artifact reference you want to pull",
    .prepare = pull_prepare,
    .run = pull_run,
    .clear = pull_clear,
};
