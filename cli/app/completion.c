/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Candidates as cobra finds them: flags are parsed as far as the line goes, required ones come
 * first, those that may stand only once are not offered twice.
 */
#include "cli/app/completion.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "base/vec.h"
#include "cli/app/commands.h"
#include "cli/app/help.h"

typedef struct completion {
    const char *program;
    const char *prefix; /* what was typed of the last word */
    coras_buf *out;
    size_t found;
    const struct cmd *cmd;
    void *state; /* the options of the line so far */
    struct opt_result parsed;
    bool only_required;
} completion;

/* Descriptions are one line each. */
static void put_candidate(completion *c, const char *dashes, const char *word, const char *text)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;
    help_put_text(&shown, text, c->program);
    coras_buf_printf(c->out, "%s%s\t", dashes, word);
    coras_buf_put(c->out, shown.ptr, strcspn(shown.ptr, "\n"));
    coras_buf_putc(c->out, '\n');
    c->found++;
}

/* ---- commands ---- */

static int compare_commands(const void *a, const void *b)
{
    return strcmp((*(const struct cmd *const *)a)->name, (*(const struct cmd *const *)b)->name);
}

static void complete_commands(completion *c, const struct cmd *group)
{
    size_t count = 0;
    while (group->children && group->children[count])
        count++;
    coras_auto_free const struct cmd **sorted = coras_calloc(count + 1, sizeof(*sorted));
    if (!sorted || !count)
        return;
    memcpy(sorted, group->children, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), compare_commands);
    for (size_t i = 0; i < count; i++)
        if (!(sorted[i]->flags & CMD_HIDDEN) && coras_str_starts(sorted[i]->name, c->prefix))
            put_candidate(c, "", sorted[i]->name, sorted[i]->summary);
}

/* ---- flags ---- */

struct flag {
    char *name;
    char letter;
    char *text;
};
struct flags {
    struct flag *items;
    size_t len, cap;
    const completion *c;
};

static void add_flag(struct flags *flags, char *name, char letter, coras_buf *text)
{
    struct flag flag = {.name = name, .letter = letter};
    if (name && coras_buf_take(text, &flag.text, NULL) == 0 && coras_vec_grow(flags, 1) == 0) {
        flags->items[flags->len++] = flag;
        return;
    }
    free(name);
    free(flag.text);
}

static bool collect_flag(struct opt_ref ref, void *user)
{
    struct flags *flags = user;
    bool many = ref.opt->kind == OPT_LIST || ref.opt->kind == OPT_SLICE;
    bool set = opt_is_set(ref, flags->c->state);
    bool wanted = flags->c->only_required ? ref.opt->flags & OPT_REQUIRED && !set : many || !set;
    if (ref.opt->flags & OPT_HIDDEN || !wanted)
        return true;
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    help_put_option_text(&text, ref);
    add_flag(flags, opt_full_name(ref), opt_letter(ref), &text);
    return true;
}

static int compare_flags(const void *a, const void *b)
{
    return strcmp(((const struct flag *)a)->name, ((const struct flag *)b)->name);
}

static void put_flag(completion *c, const struct flag *flag)
{
    const char letter[] = {'-', flag->letter, '\0'};
    coras_auto_free char *name = coras_asprintf("--%s", flag->name);
    if (name && coras_str_starts(name, c->prefix))
        put_candidate(c, "", name, flag->text);
    if (flag->letter && coras_str_starts(letter, c->prefix))
        put_candidate(c, "", letter, flag->text);
}

static void complete_flags(completion *c, bool only_required)
{
    struct flags flags = {.c = c};
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    c->only_required = only_required;
    opt_each(c->cmd, collect_flag, &flags);
    if (!only_required && !(c->cmd->flags & CMD_RAW_ARGS)) {
        coras_buf_printf(&text, "help for %s", c->cmd == &cmd_root ? c->program : c->cmd->name);
        add_flag(&flags, coras_strdup("help"), 'h', &text);
    }
    if (flags.len)
        qsort(flags.items, flags.len, sizeof(*flags.items), compare_flags);
    for (size_t i = 0; i < flags.len; i++) {
        put_flag(c, &flags.items[i]);
        free(flags.items[i].name);
        free(flags.items[i].text);
    }
    free(flags.items);
}

/* ---- the line so far ---- */

static bool is_flag_word(const char *word)
{
    return word[0] == '-' && word[1] && (word[1] != '-' || word[2]);
}

/* A single letter is a short form, whatever it stands behind. */
static bool find_flag(const struct cmd *cmd, const char *name, size_t len, struct opt_ref *ret)
{
    coras_auto_free char *word = coras_asprintf("%s%.*s", len == 1 ? "-" : "--", (int)len, name);
    return word && opt_find_word(cmd, word, ret);
}

/*
 * Whether the last word is the value of a flag: 1 yes; 0 no. Then `*count` is without the flag's
 * own word, which could not be parsed yet.
 */
