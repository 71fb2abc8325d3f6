/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From words to a command, the way cobra does it: words that look like flags are stepped over
 * together with what they would take as a value, and only the root refuses an unknown word.
 */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "cli/app/command.h"
#include "cli/app/help.h"
#include "gospell/quote.h"

/* Commands of a group know no flag yet when words are looked up, so any flag word without `=` that
 * is `--long` or a single letter takes the next word along. Commands with options know theirs. */
static bool takes_next_word(const struct cmd *cmd, const char *word)
{
    if (word[0] != '-' || strchr(word, '='))
        return false;
    bool is_long = coras_str_starts(word, "--");
    if (!is_long && strlen(word) != 2)
        return false;
    struct opt_ref ref;
    return !cmd->options || !opt_find_word(cmd, word, &ref) || ref.opt->kind != OPT_BOOL;
}

/* Index of the first word that is neither a flag nor taken by one; count when there is none. */
static size_t first_word(const struct cmd *cmd, char **words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (coras_streq(words[i], "--"))
            break;
        if (takes_next_word(cmd, words[i])) {
            if (count - i <= 2)
                break;
            i++;
        } else if (words[i][0] && words[i][0] != '-') {
            return i;
        }
    }
    return count;
}

const struct cmd *cmd_child(const struct cmd *parent, const char *name)
{
    for (const struct cmd *const *child = parent->children; child && *child; child++) {
        if (coras_streq((*child)->name, name))
            return *child;
        for (const char *const *alias = (*child)->aliases; alias && *alias; alias++)
            if (coras_streq(*alias, name))
                return *child;
    }
    return NULL;
}

static int fail_unknown(const char *program, const char *word, coras_error **err)
{
    coras_auto_free char *quoted = coras_go_quote_dup(word);
    coras_auto_buf near = CORAS_BUF_UNLIMITED;
    suggest_commands(&cmd_root, word, &near);
    CORAS_TRY(coras_buf_done(&near, err));
    if (!quoted)
        return coras_fail_no_memory(err);
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                      "unknown command %s for \"%s\"%s%s\nRun '%s --help' for usage.", quoted,
                      program, near.len ? "\n\nDid you mean this?\n" : "", near.ptr, program);
}

static void remove_word(char **words, size_t *count, size_t index)
{
    for (size_t i = index; i < *count; i++)
        words[i] = words[i + 1]; /* the terminator moves along */
    (*count)--;
}

int cmd_find(const char *program, char **words, size_t count, const struct cmd **ret,
             char **ret_path, char ***rest, size_t *rest_len, coras_error **err)
{
    coras_auto_buf path = CORAS_BUF_UNLIMITED;
    coras_auto_free char **left = coras_calloc(count + 1, sizeof(*left));
    if (!left)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < count; i++)
        left[i] = words[i];
    coras_buf_puts(&path, program);
    const struct cmd *cmd = &cmd_root;
    for (;;) {
        size_t at = first_word(cmd, left, count);
        if (at == count)
            break;
        const struct cmd *child = cmd_child(cmd, left[at]);
        if (!child && cmd == &cmd_root)
            return fail_unknown(program, left[at], err);
        if (!child)
            break;
        remove_word(left, &count, at);
        coras_buf_printf(&path, " %s", child->name);
        cmd = child;
    }
    CORAS_TRY(coras_buf_take(&path, ret_path, err));
    *ret = cmd;
    *rest = coras_steal(&left);
    *rest_len = count;
    return 0;
}
