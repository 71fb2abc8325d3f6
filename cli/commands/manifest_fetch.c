/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest fetch: the bytes of a manifest, or its descriptor.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/app/commands.h"
#include "cli/app/errors.h"
#include "cli/options/outfile.h"
#include "cli/output/metadata.h"
#include "cli/options/targetref.h"
#include "coras/ops.h"
#include "cli/app/auto.h"
#include "gospell/quote.h"

struct fetch_state {
    struct common_options common;
    struct target_options target;
    struct platform_option platform;
    struct format_options format;
    struct opt_bool descriptor;
    struct opt_bool pretty;
    struct opt_list media_types;
    struct opt_string output;
};

static const struct opt fetch_options[] = {
    {"media-type", 0, OPT_SLICE, 0, OPT_AT(struct fetch_state, media_types), NULL,
     "accepted media types", NULL},
    {"output", 'o', OPT_STRING, 0, OPT_AT(struct fetch_state, output), NULL,
     "file `path` to write the fetched manifest to, use - for stdout", NULL},
    OPT_END,
};
static const struct opt_use fetch_groups[] = {
    {debug_options, offsetof(struct fetch_state, common), NULL, NULL},
    {verbose_off_options, offsetof(struct fetch_state, common), NULL, NULL},
    TARGET_GROUPS(struct fetch_state, target),
    {platform_options, offsetof(struct fetch_state, platform), NULL, NULL},
    {format_fetch_options, offsetof(struct fetch_state, format), NULL, NULL},
    {descriptor_options, offsetof(struct fetch_state, descriptor), NULL, NULL},
    {pretty_options, offsetof(struct fetch_state, pretty), NULL, NULL},
    {fetch_options, 0, NULL, NULL},
    {0},
};

static int check_output(const struct fetch_state *s, coras_error **err)
{
    if (outfile_is_stdout(s->output.value) && !coras_streq(s->format.format.value, "text"))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "`--output -` cannot be used with `--format %s` at the same time",
                          s->format.format.value);
    if (outfile_is_stdout(s->output.value) && s->descriptor.value)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "`--descriptor` cannot be used with `--output -` at the same time");
    if (s->format.format.set && s->pretty.set)
        return fail_exclusive("--format", "--pretty", err);
    if (s->format.format.set && s->descriptor.set)
        return fail_exclusive("--format", "--descriptor", err);
    return 0;
}

static int fetch_prepare(struct call *call, coras_error **err)
{
    struct fetch_state *s = call->state;
    CORAS_TRY(check_output(s, err));
    CORAS_TRY(platform_check(&s->platform, err));
    CORAS_TRY(target_parse(call, &s->target, call->args[0], err));
    return format_check(&s->format, false, err);
}

/* The Accept header that the media types ask for; *ret NULL for the usual one. */
static int make_accept(const struct opt_list *types, char **ret, coras_error **err)
{
    coras_auto_buf accept = CORAS_BUF_UNLIMITED;
    for (size_t i = 0; i < types->len; i++)
        coras_buf_printf(&accept, "%s%s", i ? ", " : "", types->items[i]);
    return types->len ? coras_buf_take(&accept, ret, err) : 0;
}

static int wrap_raw(const struct fetch_state *s, int rc, const char *what, coras_error **err)
{
    coras_auto_free char *quoted = coras_go_quote_dup(s->target.raw);
    return quoted ? coras_wrap(err, rc, "%s %s", what, quoted) : rc;
}

/* Only the descriptor is wanted: nothing is fetched, unless media types must be negotiated. */
static int find_descriptor(const struct fetch_state *s, const char *accept, coras_descriptor *ret,
                           coras_error **err)
{
    coras_auto_free char *bytes = NULL;
    const coras_platform *platform = platform_wanted(&s->platform);
    int rc =
        accept ? coras_fetch_platform_manifest(s->target.target, s->target.reference, platform,
                                               accept, ret, &bytes, err)
               : coras_resolve_platform(s->target.target, s->target.reference, platform, ret, err);
    return rc < 0 ? wrap_raw(s, rc, "failed to find", err) : 0;
}