static int is_flag_value(completion *c, char **words, size_t *count, coras_error **err)
{
    const char *word = c->prefix, *equal = strchr(word, '=');
    bool joined = word[0] == '-' && equal;
    if (!joined) {
        if (word[0] == '-' || !*count || !is_flag_word(words[*count - 1]) ||
            strchr(words[*count - 1], '='))
            return 0;
        word = words[*count - 1];
        equal = word + strlen(word);
    }
    const char *name = coras_str_starts(word, "--") ? word + 2 : equal - 1;
    struct opt_ref ref;
    if (!find_flag(c->cmd, name, (size_t)(equal - name), &ref))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "Subcommand '%s' does not support flag '%.*s'", c->cmd->name,
                          (int)(equal - name), name);
    if (joined) {
        c->prefix = equal + 1;
        return 1;
    }
    if (ref.opt->kind == OPT_BOOL)
        return 0;
    (*count)--;
    return 1;
}

static int parse(completion *c, char **words, size_t count, coras_error **err)
{
    if (c->state)
        opt_clear_values(c->cmd, c->state);
    free(c->state);
    free(c->parsed.args);
    c->parsed = (struct opt_result){0};
    c->state = coras_calloc(1, c->cmd->state_size ? c->cmd->state_size : 1);
    if (!c->state)
        return coras_fail_no_memory(err);
    return opt_parse(c->cmd, words, count, c->state, &c->parsed, err);
}

/* Whether a `--` has ended the flags: then a further one counts as an argument. */
static bool flags_have_ended(completion *c, char **words, size_t count)
{
    static char end[] = "--";
    coras_auto_free char **more = coras_calloc(count + 2, sizeof(*more));
    if (!more)
        return false;
    for (size_t i = 0; i < count; i++)
        more[i] = words[i];
    more[count] = end;
    coras_auto(coras_error) ignored = NULL;
    size_t with = parse(c, more, count + 1, &ignored) == 0 ? c->parsed.nargs : 0;
    coras_auto(coras_error) again = NULL;
    return parse(c, words, count, &again) == 0 && with > c->parsed.nargs;
}

static int fail_parsing(char **words, size_t count, const coras_error *cause, coras_error **err)
{
    coras_auto_buf line = CORAS_BUF_UNLIMITED;
    for (size_t i = 0; i < count; i++)
        coras_buf_printf(&line, "%s%s", i ? " " : "", words[i]);
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                      "Error while parsing flags from args [%s]: %s", line.ptr,
                      coras_error_message(cause));
}

/* ---- all together ---- */

/* Arguments of the commands that know what they take. */
static bool complete_argument(completion *c)
{
    if (c->cmd == &cmd_help) {
        const struct cmd *topic = NULL;
        coras_auto_free char *path = NULL;
        coras_auto_free char **rest = NULL;
        size_t rest_len = 0;
        coras_auto(coras_error) unknown = NULL;
        if (cmd_find(c->program, c->parsed.args, c->parsed.nargs, &topic, &path, &rest, &rest_len,
                     &unknown) == 0)
            complete_commands(c, topic);
        return true;
    }
    return c->cmd->flags & CMD_NO_FILES;
}

static int complete_word(completion *c, char **words, size_t count, coras_error **err)
{
    coras_auto(coras_error) unknown_flag = NULL;
    coras_auto(coras_error) refused = NULL;
    size_t parsed = count;
    int value = is_flag_value(c, words, &parsed, &unknown_flag);
    bool ended = flags_have_ended(c, words, parsed);
    if (parse(c, words, parsed, &refused) < 0)
        return fail_parsing(words, parsed, refused, err);
    if (value < 0 && !ended) {
        coras_error_propagate(err, &unknown_flag);
        return value;
    }
    if (c->parsed.help)
        return COMPLETE_NO_FILES;
    if (value <= 0 && c->prefix[0] == '-' && !strchr(c->prefix, '=') && !ended) {
        complete_flags(c, true);
        if (!c->found)
            complete_flags(c, false);
        return COMPLETE_NO_FILES;
    }
    if (value > 0 && !ended)
        return COMPLETE_DEFAULT;
    bool commands = c->cmd->children && !c->parsed.nargs;
    if (commands)
        complete_commands(c, c->cmd);
    complete_flags(c, true);
    return complete_argument(c) || commands ? COMPLETE_NO_FILES : COMPLETE_DEFAULT;
}

static int fail_finding(char **words, size_t count, coras_error **err)
{
    coras_auto_buf line = CORAS_BUF_UNLIMITED;
    for (size_t i = 0; i < count; i++)
        coras_buf_printf(&line, "%s%s", i ? " " : "", words[i]);
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                      "unable to find a command for arguments: [%s]", line.ptr);
}

enum complete_directive complete_words(const char *program, char **words, size_t count,
                                       coras_buf *out, coras_error **problem)
{
    completion c = {.program = program, .prefix = words[count - 1], .out = out};
    coras_auto_free char *path = NULL;
    coras_auto_free char **rest = NULL;
    coras_auto(coras_error) unknown = NULL;
    size_t rest_len = 0;
    int rc = cmd_find(program, words, count - 1, &c.cmd, &path, &rest, &rest_len, &unknown);
    if (rc < 0) {
        (void)fail_finding(words, count - 1, problem);
        return COMPLETE_DEFAULT;
    }
    rc = complete_word(&c, rest, rest_len, problem);
    if (c.state)
        opt_clear_values(c.cmd, c.state);
    free(c.state);
    free(c.parsed.args);
    return rc == COMPLETE_NO_FILES ? COMPLETE_NO_FILES : COMPLETE_DEFAULT;
}
