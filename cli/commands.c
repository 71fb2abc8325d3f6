#include "cli/commands.h"

/* The order is that of suggestions; help sorts by name. */
static const struct cmd *const root_children[] = {
    &cmd_version, &cmd_completion, &cmd_help, &cmd_complete, &cmd_complete_no_desc, NULL,
};
const struct cmd cmd_root = {.name = "", .children = root_children};