static int print_structured(const struct fetch_state *s, const coras_descriptor *desc,
                            const char *bytes, coras_error **err)
{
    coras_auto(coras_json) content = NULL;
    /* What is no JSON object has the content null. */
    int rc = coras_json_parse_any(bytes, (size_t)desc->size, &content, NULL);
    bool object = rc == 0 && coras_json_type_of(content) == CORAS_JSON_OBJECT;
    coras_auto_buf json = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&json, METADATA_INDENT);
    coras_jw_object(&w);
    put_artifact_members(&w, s->target.path, desc);
    coras_jw_key(&w, "content");
    if (object)
        coras_jw_value(&w, content, true);
    else
        coras_jw_null(&w);
    coras_jw_end_object(&w);
    return metadata_print(&s->format, &json, err);
}

static int print_fetched(const struct fetch_state *s, const coras_descriptor *desc,
                         const char *bytes, coras_error **err)
{
    bool to_file = *s->output.value && !outfile_is_stdout(s->output.value);
    if (to_file)
        CORAS_TRY(outfile_save(s->output.value, bytes, (size_t)desc->size, err));
    if (s->descriptor.value)
        return descriptor_print(desc, s->pretty.value, err);
    if (s->format.kind != FORMAT_TEXT)
        return print_structured(s, desc, bytes, err);
    return to_file ? 0 : content_print(bytes, (size_t)desc->size, s->pretty.value, err);
}

static int fetch_run(struct call *call, coras_error **err)
{
    struct fetch_state *s = call->state;
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    coras_auto_free char *accept = NULL;
    coras_auto_free char *bytes = NULL;
    common_apply(&s->common);
    CORAS_TRY(target_open_source(call, &s->target, NULL, err));
    CORAS_TRY(target_require_reference(call, &s->target, err));
    if (s->target.is_layout && s->media_types.set)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "`--media-type` cannot be used with `--oci-layout` at the same time");
    CORAS_TRY(make_accept(&s->media_types, &accept, err));
    if (s->descriptor.value && !*s->output.value) {
        CORAS_TRY(find_descriptor(s, accept, &desc, err));
        return descriptor_print(&desc, s->pretty.value, err);
    }
    int rc =
        coras_fetch_platform_manifest(s->target.target, s->target.reference,
                                      platform_wanted(&s->platform), accept, &desc, &bytes, err);
    if (rc < 0)
        return wrap_raw(s, rc, "failed to fetch the content of", err);
    return print_fetched(s, &desc, bytes, err);
}

static void fetch_clear(void *state)
{
    struct fetch_state *s = state;
    target_clear(&s->target);
    coras_platform_clear(&s->platform.platform);
}

static const char *const fetch_aliases[] = {"get", "show", NULL};
static const struct example fetch_examples[] = {
    {"Print a manifest as the registry has it", "manifest fetch localhost:5000/hello:v1"},
    {"Print the descriptor of a manifest", "manifest fetch --descriptor localhost:5000/hello:v1"},
    {"[Experimental] Print the digest of a manifest with a Go template",
     "manifest fetch --format go-template --template '{{ .digest }}' localhost:5000/hello:v1"},
    {"[Experimental] Print a manifest and what is known about it as JSON",
     "manifest fetch localhost:5000/hello:v1 --format json"},
    {"Ask for one media type only",
     "manifest fetch --media-type 'application/vnd.oci.image.manifest.v1+json' "
     "localhost:5000/hello:v1"},
    {"Print the manifest for one platform",
     "manifest fetch --platform 'linux/arm/v5' localhost:5000/hello:v1"},
    {"Print a manifest with line breaks and indentation",
     "manifest fetch --pretty localhost:5000/hello:v1"},
    {"Print a manifest of the OCI image layout 'layout-dir'",
     "manifest fetch --oci-layout layout-dir:v1"},
    {"Print a manifest of the OCI layout archive 'layout.tar'",
     "manifest fetch --oci-layout layout.tar:v1"},
    {"Print the manifest tagged 'example.com:v1' in the OCI image layout 'layout-dir'",
     "manifest fetch example.com:v1 --oci-layout-path layout-dir"},
    {NULL, NULL},
};

const struct cmd cmd_manifest_fetch = {
    .name = "fetch",
    .use = "[flags] <name>{:<tag>|@<digest>}",
    .summary = "Fetch manifest of the target artifact",
    .examples = fetch_examples,
    .aliases = fetch_aliases,
    .options = fetch_groups,
    .state_size = sizeof(struct fetch_state),
    .min_args = 1,
    .max_args = 1,
    .role = "the manifest to fetch",
    .prepare = fetch_prepare,
    .run = fetch_run,
    .clear = fetch_clear,
};
