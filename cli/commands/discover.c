#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"
#include "cli/app/commands.h"
#include "cli/app/errors.h"
#include "cli/app/operation.h"
#include "cli/output/metadata.h"
#include "cli/output/tree.h"
#include "cli/options/targetref.h"
#include "oci/descriptor.h"
#include "oci/mediatype.h"

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

/* ---- the walk ---- */

struct walk {
    coras_target *target;
    const char *artifact_type; /* NULL: all */
    coras_map *visited;        /* digests whose referrers were asked for */
    size_t listed;             /* referrers in all lists */
};

struct collecting {
    struct walk *walk;
    struct referrer *parent;
    coras_error *error;
    int rc;
};

static bool collect_referrer(const coras_descriptor *desc, void *user)
{
    struct collecting *c = user;
    if (c->walk->listed++ >= CORAS_LIMIT_NODES) {
        c->rc =
            coras_fail(&c->error, CORAS_ERR_TOO_LARGE, "more than %d referrers", CORAS_LIMIT_NODES);
        return false;
    }
    if (coras_vec_grow(c->parent, 1) < 0) {
        c->rc = coras_fail_no_memory(&c->error);
        return false;
    }
    struct referrer *added = &c->parent->items[c->parent->len];
    *added = (struct referrer){0};
    c->rc = coras_descriptor_copy(&added->desc, desc, &c->error);
    if (c->rc == 0)
        c->parent->len++;
    return c->rc == 0;
}

static int list_referrers(struct walk *walk, struct referrer *node, coras_error **err)
{
    struct collecting c = {.walk = walk, .parent = node};
    int rc = coras_list_referrers(walk->target, &node->desc, walk->artifact_type, collect_referrer,
                                  &c, err);
    if (rc == 0 && c.rc < 0) {
        rc = c.rc;
        coras_error_propagate(err, &c.error);
    }
    coras_error_free(c.error);
    return rc;
}

/* Nothing else can have referrers; in upstream's words. */
static int check_is_manifest(const coras_descriptor *desc, const char *digest, coras_error **err)
{
    if (coras_media_type_is_manifest(desc->media_type))
        return 0;
    coras_auto_free char *type = coras_escape_dup(desc->media_type);
    return coras_fail(err, CORAS_ERR_UNSUPPORTED,
                      "the descriptor {%s %s %lld [] map[] [] <nil> } is not a manifest: "
                      "unsupported",
                      type ? type : "", digest, (long long)desc->size);
}

/* Depth first; a manifest that was asked for before is listed again but not descended into. */
static int walk_referrers(struct walk *walk, struct referrer *node, int64_t depth,
                          coras_error **err)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_digest_format(&node->desc.digest, digest);
    if (depth == 0 || coras_map_has(walk->visited, digest))
        return 0;
    CORAS_TRY(check_is_manifest(&node->desc, digest, err));
    if (coras_map_len(walk->visited) >= CORAS_LIMIT_REFERRER_LISTS)
        return coras_fail(err, CORAS_ERR_PROTOCOL,
                          "referrers of more than %d manifests: too many, limit them with --depth",
                          CORAS_LIMIT_REFERRER_LISTS);
    CORAS_TRY(coras_map_set(walk->visited, digest, walk, err));
    CORAS_TRY(list_referrers(walk, node, err));
    for (size_t i = 0; i < node->len; i++)
        CORAS_TRY(walk_referrers(walk, &node->items[i], depth - 1, err));
    return 0;
}

static int64_t wanted_depth(const struct discover_state *s)
{
    if (s->format.kind == FORMAT_TABLE)
        return 1;
    if (s->depth.set && s->depth.value < CORAS_LIMIT_REFERRER_DEPTH)
        return s->depth.value;
    return CORAS_LIMIT_REFERRER_DEPTH;
}

static int discover_graph(struct discover_state *s, struct referrer *root, coras_error **err)
{
    coras_auto(coras_map) visited = coras_map_new(NULL);
    if (!visited)
        return coras_fail_no_memory(err);
    struct walk walk = {
        .target = s->target.target,
        .artifact_type = *s->artifact_type.value ? s->artifact_type.value : NULL,
        .visited = visited,
    };
    CORAS_TRY(coras_resolve_platform(s->target.target, s->target.reference,
                                     platform_wanted(&s->platform), &root->desc, err));
    return walk_referrers(&walk, root, wanted_depth(s), err);
}

/* ---- output ---- */

static void put_node(coras_json_writer *w, const char *path, const struct referrer *node)
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

static int print_referrers(const struct discover_state *s, const struct referrer *root,
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
    struct referrer root = {0};
    common_apply(&s->common);
    CORAS_TRY(target_open(call, &s->target, CORAS_LAYOUT_READ, NULL, err));
    CORAS_TRY(target_require_reference(call, &s->target, err));
    int rc = discover_graph(s, &root, err);
    if (rc == 0)
        rc = print_referrers(s, &root, err);
    referrer_clear(&root);
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
