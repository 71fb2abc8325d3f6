/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attach: files or annotations for an artifact that exists.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/app/commands.h"
#include "cli/app/errors.h"
#include "cli/options/fileref.h"
#include "cli/app/run_options.h"
#include "cli/output/upload_display.h"
#include "cli/output/metadata.h"
#include "cli/options/packer.h"
#include "cli/options/targetref.h"
#include "coras/attach.h"
#include "coras/mediatype.h"

struct attach_state {
    struct common_options common;
    struct target_options target;
    struct packer_options packer;
    struct platform_option platform;
    struct format_options format;
    struct progress_options progress;
    struct opt_string artifact_type;
    struct opt_string config;
    struct opt_int concurrency;
    /* while it runs */
    char *config_path;
    const char *config_type; /* NULL: the default */
    struct call *call;
    struct display *display; /* NULL until the first event */
};

static const struct opt attach_options[] = {
    {"artifact-type", 0, OPT_STRING, OPT_REQUIRED, OPT_AT(struct attach_state, artifact_type), NULL,
     "artifact type", NULL},
    {"config", 0, OPT_STRING, 0, OPT_AT(struct attach_state, config), NULL,
     "`path` of image config file", NULL},
    {"concurrency", 0, OPT_INT, 0, OPT_AT(struct attach_state, concurrency), "5",
     "concurrency level", NULL},
    OPT_END,
};
static const struct opt_use attach_groups[] = {
    {debug_options, offsetof(struct attach_state, common), NULL, NULL},
    {verbose_on_options, offsetof(struct attach_state, common), NULL, NULL},
    TARGET_GROUPS(struct attach_state, target),
    DISTRIBUTION_GROUP(struct attach_state, target),
    {packer_options, offsetof(struct attach_state, packer), NULL, NULL},
    {platform_subject_options, offsetof(struct attach_state, platform), NULL, NULL},
    {format_options, offsetof(struct attach_state, format), NULL, NULL},
    {progress_options, offsetof(struct attach_state, progress), NULL, NULL},
    {attach_options, 0, NULL, NULL},
    {0},
};

static int attach_prepare(struct call *call, coras_error **err)
{
    struct attach_state *s = call->state;
    if (call->nargs == 1)
        s->target.advice = "Are you missing an artifact reference to attach to? ";
    CORAS_TRY(packer_check(&s->packer, call->args + 1, call->nargs - 1, err));
    CORAS_TRY(target_parse(call, &s->target, call->args[0], err));
    CORAS_TRY(format_check(&s->format, false, err));
    CORAS_TRY(platform_check(&s->platform, err));
    if (s->config.set && s->platform.text.set)
        return fail_exclusive("--config", "--platform", err);
    return target_require_reference(call, &s->target, err);
}

/* ---- the run ---- */

static int check_content(const struct call *call, const struct attach_state *s, coras_error **err)
{
    if (call->nargs > 1 || s->packer.manifest.len)
        return 0;
    return fail_usage(call, "neither file nor annotation provided in the command",
                      "To attach to an existing artifact, please provide files via argument or "
                      "annotations via flag \"--annotation\". Run \"oras attach -h\" for more "
                      "options and examples",
                      err);
}

static int set_config(struct attach_state *s, coras_error **err)
{
    const char *type = NULL;
    if (!*s->config.value)
        return 0;
    CORAS_TRY(fileref_split(s->config.value, &s->config_path, &type, err));
    if (*type)
        s->config_type = type;
    else if (strchr(s->config.value, ':'))
        s->config_type = CORAS_MT_OCI_LAYER;
    return 0;
}

static coras_attach_options library_options(const struct attach_state *s)
{
    coras_attach_options options = CORAS_ATTACH_OPTIONS_INIT;

    options.artifact_type = s->artifact_type.value;
    options.platform = platform_wanted(&s->platform);
    options.config_path = s->config_path;
    options.config_media_type = s->config_type;
    options.annotations = &s->packer.manifest;
    options.config_annotations = &s->packer.config;
    options.follow_links = s->packer.follow_links.value;
    return options;
}

static int print_result(const struct attach_state *s, const coras_attached *attached,
                        coras_error **err)
{
    if (s->format.kind == FORMAT_TEXT) {
        char subject[CORAS_DIGEST_TEXT_MAX], digest[CORAS_DIGEST_TEXT_MAX];
        printf("Attached to [%s] %s@%s\nDigest: %s\n", target_kind(&s->target), s->target.path,
               coras_digest_format(&attached->subject.digest, subject),
               coras_digest_format(&attached->manifest.digest, digest));
        return 0;
    }
    coras_auto_buf json = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&json, METADATA_INDENT);
    coras_jw_object(&w);
    put_artifact_members(&w, s->target.path, &attached->manifest);
    coras_jw_end_object(&w);
    return metadata_print(&s->format, &json, err);
}

/* Nothing is shown before there is something to show. */
static void attach_event(const coras_event *event, void *user)
{
    struct attach_state *s = user;

    if (!s->display)
        s->display = upload_display(s->call, &s->common, &s->format, &s->progress, NULL, NULL);
    display_event(event, s->display);
}

