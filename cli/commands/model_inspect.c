/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model inspect: what is in a model, without fetching it.
 */
#include <stdio.h>

#include "base/error.h"
#include "base/trace.h"
#include "cli/app/commands.h"
#include "cli/app/run_options.h"
#include "cli/options/modelref.h"
#include "cli/output/metadata.h"
#include "cli/output/model_facts.h"

struct inspect_state {
    struct common_options common;
    struct model_options model;
    struct format_options format;
    struct opt_bool tensors;
};

static const struct opt inspect_options[] = {
    {"tensors", 0, OPT_BOOL, 0, OPT_AT(struct inspect_state, tensors), NULL,
     "list every tensor with its type, shape and place", NULL},
    OPT_END,
};
static const struct opt_use inspect_groups[] = {
    {debug_options, offsetof(struct inspect_state, common), NULL, NULL},
    MODEL_GROUPS(struct inspect_state, model),
    {format_options, offsetof(struct inspect_state, format), NULL, NULL},
    {inspect_options, 0, NULL, NULL},
    {0},
};

static int inspect_prepare(struct call *call, coras_error **err)
{
    struct inspect_state *s = call->state;

    CORAS_TRY(format_check(&s->format, false, err));
    return model_parse(call, &s->model, call->args[0], err);
}

static int print_facts(const struct inspect_state *s, const coras_model_facts *facts,
                       coras_error **err)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;

    if (s->format.kind != FORMAT_TEXT) {
        coras_json_writer w = CORAS_JSON_WRITER(&out, METADATA_INDENT);
        put_model_facts(&w, s->model.raw, facts);
        return metadata_print(&s->format, &out, err);
    }
    for (char *const *warning = facts->warnings; *warning; warning++)
        fprintf(stderr, "Warning: %s\n", *warning);
    put_model_summary(&out, s->model.raw, facts);
    CORAS_TRY(coras_buf_done(&out, err));
    fwrite(out.ptr, 1, out.len, stdout);
    return 0;
}

static int inspect_run(struct call *call, coras_error **err)
{
    struct inspect_state *s = call->state;
    coras_inspect_options options = CORAS_INSPECT_OPTIONS_INIT;
    coras_model_facts *facts = NULL;

    common_apply(&s->common);
    options.tensors = s->tensors.value;
    CORAS_TRY(model_open(call, &s->model, err));
    CORAS_TRY(coras_model_inspect(s->model.model, &options, &facts, err));
    int rc = print_facts(s, facts, err);
    coras_model_facts_free(facts);
    return rc;
}

static void inspect_clear(void *state)
{
    struct inspect_state *s = state;

    model_clear(&s->model);
}

static const struct example inspect_examples[] = {
    {"Show what is in the model 'tiny:v1'", "model inspect localhost:5000/tiny:v1"},
    {"List its tensors as JSON", "model inspect --tensors --format json localhost:5000/tiny:v1"},
    {"Print how many parameters it has",
     "model inspect --format go-template=\"{{.parameters}}\" localhost:5000/tiny:v1"},
    {"Show what is in the model 'v1' of the OCI image layout 'layout-dir'",
     "model inspect --oci-layout layout-dir:v1"},
    {"Show what is in a local directory", "model inspect ./tiny"},
    {NULL, NULL},
};

const struct cmd cmd_model_inspect = {
    .name = "inspect",
    .use = "[flags] <name>{:<tag>|@<digest>} | <path>",
    .summary = "Show what is in a model, by reading its headers only",
    .about =
        "Show what is in a model, by reading its headers only\n\n"
        "The model is a package in a registry, whatever tool has pushed it, one in an OCI image "
        "layout,\nor local files: a path that begins with a dot or a slash.",
    .examples = inspect_examples,
    .options = inspect_groups,
    .state_size = sizeof(struct inspect_state),
    .min_args = 1,
    .max_args = 1,
    .role = "the model to inspect",
    .prepare = inspect_prepare,
    .run = inspect_run,
    .clear = inspect_clear,
};
