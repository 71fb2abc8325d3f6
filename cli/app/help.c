/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of --help, made from the tables of options and examples.
 */
#include "cli/app/help.h"

#include "base/alloc.h"
#include "base/str.h"
#include "base/vec.h"

#define COMMAND_COLUMN 11 /* names are padded to at least this */
#define OPTION_GAP     3  /* blanks between the left part and the text */

/* Append a text in which a mark stands for something else. */
static void put_marked(coras_buf *out, const char *text, const char *mark, const char *instead)
{
    for (const char *at; (at = strstr(text, mark)); text = at + strlen(mark)) {
        coras_buf_put(out, text, (size_t)(at - text));
        coras_buf_puts(out, instead);
    }
    coras_buf_puts(out, text);
}

void help_put_text(coras_buf *out, const char *text, const char *program)
{
    put_marked(out, text, "<program>", program);
}

/* ---- examples ---- */

static void put_example(coras_buf *out, const char *program, const struct example *example)
{
    coras_buf_printf(out, "\nExample - %s:\n", example->what);
    const char *line = example->lines;
    while (*line) {
        size_t len = strcspn(line, "\n");
        if (coras_str_starts(line, "$ "))
            coras_buf_printf(out, "  %.*s\n", (int)len - 2, line + 2);
        else
            coras_buf_printf(out, "  %s %.*s\n", program, (int)len, line);
        line += len + (line[len] == '\n');
    }
}

/* ---- commands of a group ---- */

static int compare_commands(const void *a, const void *b)
{
    return strcmp((*(const struct cmd *const *)a)->name, (*(const struct cmd *const *)b)->name);
}

static void put_commands(coras_buf *out, const struct cmd *group, const char *program)
{
    struct {
        const struct cmd **items;
        size_t len, cap;
    } shown = {0};
    size_t width = COMMAND_COLUMN;
    for (const struct cmd *const *child = group->children; *child; child++) {
        if ((*child)->flags & CMD_HIDDEN || coras_vec_grow(&shown, 1) < 0)
            continue;
        shown.items[shown.len++] = *child;
        size_t len = strlen((*child)->name);
        width = len > width ? len : width;
    }
    if (shown.len)
        qsort(shown.items, shown.len, sizeof(*shown.items), compare_commands);
    coras_buf_puts(out, "\nAvailable Commands:\n");
    for (size_t i = 0; i < shown.len; i++) {
        coras_buf_printf(out, "  %-*s ", (int)width, shown.items[i]->name);
        help_put_text(out, shown.items[i]->summary, program);
        coras_buf_putc(out, '\n');
    }
    free(shown.items);
}

/* ---- flags ---- */

/* One line of the list: `left` is "  -x, --long type", `text` may have several lines. */
struct flag_line {
    char *name;
    char *left;
    char *text;
};
struct flag_lines {
    struct flag_line *items;
    size_t len, cap;
};

static const char *kind_word(const struct opt *opt)
{
    switch ((enum opt_kind)opt->kind) {
    case OPT_BOOL:
        return "";
    case OPT_INT:
        return "int";
    case OPT_STRING:
        return "string";
    case OPT_LIST:
        return "stringArray";
    case OPT_SLICE:
        return "strings";
    }
    return "";
}

void help_put_option_text(coras_buf *out, struct opt_ref ref)
{
    put_marked(out, ref.opt->help, "<desc>", ref.use->desc ? ref.use->desc : "");
}

/* Split a text around its back quotes: the word between them (or else the kind's) names the value,
 * the text is shown without them. */
static void put_unquoted(const struct opt *opt, const char *text, coras_buf *ret_name,
                         coras_buf *ret_text)
{
    const char *open = strchr(text, '`');
    const char *close = open ? strchr(open + 1, '`') : NULL;
    if (!close) {
        coras_buf_puts(ret_name, kind_word(opt));
        coras_buf_puts(ret_text, text);
        return;
    }
    coras_buf_put(ret_name, open + 1, (size_t)(close - open - 1));
    coras_buf_put(ret_text, text, (size_t)(open - text));
    coras_buf_puts(ret_text, ret_name->ptr);
    coras_buf_puts(ret_text, close + 1);
}

static void put_default(coras_buf *out, const struct opt *opt)
{
    if (!opt->initial || opt->flags & OPT_HIDDEN)
        return;
    if (opt->kind == OPT_STRING)
        coras_buf_printf(out, " (default \"%s\")", opt->initial);
    else
        coras_buf_printf(out, " (default %s)", opt->initial);
}

