#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/app/commands.h"
#include "cli/app/errors.h"
#include "cli/options/fileref.h"
#include "cli/app/operation.h"
#include "cli/output/metadata.h"
#include "cli/options/packer.h"
#include "cli/options/targetref.h"
#include "oci/descriptor.h"
#include "oci/mediatype.h"

struct attach_state {
    struct common_options common;
    struct target_options target;
    struct packer_options packer;
    struct platform_option platform;
    struct format_options format;
    struct opt_bool no_tty;
    struct opt_string artifact_type;
    struct opt_string config;
    struct opt_int concurrency;
    /* while it runs */
    coras_descriptor subject;
    char *config_path;
    const char *config_type; /* NULL: the default */
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
    {no_tty_options, offsetof(struct attach_state, no_tty), NULL, NULL},
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

static int resolve_subject(struct attach_state *s, coras_error **err)
{
    const char *reference = s->target.reference;
    int rc = coras_resolve_platform(s->target.target, reference, platform_wanted(&s->platform),
                                    &s->subject, err);
    return rc < 0 ? coras_wrap(err, rc, "failed to resolve %s", reference) : 0;
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

static int prepare_artifact(struct attach_state *s, struct call *call, const coras_run_options *run,
                            coras_artifact **ret, coras_error **err)
{
    struct packed_files files = {0};
    coras_pack_options pack = CORAS_PACK_OPTIONS_INIT;
    CORAS_TRY(set_config(s, err));
    pack.artifact_type = *s->artifact_type.value ? s->artifact_type.value : NULL;
    pack.config_path = s->config_path;
    pack.config_media_type = s->config_type;
    pack.annotations = &s->packer.manifest;
    pack.config_annotations = &s->packer.config;
    pack.subject = &s->subject;
    int rc = packed_files_make(&s->packer, call->args + 1, call->nargs - 1, &files, err);
    if (rc == 0)
        rc = coras_artifact_prepare(files.items, files.len, &pack, run, ret, err);
    packed_files_clear(&files);
    return rc;
}

static int print_result(const struct attach_state *s, const coras_descriptor *manifest,
                        coras_error **err)
{
    if (s->format.kind == FORMAT_TEXT) {
        char subject[CORAS_DIGEST_TEXT_MAX], digest[CORAS_DIGEST_TEXT_MAX];
        printf("Attached to [%s] %s@%s\nDigest: %s\n", target_kind(&s->target), s->target.path,
               coras_digest_format(&s->subject.digest, subject),
               coras_digest_format(&manifest->digest, digest));
        return 0;
    }
    coras_auto_buf json = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&json, METADATA_INDENT);
    coras_jw_object(&w);
    put_artifact_members(&w, s->target.path, manifest);
    coras_jw_end_object(&w);
    return metadata_print(&s->format, &json, err);
}

static int attach_with_display(struct attach_state *s, struct call *call, struct display *display,
                               coras_error **err)
{
    coras_auto_value(coras_descriptor) manifest = CORAS_DESCRIPTOR_INIT;
    coras_auto(coras_artifact) artifact = NULL;
    coras_auto_free char *bytes = NULL;
    coras_run_options run = run_options(call, &s->concurrency, display);
    CORAS_TRY(prepare_artifact(s, call, &run, &artifact, err));
    if (!*s->artifact_type.value) /* given, but empty: seen when the manifest is made */
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing artifact type");
    coras_push_options options = CORAS_PUSH_OPTIONS_INIT;
    CORAS_TRY(
        coras_artifact_push(artifact, s->target.target, &options, &run, &manifest, &bytes, err));
    display_finish(display);
    CORAS_TRY(print_result(s, &manifest, err));
    return packer_export(&s->packer, bytes, (size_t)manifest.size, err);
}

static int attach_run(struct call *call, coras_error **err)
{
    struct attach_state *s = call->state;
    common_apply(&s->common);
    CORAS_TRY(check_content(call, s, err));
    CORAS_TRY(target_open(call, &s->target, CORAS_LAYOUT_WRITE, NULL, err));
    CORAS_TRY(resolve_subject(s, err));
    struct display *display = upload_display(&s->common, &s->format, &s->no_tty, NULL, NULL);
    int rc = attach_with_display(s, call, display, err);
    display_free(display);
    return rc;
}

static void attach_clear(void *state)
{
    struct attach_state *s = state;
    target_clear(&s->target);
    packer_clear(&s->packer);
    coras_platform_clear(&s->platform.platform);
    coras_descriptor_clear(&s->subject);
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
