/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discover: what refers to a manifest, as a tree, a table or JSON.
 */
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/app/commands.h"
#include "cli/app/errors.h"
#include "cli/output/metadata.h"
#include "cli/output/tree.h"
#include "cli/options/targetref.h"

struct discover_state {
    struct common_options common;
    struct target_options target;
    struct platform_option platform;
    struct format_options format;
    struct opt_bool no_tty;
    struct opt_string artifact_type;
    struct opt_string output;
    struct opt_int depth;
};

static const struct opt discover_options[] = {
    {"artifact-type", 0, OPT_STRING, 0, OPT_AT(struct discover_state, artifact_type), NULL,
     "artifact type", NULL},
    {"output", 'o', OPT_STRING, 0, OPT_AT(struct discover_state, output), "tree",
     "[Deprecated] format in which to display referrers (table, json, or tree).", NULL},
    {"depth", 0, OPT_INT, 0, OPT_AT(struct discover_state, depth), NULL,
     "[Experimental] level of referrers to display, if unused shows referrers of all levels", NULL},
    OPT_END,
};
static const struct opt_use discover_groups[] = {
    {debug_options, offsetof(struct discover_state, common), NULL, NULL},
    {verbose_on_options, offsetof(struct discover_state, common), NULL, NULL},
    TARGET_GROUPS(struct discover_state, target),
    DISTRIBUTION_GROUP(struct discover_state, target),
    {platform_options, offsetof(struct discover_state, platform), NULL, NULL},
    {format_discover_options, offsetof(struct discover_state, format), NULL, NULL},
    {no_color_options, offsetof(struct discover_state, no_tty), NULL, NULL},
    {discover_options, 0, NULL, NULL},
    {0},
};

/* The deprecated way to choose the format; checked after the format itself. */
static int check_output(const struct discover_state *s, coras_error **err)
{
    if (!s->output.set)
        return 0;
    if (s->format.kind == FORMAT_TEMPLATE)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "output type can only be tree, table or json");
    fputs("[DEPRECATED] --output is deprecated, try `--format ` instead\n", stderr);
    return 0;
}

static int discover_prepare(struct call *call, coras_error **err)
{
    struct discover_state *s = call->state;
    if (s->format.format.set && s->output.set)
        return fail_exclusive("--format", "--output", err);
    if (s->depth.set && s->depth.value < 1)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "depth value should be at least 1");
    if (s->output.set)
        s->format.format.value = s->output.value;
    CORAS_TRY(platform_check(&s->platform, err));
    CORAS_TRY(target_parse(call, &s->target, call->args[0], err));
    CORAS_TRY(format_check(&s->format, true, err));
    return check_output(s, err);
}

/* ---- what to look for ---- */

static int wanted_depth(const struct discover_state *s)
{
    if (s->format.kind == FORMAT_TABLE)
        return 1;
    return s->depth.set && s->depth.value < INT_MAX ? (int)s->depth.value : 0;
}

static int discover(const struct discover_state *s, coras_referrer *ret, coras_error **err)
{
    coras_discover_options options = CORAS_DISCOVER_OPTIONS_INIT;

    options.platform = platform_wanted(&s->platform);
    options.artifact_type = *s->artifact_type.value ? s->artifact_type.value : NULL;
    options.depth = wanted_depth(s);
    int rc = coras_discover(s->target.target, s->target.reference, &options, ret, err);
    if (rc == CORAS_ERR_TOO_LARGE)
        coras_hint(err, "limit the levels with --depth, or the kind with --artifact-type");
    return rc;
}

/* ---- output ---- */

static void put_node(coras_json_writer *w, const char *path, const coras_referrer *node)
{
    coras_jw_object(w);
    put_artifact_members(w, path, &node->desc);
    coras_jw_key(w, "referrers");
    coras_jw_array(w);
    for (size_t i = 0; i < node->len; i++)
        put_node(w, path, &node->items[i]);
    coras_jw_end_array(w);
    coras_jw_end_object(w);
}

static int print_referrers(const struct discover_state *s, const coras_referrer *root,
                           coras_error **err)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    if (s->format.kind == FORMAT_JSON || s->format.kind == FORMAT_TEMPLATE) {
        coras_json_writer w = CORAS_JSON_WRITER(&out, METADATA_INDENT);
        put_node(&w, s->target.path, root);
        return metadata_print(&s->format, &out, err);
    }
    if (s->format.kind == FORMAT_TABLE) {
        CORAS_TRY(table_put(&out, s->target.raw, root, s->common.verbose.value, err));
    } else {
        const struct tree_style style = {
            .colors = !s->no_tty.value && isatty(STDERR_FILENO),
            .annotations = s->common.verbose.value,
        };
        tree_put(&out, s->target.path, root, &style);
    }
    CORAS_TRY(coras_buf_done(&out, err));
    fwrite(out.ptr, 1, out.len, stdout);
    return 0;
}

static int discover_run(struct call *call, coras_error **err)
{
    struct discover_state *s = call->state;
    coras_referrer root = CORAS_REFERRER_INIT;
    common_apply(&s->common);
    CORAS_TRY(target_open(call, &s->target, CORAS_LAYOUT_READ, NULL, err));
    CORAS_TRY(target_require_reference(call, &s->target, err));
    int rc = discover(s, &root, err);
    if (rc == 0)
        rc = print_referrers(s, &root, err);
    coras_referrer_clear(&root);
    return rc;
}

static void discover_clear(void *state)
{
    struct discover_state *s = state;
    target_clear(&s->target);
    coras_platform_clear(&s->platform.platform);
}

static const struct example discover_examples[] = {
    {"Show what refers to 'hello:v1' as a tree", "discover localhost:5000/hello:v1"},
    {"Ask the referrers API only",
     "discover --distribution-spec v1.1-referrers-api localhost:5000/hello:v1"},
    {"Read the referrers tag only",
     "discover --distribution-spec v1.1-referrers-tag localhost:5000/hello:v1"},
    {"[Experimental] Show direct referrers as a table",
     "discover localhost:5000/hello:v1 --format table"},
    {"[Experimental] Print the referrers with a Go template",
     "discover localhost:5000/hello:v1 --format go-template --template \"{{.referrers}}\""},
    {"[Experimental] Print direct referrers as JSON",
     "discover localhost:5000/hello:v1 --format json --depth 1"},
    {"Show referrers of one type only",
     "discover --artifact-type test-artifact localhost:5000/hello:v1"},
    {"Show what refers to the manifest 'v1' in the OCI image layout 'layout-dir'",
     "discover --oci-layout layout-dir:v1"},
    {"Show what refers to 'example.com:v1' in the OCI image layout 'layout-dir'",
     "discover example.com:v1 --oci-layout-path layout-dir"},
    {NULL, NULL},
};

const struct cmd cmd_discover = {
    .name = "discover",
    .use = "[flags] <name>{:<tag>|@<digest>}",
    .summary = "[Preview] Discover referrers of a manifest in a registry or an OCI image layout",
    .about = "[Preview] Discover referrers of a manifest in a registry or an OCI image layout\n\n"
             "** This command is in preview and under development. **",
    .examples = discover_examples,
    .options = discover_groups,
    .state_size = sizeof(struct discover_state),
    .min_args = 1,
    .max_args = 1,
    .role = "the target artifact to discover referrers from",
    .prepare = discover_prepare,
    .run = discover_run,
    .clear = discover_clear,
};
