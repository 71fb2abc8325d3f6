/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve gc, serve verify: what is done to the directory of a registry from time to time.
 */
#include "base/error.h"
#include "base/str.h"
#include "cli/app/commands.h"
#include "cli/app/registry_program.h"
#include "cli/options/optgroups.h"

struct serve_chore_state {
    struct opt_string root;
    struct opt_string metadata;
    struct opt_string blobs;
    struct opt_string s3_endpoint;
    struct opt_string s3_region;
    struct opt_string format;
    struct opt_bool remove;
    struct opt_bool dry_run;
    struct opt_int older_than;
    struct opt_list proxy;
    struct opt_string proxy_file;
    struct opt_string registry_config;
};

#define CHORE_AT(member) OPT_AT(struct serve_chore_state, member)
#define CHORE_ROOT                                                                                 \
    {                                                                                              \
        "root", 0, OPT_STRING, OPT_REQUIRED, CHORE_AT(root), NULL,                                 \
            "`directory` that holds the registry", NULL                                            \
    }
#define CHORE_METADATA                                                                             \
    {                                                                                              \
        "metadata", 0, OPT_STRING, OPT_SECRET, CHORE_AT(metadata), NULL,                           \
            "`URL` of the registry's PostgreSQL database, when it has one", NULL                   \
    }
/* Of 'coras serve'. */
#define CHORE_BLOBS                                                                                \
    {                                                                                              \
        "blobs",                                                                                   \
        0,                                                                                         \
        OPT_STRING,                                                                                \
        0,                                                                                         \
        CHORE_AT(blobs),                                                                           \
        NULL,                                                                                      \
        "`place` of the blobs, as for 'coras serve'",                                              \
        NULL},                                                                                     \
        {"s3-endpoint",                                                                            \
         0,                                                                                        \
         OPT_STRING,                                                                               \
         0,                                                                                        \
         CHORE_AT(s3_endpoint),                                                                    \
         NULL,                                                                                     \
         "with --blobs: `URL` of the store, when it is not Amazon's",                              \
         NULL},                                                                                    \
    {                                                                                              \
        "s3-region", 0, OPT_STRING, 0, CHORE_AT(s3_region), "us-east-1",                           \
            "with --blobs: `region` that requests to the store are signed for", NULL               \
    }
#define CHORE_FORMAT                                                                               \
    {                                                                                              \
        "format", 0, OPT_STRING, 0, CHORE_AT(format), "text", "report as 'text' or 'json'", NULL   \
    }

static int check_root(struct call *call, coras_error **err)
{
    const struct serve_chore_state *s = call->state;

    if (!*s->root.value)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "--root must name a directory");
    if (!coras_streq(s->format.value, "text") && !coras_streq(s->format.value, "json"))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "--format must be 'text' or 'json'");
    if (s->older_than.value < 0 || s->older_than.value > INT32_MAX)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "--older-than must be between 0 and %d",
                          INT32_MAX);
    return 0;
}

/* ---- gc ---- */

static const struct opt serve_gc_options[] = {
    CHORE_ROOT,
    CHORE_METADATA,
    CHORE_BLOBS,
    CHORE_FORMAT,
    {"dry-run", 0, OPT_BOOL, 0, CHORE_AT(dry_run), NULL, "only say what would be removed", NULL},
    {"older-than", 0, OPT_INT, 0, CHORE_AT(older_than), "86400",
     "leave what came within so many `seconds`: its manifest may be on its way", NULL},
    OPT_END,
};
static const struct opt_use serve_gc_groups[] = {{serve_gc_options, 0, NULL, NULL}, {0}};

static int serve_gc_run(struct call *call, coras_error **err)
{
    return registry_program_run(call, "gc", err);
}

static const struct example serve_gc_examples[] = {
    {"Say what nothing needs in the registry in 'registry'", "serve gc --root registry --dry-run"},
    {"Remove it", "serve gc --root registry"},
    {NULL, NULL},
};

const struct cmd cmd_serve_gc = {
    .name = "gc",
    .use = "[flags] --root <dir>",
    .summary = "Remove what nothing needs from a registry's directory",
    .about =
        "Remove blobs that no manifest needs and uploads that were given up. A server that runs "
        "does so every hour",
    .examples = serve_gc_examples,
    .options = serve_gc_groups,
    .state_size = sizeof(struct serve_chore_state),
    .prepare = check_root,
    .run = serve_gc_run,
};

/* ---- verify ---- */

static const struct opt serve_verify_options[] = {
    CHORE_ROOT,
    CHORE_METADATA,
    CHORE_BLOBS,
    CHORE_FORMAT,
    {"remove", 0, OPT_BOOL, 0, CHORE_AT(remove), NULL,
     "remove damaged blobs, so that the next push brings them again", NULL},
    {"proxy", 0, OPT_LIST, 0, CHORE_AT(proxy), NULL,
     "fetch what is damaged or missing again from the registry at `URL`, or with NAME=URL what "
     "came "
     "under that name, as 'coras serve' would; may be used several times",
     NULL},
    {"proxy-file", 0, OPT_STRING, 0, CHORE_AT(proxy_file), NULL,
     "`file` with further values of --proxy, one a line", NULL},
    {"registry-config", 0, OPT_STRING, 0, CHORE_AT(registry_config), NULL,
     "`path` of the authentication file for the registries of --proxy", NULL},
    OPT_END,
};
static const struct opt_use serve_verify_groups[] = {{serve_verify_options, 0, NULL, NULL}, {0}};

static int serve_verify_run(struct call *call, coras_error **err)
{
    return registry_program_run(call, "verify", err);
}

static const struct example serve_verify_examples[] = {
    {"Read everything in the registry in 'registry', beside its server",
     "serve verify --root registry"},
    {"Remove what is damaged", "serve verify --root registry --remove"},
    {"Fetch what is damaged in a cache again",
     "serve verify --root cache --proxy ghcr.io=https://ghcr.io"},
    {NULL, NULL},
};

const struct cmd cmd_serve_verify = {
    .name = "verify",
    .use = "[flags] --root <dir>",
    .summary = "Read everything in a registry's directory and report what is damaged",
    .examples = serve_verify_examples,
    .options = serve_verify_groups,
    .state_size = sizeof(struct serve_chore_state),
    .prepare = check_root,
    .run = serve_verify_run,
};
