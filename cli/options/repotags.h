/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `<registry>/<repository>[:<tag>,<tag>,…]`, as backup and restore take it.
 */
#ifndef CORAS_CLI_OPTIONS_REPOTAGS_H
#define CORAS_CLI_OPTIONS_REPOTAGS_H

#include "cli/options/targetref.h"

struct repo_tags {
    struct target_options target; /* remote options and the distribution spec are used */
    coras_strlist tags;
    const char **tag_items; /* the same, NULL-terminated; NULL: all tags */
};

CORAS_MUST_CHECK int repo_tags_parse(struct call *call, struct repo_tags *r, const char *raw,
                                     coras_error **err);
void repo_tags_clear(struct repo_tags *r);

#endif
