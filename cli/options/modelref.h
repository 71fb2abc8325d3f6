/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model that a command looks into: a reference as everywhere, or a local path, from the
 * argument and the options to an open model.
 */
#ifndef CORAS_CLI_OPTIONS_MODELREF_H
#define CORAS_CLI_OPTIONS_MODELREF_H

#include "cli/options/targetref.h"
#include "coras/model.h"

struct model_options {
    struct target_options target;
    struct platform_option platform;
    /* after model_parse() */
    const char *raw; /* the argument, borrowed */
    bool is_local;
    /* after model_open() */
    coras_model *model;
};

/* The groups of a model at `member` of a command's state, for a table of struct opt_use. */
#define MODEL_GROUPS(type, member)                                                                 \
    TARGET_GROUPS(type, member.target),                                                            \
    {                                                                                              \
        platform_options, offsetof(type, member.platform), NULL, NULL                              \
    }

/* Parse the argument and check the options. */
CORAS_MUST_CHECK int model_parse(struct call *call, struct model_options *m, const char *raw,
                                 coras_error **err);
/* The same for two models that share the options, which are those of `a`. */
CORAS_MUST_CHECK int model_parse_two(struct call *call, struct model_options *a,
                                     struct model_options *b, coras_error **err);
CORAS_MUST_CHECK int model_open(struct call *call, struct model_options *m, coras_error **err);
void model_clear(struct model_options *m);

#endif
