/* SPDX-License-Identifier: Apache-2.0 */
/*
 * push: files as an artifact.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "cli/app/commands.h"
#include "cli/app/errors.h"
#include "cli/options/fileref.h"
#include "cli/app/run_options.h"
#include "cli/output/upload_display.h"
#include "cli/output/pushed.h"
#include "cli/options/packer.h"
#include "cli/options/targetref.h"
#include "cli/app/auto.h"
#include "coras/mediatype.h"
#include "coras/platform.h"

struct push_state {
    struct common_options common;
    struct target_options target;
    struct packer_options packer;
    struct platform_option platform;
    struct format_options format;
    struct progress_options progress;
    struct opt_string config;
    struct opt_string artifact_type;
    struct opt_string image_spec;
    struct opt_bool force;
    struct opt_int concurrency;
    /* while it runs */
    enum coras_image_spec spec;
    char *config_path;
    const char *config_type; /* NULL: the default */
};

static int check_image_spec(const char *value, coras_error **err)
{
    if (coras_streq(value, "v1.1") || coras_streq(value, "v1.0"))
        return 0;
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                      "unknown image specification flag: %s\nAvailable options: v1.1, v1.0", value);
}

static const struct opt push_options[] = {
    {"config", 0, OPT_STRING, 0, OPT_AT(struct push_state, config), NULL,
     "`path` of image config file", NULL},
    {"artifact-type", 0, OPT_STRING, 0, OPT_AT(struct push_state, artifact_type), NULL,
     "artifact type", NULL},
    {"image-spec", 0, OPT_STRING, 0, OPT_AT(struct push_state, image_spec), NULL,
     "[Preview] specify manifest type for building artifact. Options: v1.1, v1.0 (default v1.1, "
     "overridden to v1.0 if --config is used without --artifact-type)",
     check_image_spec},
    {"force", 0, OPT_BOOL, 0, OPT_AT(struct push_state, force), NULL, FORCE_COPY_HELP, NULL},
    {"concurrency", 0, OPT_INT, 0, OPT_AT(struct push_state, concurrency), "5", "concurrency level",
     NULL},
    OPT_END,
};
static const struct opt_use push_groups[] = {
    {debug_options, offsetof(struct push_state, common), NULL, NULL},
    {verbose_on_options, offsetof(struct push_state, common), NULL, NULL},
    TARGET_GROUPS(struct push_state, target),
    {packer_options, offsetof(struct push_state, packer), NULL, NULL},
    {platform_artifact_options, offsetof(struct push_state, platform), NULL, NULL},
    {format_options, offsetof(struct push_state, format), NULL, NULL},
    {progress_options, offsetof(struct push_state, progress), NULL, NULL},
    {push_options, 0, NULL, NULL},
    {0},
};

/* ---- before the run ---- */

static int choose_image_spec(struct push_state *s, coras_error **err)
{
    bool config = *s->config.value, type = *s->artifact_type.value;
    s->spec =
        coras_streq(s->image_spec.value, "v1.0") ? CORAS_IMAGE_SPEC_V1_0 : CORAS_IMAGE_SPEC_V1_1;
    if (config && !type) {
        if (s->image_spec.set && s->spec == CORAS_IMAGE_SPEC_V1_1)
            return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                              "missing artifact type for OCI image-spec v1.1 artifacts\nset an "
                              "artifact type via `--artifact-type` or consider image spec v1.0");
        s->spec = CORAS_IMAGE_SPEC_V1_0;
    }
    if (s->config.set && s->platform.text.set)
        return fail_exclusive("--config", "--artifact-platform", err);
    if (s->spec == CORAS_IMAGE_SPEC_V1_0 && config && type)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "--artifact-type and --config cannot both be provided for 1.0 OCI image");
    return 0;
}

static int push_prepare(struct call *call, coras_error **err)
{
    struct push_state *s = call->state;
    CORAS_TRY(packer_check(&s->packer, call->args + 1, call->nargs - 1, err));
    CORAS_TRY(platform_check(&s->platform, err));
    CORAS_TRY(target_parse_first(call, &s->target, call->args[0], err));
    CORAS_TRY(format_check(&s->format, false, err));
    CORAS_TRY(target_parse_extra(&s->target, call->args[0], err));
    return choose_image_spec(s, err);
}

