/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve: the digest that a reference names.
 */
#include <stdio.h>

#include "base/error.h"
#include "cli/app/commands.h"
#include "cli/app/run_options.h"
#include "cli/options/targetref.h"
#include "cli/app/auto.h"

struct resolve_state {
    struct common_options common;
    struct target_options target;
    struct platform_option platform;
    struct opt_bool full_reference;
};

static const struct opt resolve_options[] = {
    {"full-reference", 'l', OPT_BOOL, 0, OPT_AT(struct resolve_state, full_reference), NULL,
     "print the full artifact reference with digest", NULL},
    OPT_END,
};
static const struct opt_use resolve_groups[] = {
    {debug_options, offsetof(struct resolve_state, common), NULL, NULL},
    {verbose_off_options, offsetof(struct resolve_state, common), NULL, NULL},
    TARGET_GROUPS(struct resolve_state, target),
    {platform_options, offsetof(struct resolve_state, platform), NULL, NULL},
    {resolve_options, 0, NULL, NULL},
    {0},
};

static int resolve_prepare(struct call *call, coras_error **err)
{
    struct resolve_state *s = call->state;
    CORAS_TRY(platform_check(&s->platform, err));
    return target_parse(call, &s->target, call->args[0], err);
}

static int resolve_run(struct call *call, coras_error **err)
{
    struct resolve_state *s = call->state;
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    char digest[CORAS_DIGEST_TEXT_MAX];
    common_apply(&s->common);
    CORAS_TRY(target_open(call, &s->target, CORAS_LAYOUT_READ, NULL, err));
    CORAS_TRY(target_require_reference(call, &s->target, err));
    int rc = coras_resolve_platform(s->target.target, s->target.reference,
                                    platform_wanted(&s->platform), &desc, err);
    if (rc < 0)
        return coras_wrap(err, rc, "failed to resolve digest");
    coras_digest_format(&desc.digest, digest);
    if (s->full_reference.value)
        printf("%s@", s->target.path);
    puts(digest);
    return 0;
}

static void resolve_clear(void *state)
{
    struct resolve_state *s = state;
    target_clear(&s->target);
    coras_platform_clear(&s->platform.platform);
}

static const char *const resolve_aliases[] = {"digest", NULL};
static const struct example resolve_examples[] = {
    {"Print the digest of an artifact", "resolve localhost:5000/hello-world:v1"},
    {NULL, NULL},
};

const struct cmd cmd_resolve = {
    .name = "resolve",
    .use = "[flags] <name>{:<tag>|@<digest>}",
    .summary = "[Preview] Resolves digest of the target artifact",
    .examples = resolve_examples,
    .aliases = resolve_aliases,
    .options = resolve_groups,
    .state_size = sizeof(struct resolve_state),
    .min_args = 1,
    .max_args = 1,
    .role = "the target artifact reference to resolve",
    .prepare = resolve_prepare,
    .run = resolve_run,
    .clear = resolve_clear,
};
