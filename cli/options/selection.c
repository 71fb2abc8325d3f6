/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options that choose content.
 */
#include "cli/options/selection.h"

#include "base/glob.h"
#include "cli/options/optgroups.h"

const struct opt selection_options[] = {
    {"include", 0, OPT_LIST, 0, OPT_AT(struct selection_options, include), NULL,
     "take only content whose path matches the `pattern` (*, **, ?, [a-z], {a,b}), repeatable",
     coras_glob_check},
    {"exclude", 0, OPT_LIST, 0, OPT_AT(struct selection_options, exclude), NULL,
     "leave content whose path matches the `pattern`, repeatable", coras_glob_check},
    {"media-type", 0, OPT_LIST, 0, OPT_AT(struct selection_options, media_type), NULL,
     "take only content of the media `type`, repeatable", NULL},
    OPT_END,
};
const struct opt dry_run_options[] = {
    {"dry-run", 0, OPT_BOOL, 0, 0, NULL, "say what would be transferred, and transfer nothing",
     NULL},
    OPT_END,
};

static const char *const *items_of(const struct opt_list *list)
{
    return (const char *const *)list->items;
}

coras_selection selection_of(const struct selection_options *options)
{
    coras_selection selection = CORAS_SELECTION_INIT;

    selection.include = items_of(&options->include);
    selection.exclude = items_of(&options->exclude);
    selection.media_types = items_of(&options->media_type);
    return selection;
}