static void add_line(struct flag_lines *lines, const char *name, char letter, const char *word,
                     coras_buf *text)
{
    struct flag_line line = {.name = coras_strdup(name)};
    coras_auto_buf left = CORAS_BUF_UNLIMITED;
    if (letter)
        coras_buf_printf(&left, "  -%c, --%s", letter, name);
    else
        coras_buf_printf(&left, "      --%s", name);
    if (*word)
        coras_buf_printf(&left, " %s", word);
    int rc = coras_buf_take(&left, &line.left, NULL);
    if (rc == 0)
        rc = coras_buf_take(text, &line.text, NULL);
    if (rc == 0 && line.name && coras_vec_grow(lines, 1) == 0) {
        lines->items[lines->len++] = line;
        return;
    }
    free(line.name);
    free(line.left);
    free(line.text);
}

static bool add_option(struct opt_ref ref, void *user)
{
    if (ref.opt->flags & OPT_HIDDEN)
        return true;
    coras_auto_free char *name = opt_full_name(ref);
    coras_auto_buf help = CORAS_BUF_UNLIMITED, word = CORAS_BUF_UNLIMITED;
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    help_put_option_text(&help, ref);
    put_unquoted(ref.opt, help.ptr, &word, &text);
    put_default(&text, ref.opt);
    if (name)
        add_line(user, name, opt_letter(ref), word.ptr, &text);
    return true;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(((const struct flag_line *)a)->name, ((const struct flag_line *)b)->name);
}

/* The text, its further lines indented to the same column. */
static void put_indented(coras_buf *out, const char *text, size_t column)
{
    for (;;) {
        size_t len = strcspn(text, "\n");
        coras_buf_put(out, text, len);
        coras_buf_putc(out, '\n');
        if (!text[len])
            return;
        coras_buf_printf(out, "%*s", (int)column, "");
        text += len + 1;
    }
}

static void put_flags(coras_buf *out, const struct cmd *cmd, const char *path)
{
    struct flag_lines lines = {0};
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    opt_each(cmd, add_option, &lines);
    coras_buf_printf(&text, "help for %s", cmd == &cmd_root ? path : cmd->name);
    add_line(&lines, "help", 'h', "", &text);
    size_t widest = 0;
    for (size_t i = 0; i < lines.len; i++) {
        size_t len = strlen(lines.items[i].left);
        widest = len > widest ? len : widest;
    }
    if (lines.len)
        qsort(lines.items, lines.len, sizeof(*lines.items), compare_lines);
    coras_buf_puts(out, "\nFlags:\n");
    for (size_t i = 0; i < lines.len; i++) {
        struct flag_line *line = &lines.items[i];
        coras_buf_printf(out, "%-*s", (int)(widest + OPTION_GAP), line->left);
        put_indented(out, line->text, widest + OPTION_GAP);
        free(line->name);
        free(line->left);
        free(line->text);
    }
    free(lines.items);
}

/* ---- all together ---- */

void help_put_use_line(coras_buf *out, const struct cmd *cmd, const char *path)
{
    coras_buf_puts(out, path);
    if (cmd->use)
        coras_buf_printf(out, " %s", cmd->use);
}

static void put_aliases(coras_buf *out, const struct cmd *cmd)
{
    if (!cmd->aliases)
        return;
    coras_buf_printf(out, "\nAliases:\n  %s", cmd->name);
    for (const char *const *alias = cmd->aliases; *alias; alias++)
        coras_buf_printf(out, ", %s", *alias);
    coras_buf_putc(out, '\n');
}

void help_put_usage(coras_buf *out, const struct cmd *cmd, const char *path, bool with_flags)
{
    coras_buf_puts(out, "Usage:\n  ");
    if (cmd->run || !cmd->children) {
        help_put_use_line(out, cmd, path);
        if (!(cmd->flags & CMD_PLAIN_USAGE) && (!cmd->use || !strstr(cmd->use, "[flags]")))
            coras_buf_puts(out, " [flags]");
    }
    if (cmd->children)
        coras_buf_printf(out, "%s%s [command]", cmd->run ? "\n  " : "", path);
    coras_buf_putc(out, '\n');
    put_aliases(out, cmd);
    if (cmd->children)
        put_commands(out, cmd, path);
    if (with_flags)
        put_flags(out, cmd, path);
    if (cmd->children)
        coras_buf_printf(
            out, "\nUse \"%s [command] --help\" for more information about a command.\n", path);
}

void help_put(coras_buf *out, const struct cmd *cmd, const char *program, const char *path)
{
    const char *about = cmd->about ? cmd->about : cmd->summary;
    if (about) {
        help_put_text(out, about, program);
        coras_buf_putc(out, '\n');
        for (const struct example *e = cmd->examples; e && e->what; e++)
            put_example(out, program, e);
        coras_buf_putc(out, '\n');
    }
    help_put_usage(out, cmd, path, true);
}
