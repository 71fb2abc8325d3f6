/*
 * `<registry>/<repository>[:<tag>,<tag>,…]`, as backup and restore take it, and what both do with
 * tags.
 */
#ifndef CORAS_CLI_OPTIONS_REPOTAGS_H
#define CORAS_CLI_OPTIONS_REPOTAGS_H

#include "cli/options/targetref.h"

struct repo_tags {
    struct target_options target; /* remote options and the distribution spec are used */
    coras_strlist tags;           /* empty: all */
};

CORAS_MUST_CHECK int repo_tags_parse(struct call *call, struct repo_tags *r, const char *raw,
                                     coras_error **err);
void repo_tags_clear(struct repo_tags *r);

/* The tags given, or all of `target`; each is known to exist afterwards. */
CORAS_MUST_CHECK int repo_tags_find(struct repo_tags *r, coras_target *target, coras_error **err);
/* "Found N tag(s) in <where>: a, b", or one per line when there are many. */
void repo_tags_print(const struct repo_tags *r, const char *where);
/* Give what `digest` names in `target` the name `tag`, quietly. */
CORAS_MUST_CHECK int repo_tags_set(const struct call *call, coras_target *target,
                                   const coras_digest *digest, const char *tag, coras_error **err);

#endif
