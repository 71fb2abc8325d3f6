/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blob delete and manifest delete.
 */
#include "base/error.h"
#include "cli/app/commands.h"
#include "cli/app/confirm.h"
#include "cli/app/auto.h"

struct delete_state {
    struct common_options common;
    struct target_options target;
    struct delete_options delete;
};

#define DELETE_GROUPS                                                                              \
    {debug_options, offsetof(struct delete_state, common), NULL, NULL},                            \
        {verbose_off_options, offsetof(struct delete_state, common), NULL, NULL},                  \
        TARGET_GROUPS(struct delete_state, target),                                                \
        {force_delete_options, offsetof(struct delete_state, delete.force), NULL, NULL},           \
        {descriptor_options, offsetof(struct delete_state, delete.descriptor), NULL, NULL},        \
    {                                                                                              \
        pretty_options, offsetof(struct delete_state, delete.pretty), NULL, NULL                   \
    }
static const struct opt_use blob_delete_groups[] = {DELETE_GROUPS, {0}};
static const struct opt_use manifest_delete_groups[] = {
    DELETE_GROUPS, DISTRIBUTION_GROUP(struct delete_state, target), {0}};

static int delete_prepare(struct call *call, coras_error **err)
{
    struct delete_state *s = call->state;
    CORAS_TRY(delete_check(&s->delete, err));
    return target_parse(call, &s->target, call->args[0], err);
}

static void delete_clear(void *state)
{
    target_clear(&((struct delete_state *)state)->target);
}

static int blob_delete_run(struct call *call, coras_error **err)
{
    struct delete_state *s = call->state;
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    coras_digest digest;
    common_apply(&s->common);
    CORAS_TRY(target_open(call, &s->target, CORAS_LAYOUT_WRITE, NULL, err));
    CORAS_TRY(target_require_digest(call, &s->target, &digest, err));
    int rc = coras_resolve_blob(s->target.target, &digest, &desc, err);
    if (rc < 0)
        return delete_missing(call, &s->delete, &s->target, "blob", rc, err);
    return delete_confirmed(&s->delete, &s->target, &desc, "blob", "", err);
}

static int manifest_delete_run(struct call *call, coras_error **err)
{
    struct delete_state *s = call->state;
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    common_apply(&s->common);
    CORAS_TRY(target_open(call, &s->target, CORAS_LAYOUT_WRITE, NULL, err));
    CORAS_TRY(target_require_reference(call, &s->target, err));
    int rc = coras_resolve(s->target.target, s->target.reference, &desc, err);
    if (rc < 0)
        return delete_missing(call, &s->delete, &s->target, "manifest", rc, err);
    return delete_confirmed(&s->delete, &s->target, &desc, "manifest",
                            " and all tags associated with it", err);
}

static const char *const delete_aliases[] = {"remove", "rm", NULL};

#define BLOB_EXAMPLE                                                                               \
    "localhost:5000/hello@sha256:9a201d228ebd966211f7d1131be19f152be428bd373a92071c71d8deaf83b3e5"
static const struct example blob_delete_examples[] = {
    {"Delete a blob", "blob delete " BLOB_EXAMPLE},
    {"Delete a blob without being asked", "blob delete --force " BLOB_EXAMPLE},
    {"Delete a blob and print its descriptor", "blob delete --descriptor --force " BLOB_EXAMPLE},
    {NULL, NULL},
};

const struct cmd cmd_blob_delete = {
    .name = "delete",
    .use = "[flags] <name>@<digest>",
    .summary = "Delete a blob from a remote registry",
    .examples = blob_delete_examples,
    .aliases = delete_aliases,
    .options = blob_delete_groups,
    .state_size = sizeof(struct delete_state),
    .min_args = 1,
    .max_args = 1,
    .role = "the target blob to delete",
    .prepare = delete_prepare,
    .run = blob_delete_run,
    .clear = delete_clear,
};

static const struct example manifest_delete_examples[] = {
    {"Delete the manifest that is tagged 'v1'", "manifest delete localhost:5000/hello:v1"},
    {"Delete a manifest without being asked", "manifest delete --force localhost:5000/hello:v1"},
    {"Delete a manifest and print its descriptor",
     "manifest delete --descriptor --force localhost:5000/hello:v1"},
    {"Delete a manifest by its digest",
     "manifest delete "
     "localhost:5000/"
     "hello@sha256:99e4703fbf30916f549cd6bfa9cdbab614b5392fbe64fdee971359a77073cdf9"},
    {NULL, NULL},
};

const struct cmd cmd_manifest_delete = {
    .name = "delete",
    .use = "[flags] <name>{:<tag>|@<digest>}",
    .summary = "Delete a manifest from remote registry",
    .examples = manifest_delete_examples,
    .aliases = delete_aliases,
    .options = manifest_delete_groups,
    .state_size = sizeof(struct delete_state),
    .min_args = 1,
    .max_args = 1,
    .role = "the manifest to delete",
    .prepare = delete_prepare,
    .run = manifest_delete_run,
    .clear = delete_clear,
};
