#include "cli/completion.h"

#include "base/alloc.h"
#include "base/str.h"
#include "cli/help.h"

struct candidates {
    const char *program;
    const char *prefix; /* what was typed */
    coras_buf *out;
    bool found;
};

/* Descriptions are one line each. */
static void put_candidate(struct candidates *c, const char *dashes, const char *word,
                          const char *text)
{
    coras_buf_printf(c->out, "%s%s\t", dashes, word);
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;
    help_put_text(&shown, text, c->program);
    coras_buf_put(c->out, shown.ptr, strcspn(shown.ptr, "\n"));
    coras_buf_putc(c->out, '\n');
    c->found = true;
}

static int compare_commands(const void *a, const void *b)
{
    return strcmp((*(const struct cmd *const *)a)->name, (*(const struct cmd *const *)b)->name);
}

static void complete_commands(struct candidates *c, const struct cmd *group)
{
    size_t count = 0;
    while (group->children[count])
        count++;
    coras_auto_free const struct cmd **sorted = coras_calloc(count, sizeof(*sorted));
    if (!sorted)
        return;
    memcpy(sorted, group->children, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), compare_commands);
    for (size_t i = 0; i < count; i++)
        if (!(sorted[i]->flags & CMD_HIDDEN) && coras_str_starts(sorted[i]->name, c->prefix))
            put_candidate(c, "", sorted[i]->name, sorted[i]->summary);
}

static bool complete_option(struct opt_ref ref, void *user)
{
    struct candidates *c = user;
    coras_auto_free char *name = opt_full_name(ref);
    if (!name || ref.opt->flags & OPT_HIDDEN || !coras_str_starts(name, c->prefix + 2))
        return true;
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    help_put_option_text(&text, ref);
    put_candidate(c, "--", name, text.ptr);
    return true;
}

static enum complete_directive complete_option_names(struct candidates *c, const struct cmd *cmd)
{
    static const char help[] = "--help";
    if (coras_streq(c->prefix, "-"))
        c->prefix = "--";
    opt_each(cmd, complete_option, c);
    if (coras_str_starts(help, c->prefix))
        put_candidate(c, "--", "help", "help for this command");
    return COMPLETE_NO_FILES;
}

/* Whether the last complete word is a flag that waits for its value. */
static bool awaits_value(const struct cmd *cmd, char **words, size_t count)
{
    struct opt_ref ref;
    if (count == 0 || strchr(words[count - 1], '='))
        return false;
    return opt_find_word(cmd, words[count - 1], &ref) && ref.opt->kind != OPT_BOOL;
}

enum complete_directive complete_words(const char *program, char **words, size_t count,
                                       coras_buf *out)
{
    if (count == 0)
        return COMPLETE_DEFAULT;
    const struct cmd *cmd = NULL;
    coras_auto_free char *path = NULL;
    coras_auto_free char **rest = NULL;
    size_t rest_len = 0;
    if (cmd_find(program, words, count - 1, &cmd, &path, &rest, &rest_len, NULL) < 0)
        return COMPLETE_DEFAULT;
    struct candidates c = {.program = program, .prefix = words[count - 1], .out = out};
    if (awaits_value(cmd, rest, rest_len))
        return COMPLETE_DEFAULT;
    if (c.prefix[0] == '-' && !strchr(c.prefix, '='))
        return complete_option_names(&c, cmd);
    if (coras_streq(cmd->name, "help") && rest_len == 0)
        cmd = &cmd_root;
    if (!cmd->children || rest_len > 0)
        return COMPLETE_DEFAULT;
    complete_commands(&c, cmd);
    return c.found ? COMPLETE_NO_FILES : COMPLETE_DEFAULT;
}
