/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which command or flag was meant when a name is not known.
 */
#include <strings.h>

#include "base/likeness.h"
#include "base/str.h"
#include "cli/app/help.h"

#define NEAR_DISTANCE 2
#define WORD_MAX      64 /* a longer word is near to no command */

void suggest_commands(const struct cmd *parent, const char *word, coras_buf *out)
{
    size_t len = strlen(word);
    if (len > WORD_MAX)
        return;
    for (const struct cmd *const *child = parent->children; child && *child; child++) {
        const char *name = (*child)->name;
        if ((*child)->flags & (CMD_HIDDEN | CMD_NO_SUGGESTION))
            continue;
        if (coras_count_edits(name, word) <= NEAR_DISTANCE || strncasecmp(name, word, len) == 0)
            coras_buf_printf(out, "\t%s\n", name);
    }
}
