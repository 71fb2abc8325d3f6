/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tag: further names for a manifest.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/app/commands.h"
#include "cli/app/errors.h"
#include "cli/app/run_options.h"
#include "cli/options/targetref.h"
#include "coras/reference.h"
#include "cli/app/auto.h"

struct tag_state {
    struct common_options common;
    struct target_options target;
    struct opt_int concurrency;
    /* while it runs */
    coras_strlist names; /* what the arguments name in the repository, in their order */
    const struct call *call;
};

static const struct opt tag_options[] = {
    {"concurrency", 0, OPT_INT, 0, OPT_AT(struct tag_state, concurrency), "5", "concurrency level",
     NULL},
    OPT_END,
};
static const struct opt_use tag_groups[] = {
    {debug_options, offsetof(struct tag_state, common), NULL, NULL},
    {verbose_off_options, offsetof(struct tag_state, common), NULL, NULL},
    TARGET_GROUPS(struct tag_state, target),
    {tag_options, 0, NULL, NULL},
    {0},
};

/* `tag list` is what people type who look for `repo tags`. */
static int tag_check_args(struct call *call, coras_error **err)
{
    const struct tag_state *s = call->state;
    if (call->nargs == 0 ||
        !(coras_streq(call->args[0], "list") || coras_streq(call->args[0], "ls")))
        return 0;
    coras_auto_free char *message =
        coras_asprintf("there is no \"list\" sub-command for \"oras tag\" command");
    coras_auto_free char *text =
        coras_asprintf("If you want to list available tags in %s, use \"oras repo tags\"",
                       s->target.oci_layout.value ? "an OCI image layout" : "a repository");
    if (!message || !text)
        return coras_fail_no_memory(err);
    return fail_usage(call, message, text, err);
}

static int tag_prepare(struct call *call, coras_error **err)
{
    struct tag_state *s = call->state;
    int rc = target_parse(call, &s->target, call->args[0], err);
    if (rc == CORAS_ERR_INVALID_REFERENCE && !s->target.is_layout)
        return coras_wrap(err, rc, "unable to add tag for '%s'", call->args[0]);
    return rc;
}

/* ---- the new names ---- */

/* As typed: an argument may be a whole reference. */
static const char *typed_name(const struct tag_state *s, const char *name)
{
    for (size_t i = 0; i < s->names.len; i++)
        if (coras_streq(s->names.items[i], name))
            return s->call->args[i + 1];
    return name;
}

/* A tag or digest without a repository, in front of which ours is put. */
static int parse_short_name(const struct target_options *t, const char *name, coras_reference *ret,
                            coras_error **err)
{
    const char *at = strchr(name, '@');
    coras_auto_free char *full = at                  ? coras_asprintf("%s%s", t->path, at)
                                 : strchr(name, ':') ? coras_asprintf("%s@%s", t->path, name)
                                                     : coras_asprintf("%s:%s", t->path, name);
    return full ? coras_reference_parse(full, ret, err) : coras_fail_no_memory(err);
}

static int parse_name(const struct target_options *t, const char *name, coras_reference *ret,
                      coras_error **err)
{
    if (coras_reference_parse(name, ret, NULL) < 0)
        CORAS_TRY(parse_short_name(t, name, ret, err));
    else if (!coras_streq(ret->registry, t->registry) ||
             !coras_streq(ret->repository, t->repository))
        return coras_fail(err, CORAS_ERR_INVALID_REFERENCE,
                          "invalid reference: mismatch between received \"%s\" and expected \"%s\"",
                          name, t->raw);
    if (!ret->reference)
        return coras_fail(err, CORAS_ERR_INVALID_REFERENCE, "invalid reference");
    return 0;
}

static int add_name(struct tag_state *s, const char *name, coras_error **err)
{
    coras_reference parsed = {0};
    if (s->target.is_layout)
        return coras_strlist_add(&s->names, name, err);
    int rc = parse_name(&s->target, name, &parsed, err);
    if (rc == 0)
        rc = coras_strlist_add(&s->names, parsed.reference, err);
    else if (s->call->nargs > 2)
        rc = coras_wrap(err, rc, "failed to tag %s", name);
    coras_reference_clear(&parsed);
    return rc;
}

static int add_names(struct tag_state *s, coras_error **err)
{
    for (char **name = s->call->args + 1; *name; name++)
        CORAS_TRY(add_name(s, *name, err));
    return 0;
}

/* ---- the run ---- */

/* Says first what gets its new names. */
static void tag_event(const coras_event *event, void *user)
{
    const struct tag_state *s = user;
    char digest[CORAS_DIGEST_TEXT_MAX];
    if (event->kind == CORAS_EVENT_TAGGING)
        printf("Tagging [%s] %s@%s\n", target_kind(&s->target), s->target.path,
               coras_digest_format(&event->desc->digest, digest));
    else if (event->kind == CORAS_EVENT_TAGGED)
        printf("Tagged %s\n", typed_name(s, event->text));
}

static int give_names(struct tag_state *s, coras_error **err)
{
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    coras_auto_free const char **names = coras_calloc(s->names.len + 1, sizeof(*names));
    coras_run_options run = run_options(s->call, &s->concurrency, NULL);
    if (!names)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < s->names.len; i++)
        names[i] = s->names.items[i];
    run.on_event = tag_event;
    run.user = s;
    return coras_tag(s->target.target, s->target.reference, names, &run, &desc, err);
}

static int tag_run(struct call *call, coras_error **err)
{
    struct tag_state *s = call->state;
    coras_auto(coras_error) invalid = NULL;
    common_apply(&s->common);
    s->call = call;
    CORAS_TRY(target_open(call, &s->target, CORAS_LAYOUT_WRITE, NULL, err));
    CORAS_TRY(target_require_reference(call, &s->target, err));
    int rc = add_names(s, &invalid);
    if (rc < 0) /* whether there is something to tag is said first */
        coras_strlist_clear(&s->names);
    CORAS_TRY(give_names(s, err));
    coras_error_propagate(err, &invalid);
    return rc;
}

static void tag_clear(void *state)
{
    struct tag_state *s = state;
    target_clear(&s->target);
    coras_strlist_clear(&s->names);
}

static const struct example tag_examples[] = {
    {"Give the manifest 'v1.0.1' of 'localhost:5000/hello' the name 'v1.0.2' too",
     "tag localhost:5000/hello:v1.0.1 v1.0.2"},
    {"Name a manifest that is known by its digest",
     "tag localhost:5000/hello@sha256:"
     "9463e0d192846bc994279417b50114606712d516aab45f4d8b31cbc6e46aad71 v1.0.2"},
    {"Give the manifest 'v1.0.1' two more names", "tag localhost:5000/hello:v1.0.1 v1.0.2 latest"},
    {"Set one tag at a time", "tag --concurrency 1 localhost:5000/hello:v1.0.1 v1.0.2 latest"},
    {"Tag a manifest in the OCI image layout 'layout-dir'",
     "tag --oci-layout layout-dir:v1.0.1 v1.0.2"},
    {NULL, NULL},
};

const struct cmd cmd_tag = {
    .name = "tag",
    .use = "[flags] <name>{:<tag>|@<digest>} <new_tag> [...]",
    .summary = "Tag a manifest in a registry or an OCI image layout",
    .examples = tag_examples,
    .options = tag_groups,
    .state_size = sizeof(struct tag_state),
    .min_args = 2,
    .max_args = ARGS_ANY,
    .role = "the artifact to be retagged and the tags to be added",
    .check_args = tag_check_args,
    .prepare = tag_prepare,
    .run = tag_run,
    .clear = tag_clear,
};