/* ---- the run ---- */

static int set_config(struct push_state *s, coras_error **err)
{
    if (s->spec == CORAS_IMAGE_SPEC_V1_0 && s->platform.given && *s->artifact_type.value)
        return coras_fail(
            err, CORAS_ERR_INVALID_ARGUMENT,
            "artifact type cannot be customized for OCI image-spec v1.0 when platform "
            "is specified\nconsider using image spec v1.1 or remove --artifact-type");
    if (!*s->config.value)
        return 0;
    const char *type = NULL;
    CORAS_TRY(fileref_split(s->config.value, &s->config_path, &type, err));
    if (*type)
        s->config_type = type;
    else if (strchr(s->config.value, ':'))
        s->config_type = CORAS_MT_OCI_LAYER; /* `cfg.json:` is read as a layer's argument */
    return 0;
}

static coras_pack_options pack_options(const struct push_state *s)
{
    coras_pack_options pack = CORAS_PACK_OPTIONS_INIT;
    pack.image_spec = s->spec;
    pack.artifact_type = *s->artifact_type.value ? s->artifact_type.value : NULL;
    pack.config_path = s->config_path;
    pack.config_media_type = s->config_type;
    pack.platform = platform_wanted(&s->platform);
    pack.annotations = &s->packer.manifest;
    pack.config_annotations = &s->packer.config;
    pack.follow_links = s->packer.follow_links.value;
    return pack;
}

static void print_pushed(void *user)
{
    const struct push_state *s = user;
    pushed_headline(&s->target, &s->format);
}

/* What the "ArtifactType:" line says: v1.0 manifests carry it as the type of their config. */
static const char *shown_artifact_type(const struct push_state *s, const coras_descriptor *manifest)
{
    if (manifest->artifact_type)
        return manifest->artifact_type;
    if (s->platform.given)
        return CORAS_MT_OCI_CONFIG;
    if (s->config_type)
        return s->config_type;
    return *s->artifact_type.value ? s->artifact_type.value : CORAS_MT_UNKNOWN_CONFIG;
}

static int print_result(const struct push_state *s, const coras_descriptor *manifest,
                        coras_error **err)
{
    return pushed_print(&s->target, &s->format, shown_artifact_type(s, manifest), manifest, err);
}

static int prepare_artifact(struct push_state *s, struct call *call, const coras_run_options *run,
                            coras_artifact **ret, coras_error **err)
{
    struct packed_files files = {0};
    const coras_pack_options pack = pack_options(s);
    int rc = packed_files_make(&s->packer, call->args + 1, call->nargs - 1, &files, err);
    if (rc == 0)
        rc = coras_artifact_prepare(files.items, files.len, &pack, run, ret, err);
    if (rc == 0)
        tell_annotations_without_file(&s->packer, &files);
    packed_files_clear(&files);
    return rc;
}

static int push_with_display(struct push_state *s, struct call *call, struct display *display,
                             coras_error **err)
{
    coras_auto_value(coras_descriptor) manifest = CORAS_DESCRIPTOR_INIT;
    coras_auto(coras_artifact) artifact = NULL;
    coras_auto_free char *bytes = NULL;
    coras_run_options run = run_options(call, &s->concurrency, display);
    CORAS_TRY(prepare_artifact(s, call, &run, &artifact, err));
    CORAS_TRY(target_open(call, &s->target, CORAS_LAYOUT_WRITE, NULL, err));
    coras_push_options options = CORAS_PUSH_OPTIONS_INIT;
    options.reference = s->target.reference;
    options.extra_tags = s->target.extra_tag_items;
    options.force = s->force.value;
    CORAS_TRY(
        coras_artifact_push(artifact, s->target.target, &options, &run, &manifest, &bytes, err));
    display_finish(display);
    CORAS_TRY(print_result(s, &manifest, err));
    return packer_export(&s->packer, bytes, (size_t)manifest.size, err);
}