static int attach_files(struct attach_state *s, struct call *call, const struct packed_files *files,
                        coras_error **err)
{
    coras_auto_value(coras_attached) attached = CORAS_ATTACHED_INIT;
    coras_run_options run = run_options(call, &s->concurrency, NULL);
    const coras_attach_options options = library_options(s);

    s->call = call;
    run.on_event = attach_event;
    run.user = s;
    CORAS_TRY(coras_attach(s->target.target, s->target.reference, files->items, files->len,
                           &options, &run, &attached, err));
    display_finish(s->display);
    CORAS_TRY(print_result(s, &attached, err));
    return packer_export(&s->packer, attached.bytes, (size_t)attached.manifest.size, err);
}

static int attach_run(struct call *call, coras_error **err)
{
    struct attach_state *s = call->state;
    struct packed_files files = {0};

    common_apply(&s->common);
    CORAS_TRY(check_content(call, s, err));
    CORAS_TRY(target_open(call, &s->target, CORAS_LAYOUT_WRITE, NULL, err));
    CORAS_TRY(set_config(s, err));
    int rc = packed_files_make(&s->packer, call->args + 1, call->nargs - 1, &files, err);
    if (rc == 0)
        rc = attach_files(s, call, &files, err);
    if (rc < 0)
        display_advise(s->display, err);
    else
        tell_annotations_without_file(&s->packer, &files);
    display_free(s->display);
    packed_files_clear(&files);
    return rc;
}

static void attach_clear(void *state)
{
    struct attach_state *s = state;
    target_clear(&s->target);
    packer_clear(&s->packer);
    coras_platform_clear(&s->platform.platform);
    free(s->config_path);
}

static const struct example attach_examples[] = {
    {"Attach file 'hi.txt' as an artifact of type 'doc/example' to 'hello:v1'",
     "attach --artifact-type doc/example localhost:5000/hello:v1 hi.txt"},
    {"Attach file 'hi.txt' to what 'hello:v1' holds for 'linux/amd64'",
     "attach --artifact-type doc/example --platform linux/amd64 localhost:5000/hello:v1 hi.txt"},
    {"Attach file 'hi.txt' as a layer of media type 'application/vnd.me.hi'",
     "attach --artifact-type doc/example localhost:5000/hello:v1 hi.txt:application/vnd.me.hi"},
    {"Choose how the registry learns of the attachment",
     "attach --artifact-type doc/example --distribution-spec v1.1-referrers-api "
     "localhost:5000/hello:v1 hi.txt # by its API\n"
     "attach --artifact-type doc/example --distribution-spec v1.1-referrers-tag "
     "localhost:5000/hello:v1 hi.txt # by a tag"},
    {"Attach file 'hi.txt' with the annotations of a file",
     "attach --artifact-type doc/example --annotation-file annotation.json "
     "localhost:5000/hello:v1 hi.txt"},
    {"Attach annotations only",
     "attach --artifact-type doc/example --annotation \"key1=val1\" --annotation \"key2=val2\" "
     "localhost:5000/hello:v1"},
    {"Attach file 'hi.txt' with an annotation",
     "attach --artifact-type doc/example --annotation \"key=val\" localhost:5000/hello:v1 hi.txt"},
    {"[Experimental] Attach file 'hi.txt' and print the result as JSON",
     "attach --artifact-type doc/example localhost:5000/hello:v1 hi.txt --format json"},
    {"[Experimental] Attach file 'hi.txt' and print the result with a Go template",
     "attach --artifact-type doc/example localhost:5000/hello:v1 hi.txt --format go-template "
     "--template \"{{.digest}}\""},
    {"Attach file 'hi.txt' and keep a copy of the manifest",
     "attach --artifact-type doc/example --export-manifest manifest.json localhost:5000/hello:v1 "
     "hi.txt"},
    {"Attach to the manifest 'v1' in the OCI image layout 'layout-dir'",
     "attach --oci-layout --artifact-type doc/example layout-dir:v1 hi.txt"},
    {"Attach to 'example.com:v1' in the OCI image layout 'layout-dir'",
     "attach --artifact-type doc/example --oci-layout-path layout-dir example.com:v1 hi.txt"},
    {"Attach file 'hi.txt' with \"config.json\" as its config",
     "attach --artifact-type doc/example --config config.json:application/vnd.me.config "
     "localhost:5000/hello:v1 hi.txt"},
    {NULL, NULL},
};

const struct cmd cmd_attach = {
    .name = "attach",
    .use = "[flags] --artifact-type=<type> <name>{:<tag>|@<digest>} "
           "{<file>[:<layer_media_type>]|--annotation <key>=<value>} [...]",
    .summary = "Attach files to an existing artifact",
    .examples = attach_examples,
    .options = attach_groups,
    .state_size = sizeof(struct attach_state),
    .min_args = 1,
    .max_args = ARGS_ANY,
    .role = "the destination artifact for attaching.",
    .prepare = attach_prepare,
    .run = attach_run,
    .clear = attach_clear,
};
