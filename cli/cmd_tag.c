#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/errors.h"
#include "cli/operation.h"
#include "cli/targetref.h"
#include "coras/reference.h"
#include "oci/descriptor.h"

struct tag_state {
    struct common_options common;
    struct target_options target;
    struct opt_int concurrency;
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

/* Says first what gets its new names. */
static void tag_event(const coras_event *event, void *user)
{
    const struct tag_state *s = user;
    char digest[CORAS_DIGEST_TEXT_MAX];
    if (event->kind == CORAS_EVENT_TAGGING)
        printf("Tagging [%s] %s@%s\n", target_kind(&s->target), s->target.path,
               coras_digest_format(&event->desc->digest, digest));
    else if (event->kind == CORAS_EVENT_TAGGED)
        printf("Tagged %s\n", event->text);
}

/* The library says which tag is invalid; upstream's users know these two by other words. */
static int explain_tag(const struct call *call, int rc, coras_error **err)
{
    const struct tag_state *s = call->state;
    for (char **tag = call->args + 1; *tag; tag++) {
        if (coras_tag_validate(*tag, NULL) == 0 || s->target.is_layout)
            continue;
        if (**tag && !strchr(*tag, '/'))
            return rc;
        if (err)
            coras_error_clear(err);
        if (!**tag)
            return coras_fail(err, rc, "invalid reference");
        return coras_fail(err, rc,
                          "invalid reference: mismatch between received \"%s\" and expected \"%s\"",
                          *tag, s->target.raw);
    }
    return rc;
}

static int tag_run(struct call *call, coras_error **err)
{
    struct tag_state *s = call->state;
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    common_apply(&s->common);
    CORAS_TRY(target_open(call, &s->target, CORAS_LAYOUT_WRITE, NULL, err));
    CORAS_TRY(target_require_reference(call, &s->target, err));
    coras_run_options run = run_options(call, &s->concurrency, NULL);
    run.on_event = tag_event;
    run.user = s;
    int rc = coras_tag(s->target.target, s->target.reference, (const char *const *)(call->args + 1),
                       &run, &desc, err);
    return rc == CORAS_ERR_INVALID_REFERENCE ? explain_tag(call, rc, err) : rc;
}

static void tag_clear(void *state)
{
    target_clear(&((struct tag_state *)state)->target);
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
