/*
 * Which command or flag was meant when a name is not known.
 */
#include <strings.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cli/app/help.h"

#define NEAR_DISTANCE 2
#define WORD_MAX      64 /* a longer word is near to no command */

static char lower(char c)
{
    return coras_is_upper(c) ? (char)(c + 32) : c;
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Levenshtein distance without regard to case; row by row. */
static size_t distance(const char *a, const char *b)
{
    size_t row[WORD_MAX + 1];
    size_t len = strlen(b);
    for (size_t j = 0; j <= len; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= len; j++) {
            size_t change = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
            diagonal = row[j];
            row[j] = min3(change, row[j] + 1, row[j - 1] + 1);
        }
    }
    return row[len];
}

void suggest_commands(const struct cmd *parent, const char *word, coras_buf *out)
{
    size_t len = strlen(word);
    if (len > WORD_MAX)
        return;
    for (const struct cmd *const *child = parent->children; child && *child; child++) {
        const char *name = (*child)->name;
        if ((*child)->flags & (CMD_HIDDEN | CMD_NO_SUGGESTION))
            continue;
        if (distance(name, word) <= NEAR_DISTANCE || strncasecmp(name, word, len) == 0)
            coras_buf_printf(out, "\t%s\n", name);
    }
}