static int push_run(struct call *call, coras_error **err)
{
    struct push_state *s = call->state;
    common_apply(&s->common);
    CORAS_TRY(set_config(s, err));
    struct display *display =
        upload_display(call, &s->common, &s->format, &s->progress, print_pushed, s);
    int rc = push_with_display(s, call, display, err);
    if (rc < 0)
        display_advise(display, err);
    display_free(display);
    return rc;
}

static void push_clear(void *state)
{
    struct push_state *s = state;
    target_clear(&s->target);
    packer_clear(&s->packer);
    coras_platform_clear(&s->platform.platform);
    free(s->config_path);
}

static const struct example push_examples[] = {
    {"Push file \"hi.txt\" as a layer of the default media type "
     "\"application/vnd.oci.image.layer.v1.tar\"",
     "push localhost:5000/hello:v1 hi.txt"},
    {"Push file \"hi.txt\" and keep a copy of the manifest",
     "push --export-manifest manifest.json localhost:5000/hello:v1 hi.txt"},
    {"Push file \"hi.txt\" with media type \"application/vnd.me.hi\"",
     "push localhost:5000/hello:v1 hi.txt:application/vnd.me.hi"},
    {"Push two files with a media type each",
     "push localhost:5000/hello:v1 hi.txt:application/vnd.me.hi bye.txt:application/vnd.me.bye"},
    {"Push a file named \"hi:txt\" with the default media type",
     "push localhost:5000/hello:v1 hi:txt:"},
    {"Push file \"hi.txt\" as an artifact of type \"application/vnd.example+type\"",
     "push --artifact-type application/vnd.example+type localhost:5000/hello:v1 hi.txt"},
    {"Push file \"hi.txt\" with config type \"application/vnd.me.config\"",
     "push --image-spec v1.0 --artifact-type application/vnd.me.config localhost:5000/hello:v1 "
     "hi.txt"},
    {"Push file \"hi.txt\" with \"config.json\" as its config of type "
     "\"application/vnd.me.config\"",
     "push --config config.json:application/vnd.me.config localhost:5000/hello:v1 hi.txt"},
    {"[Experimental] Push file \"hi.txt\" and print the result as JSON",
     "push localhost:5000/hello:v1 hi.txt --format json"},
    {"[Experimental] Push file \"hi.txt\" and print the result with a Go template",
     "push localhost:5000/hello:v1 hi.txt --format go-template=\"{{.digest}}\""},
    {"Push without verifying the registry's certificate",
     "push --insecure localhost:5000/hello:v1 hi.txt"},
    {"Push over plain HTTP", "push --plain-http localhost:5000/hello:v1 hi.txt"},
    {"Push annotations only", "push --annotation \"key=val\" localhost:5000/hello:v1"},
    {"Push the annotations of a file", "push --annotation-file annotation.json "
                                       "localhost:5000/hello:v1"},
    {"[Experimental] Push an artifact for one platform",
     "push --artifact-platform linux/arm/v5 localhost:5000/hello:v1"},
    {"Push file \"hi.txt\" under several tags", "push localhost:5000/hello:tag1,tag2,tag3 hi.txt"},
    {"Push file \"hi.txt\" under several tags, six transfers at a time",
     "push --concurrency 6 localhost:5000/hello:tag1,tag2,tag3 hi.txt"},
    {"Push file \"hi.txt\" into the OCI image layout 'layout-dir' with tag 'test'",
     "push --oci-layout layout-dir:test hi.txt"},
    {"Push file \"hi.txt\" into the OCI image layout 'layout-dir' with tag 'example.com:test'",
     "push example.com:test hi.txt --oci-layout-path layout-dir"},
    {NULL, NULL},
};

const struct cmd cmd_push = {
    .name = "push",
    .use = "[flags] <name>[:<tag>[,<tag>][...]] <file>[:<type>] [...]",
    .summary = "Push files to a registry or an OCI image layout",
    .examples = push_examples,
    .options = push_groups,
    .state_size = sizeof(struct push_state),
    .min_args = 1,
    .max_args = ARGS_ANY,
    .role = "the destination for pushing",
    .prepare = push_prepare,
    .run = push_run,
    .clear = push_clear,
};
