/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parsing flags as pflag does: its forms, its order, its error messages.
 */
#include "cli/options/options.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "base/vec.h"
#include "cli/app/command.h"
#include "cli/options/values.h"
#include "gospell/quote.h"

static const struct opt help_option = {"help", 'h', OPT_BOOL, OPT_HIDDEN, 0, NULL, NULL, NULL};
static const struct opt_use no_group = {0};

void opt_each(const struct cmd *cmd, bool (*visit)(struct opt_ref ref, void *user), void *user)
{
    for (const struct opt_use *use = cmd->options; use && use->opts; use++)
        for (const struct opt *opt = use->opts; opt->name; opt++)
            if (!visit((struct opt_ref){opt, use}, user))
                return;
}

char *opt_full_name(struct opt_ref ref)
{
    return coras_asprintf("%s%s", ref.use->prefix ? ref.use->prefix : "", ref.opt->name);
}

void *opt_value(struct opt_ref ref, void *state)
{
    return (char *)state + ref.use->offset + ref.opt->offset;
}

char opt_letter(struct opt_ref ref)
{
    return ref.use->prefix ? '\0' : ref.opt->letter;
}

/* ---- looking up ---- */

struct lookup {
    coras_str name;
    char letter; /* looked for instead of the name when not 0 */
    struct opt_ref found;
};

static bool match_option(struct opt_ref ref, void *user)
{
    struct lookup *lookup = user;
    if (lookup->letter) {
        if (opt_letter(ref) != lookup->letter)
            return true;
        lookup->found = ref;
        return false;
    }
    const char *prefix = ref.use->prefix ? ref.use->prefix : "";
    size_t prefix_len = strlen(prefix);
    if (lookup->name.len < prefix_len || memcmp(lookup->name.ptr, prefix, prefix_len) != 0)
        return true;
    coras_str rest = {lookup->name.ptr + prefix_len, lookup->name.len - prefix_len};
    if (!coras_str_eq(rest, ref.opt->name))
        return true;
    lookup->found = ref;
    return false;
}

static bool find_option(const struct cmd *cmd, coras_str name, char letter, struct opt_ref *ret)
{
    struct lookup lookup = {.name = name, .letter = letter};
    opt_each(cmd, match_option, &lookup);
    if (!lookup.found.opt && (letter ? letter == 'h' : coras_str_eq(name, "help")))
        lookup.found = (struct opt_ref){&help_option, &no_group};
    *ret = lookup.found;
    return lookup.found.opt != NULL;
}

bool opt_find_word(const struct cmd *cmd, const char *word, struct opt_ref *ret)
{
    if (coras_str_starts(word, "--")) {
        size_t len = strcspn(word + 2, "=");
        return find_option(cmd, (coras_str){word + 2, len}, '\0', ret);
    }
    if (word[0] != '-' || !word[1])
        return false;
    return find_option(cmd, (coras_str){0}, word[strlen(word) - 1], ret);
}

/* ---- values ---- */

int opt_list_add(struct opt_list *list, const char *value, size_t len, coras_error **err)
{
    if (coras_vec_grow(list, 2) < 0)
        return coras_fail_no_memory(err);
    char *copy = coras_strndup(value, len);
    if (!copy)
        return coras_fail_no_memory(err);
    list->items[list->len++] = copy;
    list->items[list->len] = NULL;
    return 0;
}

static int add_to_list(void *user, const char *field, size_t len, coras_error **err)
{
    return opt_list_add(user, field, len, err);
}

static int set_value(struct opt_ref ref, const char *value, void *state, coras_error **err)
{
    void *slot = opt_value(ref, state);
    if (ref.opt->check)
        CORAS_TRY(ref.opt->check(value, err));
    switch ((enum opt_kind)ref.opt->kind) {
    case OPT_BOOL: {
        struct opt_bool *v = slot;
        CORAS_TRY(value_parse_bool(value, &v->value, err));
        v->set = true;
        return 0;
    }
    case OPT_INT: {
        struct opt_int *v = slot;
        CORAS_TRY(value_parse_int(value, &v->value, err));
        v->set = true;
        return 0;
    }
    case OPT_STRING: {
        struct opt_string *v = slot;
        *v = (struct opt_string){value, true};
        return 0;
    }
    case OPT_LIST: {
        struct opt_list *v = slot;
        v->set = true;
        return opt_list_add(v, value, strlen(value), err);
    }
    case OPT_SLICE: {
        struct opt_list *v = slot;
        v->set = true;
        return value_split_csv(value, add_to_list, v, err);
    }
    }
    return coras_fail(err, CORAS_ERR_INTERNAL, "unknown kind of option %s", ref.opt->name);
}

/* The value, with pflag's words around a refusal. */
static int set_option(struct opt_ref ref, const char *value, void *state, struct opt_result *result,
                      coras_error **err)
{
    if (ref.opt == &help_option) {
        bool wanted = false;
        coras_auto(coras_error) cause = NULL;
        if (value_parse_bool(value, &wanted, &cause) == 0) {
            result->help = wanted;
            return 0;
        }
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "invalid argument \"%s\" for \"-h, --help\" flag: %s", value,
                          coras_error_message(cause));
    }
    if (ref.opt->flags & OPT_DEPRECATED)
        result->deprecated_uses++;
    coras_auto(coras_error) cause = NULL;
    int rc = set_value(ref, value, state, &cause);
    if (rc == 0)
        return 0;
    coras_auto_free char *quoted = coras_go_quote_dup(value);
    coras_auto_free char *name = opt_full_name(ref);
    if (!quoted || !name)
        return coras_fail_no_memory(err);
    char letter = opt_letter(ref);
    if (letter)
        return coras_fail(err, rc, "invalid argument %s for \"-%c, --%s\" flag: %s", quoted, letter,
                          name, coras_error_message(cause));
    return coras_fail(err, rc, "invalid argument %s for \"--%s\" flag: %s", quoted, name,
                      coras_error_message(cause));
}

/* ---- parsing ---- */

struct parser {
    const struct cmd *cmd;
    char **words;
    size_t count, next;
    void *state;
    struct opt_result *result;
};

static int parse_long(struct parser *p, const char *word, coras_error **err)
{
    const char *name = word + 2;
    if (*name == '-' || *name == '=')
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "bad flag syntax: %s", word);
    size_t len = strcspn(name, "=");
    struct opt_ref ref;
    if (!find_option(p->cmd, (coras_str){name, len}, '\0', &ref))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "unknown flag: --%.*s", (int)len, name);
    if (name[len] == '=')
        return set_option(ref, name + len + 1, p->state, p->result, err);
    if (ref.opt->kind == OPT_BOOL)
        return set_option(ref, "true", p->state, p->result, err);
    if (p->next == p->count)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "flag needs an argument: --%s", name);
    return set_option(ref, p->words[p->next++], p->state, p->result, err);
}

/* A letter as Go's %q prints a rune that was one byte. */
static void put_letter(coras_buf *out, char letter)
{
    coras_buf_putc(out, '\'');
    if (letter == '\'' || letter == '\\')
        coras_buf_putc(out, '\\');
    coras_utf8_put(out, (unsigned char)letter);
    coras_buf_putc(out, '\'');
}

static int fail_letter(const char *what, char letter, const char *group, coras_error **err)
{
    coras_auto_buf quoted = CORAS_BUF_UNLIMITED;
    put_letter(&quoted, letter);
    CORAS_TRY(coras_buf_done(&quoted, err));
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "%s: %s in -%s", what, quoted.ptr, group);
}

/* A group of letters; the last may take a value. */
static int parse_short(struct parser *p, const char *group, coras_error **err)
{
    for (const char *at = group; *at; at++) {
        struct opt_ref ref;
        if (!find_option(p->cmd, (coras_str){0}, *at, &ref))
            return fail_letter("unknown shorthand flag", *at, at, err);
        if (at[1] == '=' && at[2])
            return set_option(ref, at + 2, p->state, p->result, err);
        if (ref.opt->kind == OPT_BOOL) {
            CORAS_TRY(set_option(ref, "true", p->state, p->result, err));
            continue;
        }
        if (at[1])
            return set_option(ref, at + 1, p->state, p->result, err);
        if (p->next == p->count)
            return fail_letter("flag needs an argument", *at, at, err);
        return set_option(ref, p->words[p->next++], p->state, p->result, err);
    }
    return 0;
}

static int add_argument(struct opt_result *result, char *word, coras_error **err)
{
    if (coras_vec_grow_raw((void **)&result->args, &result->cap, result->nargs, 2,
                           sizeof(*result->args)) < 0)
        return coras_fail_no_memory(err);
    result->args[result->nargs++] = word;
    result->args[result->nargs] = NULL;
    return 0;
}

static int parse_words(struct parser *p, coras_error **err)
{
    while (p->next < p->count) {
        char *word = p->words[p->next++];
        if (word[0] != '-' || !word[1]) {
            CORAS_TRY(add_argument(p->result, word, err));
        } else if (word[1] != '-') {
            CORAS_TRY(parse_short(p, word + 1, err));
        } else if (word[2]) {
            CORAS_TRY(parse_long(p, word, err));
        } else {
            while (p->next < p->count)
                CORAS_TRY(add_argument(p->result, p->words[p->next++], err));
        }
    }
    return 0;
}

static bool set_initial(struct opt_ref ref, void *state)
{
    const char *text = ref.opt->initial;
    void *slot = opt_value(ref, state);
    if (ref.opt->kind == OPT_STRING)
        ((struct opt_string *)slot)->value = text ? text : "";
    else if (ref.opt->kind == OPT_INT && text)
        (void)value_parse_int(text, &((struct opt_int *)slot)->value, NULL); /* our own table */
    else if (ref.opt->kind == OPT_BOOL && text)
        ((struct opt_bool *)slot)->value = coras_streq(text, "true");
    return true;
}

int opt_parse(const struct cmd *cmd, char **argv, size_t argc, void *state, struct opt_result *ret,
              coras_error **err)
{
    struct parser parser = {
        .cmd = cmd, .words = argv, .count = argc, .state = state, .result = ret};
    opt_each(cmd, set_initial, state);
    if (cmd->flags & CMD_RAW_ARGS) {
        for (size_t i = 0; i < argc; i++)
            CORAS_TRY(add_argument(ret, argv[i], err));
        return 0;
    }
    return parse_words(&parser, err);
}

/* ---- after parsing ---- */

bool opt_is_set(struct opt_ref ref, void *state)
{
    const void *slot = opt_value(ref, state);
    switch ((enum opt_kind)ref.opt->kind) {
    case OPT_BOOL:
        return ((const struct opt_bool *)slot)->set;
    case OPT_INT:
        return ((const struct opt_int *)slot)->set;
    case OPT_STRING:
        return ((const struct opt_string *)slot)->set;
    case OPT_LIST:
    case OPT_SLICE:
        return ((const struct opt_list *)slot)->set;
    }
    return false;
}

struct required {
    void *state;
    coras_strlist missing;
    int rc;
    coras_error **err;
};

static bool note_missing(struct opt_ref ref, void *user)
{
    struct required *required = user;
    if (!(ref.opt->flags & OPT_REQUIRED) || opt_is_set(ref, required->state))
        return true;
    required->rc = coras_strlist_add(&required->missing, ref.opt->name, required->err);
    return required->rc == 0;
}

int opt_check_required(const struct cmd *cmd, void *state, coras_error **err)
{
    struct required required = {.state = state, .err = err};
    opt_each(cmd, note_missing, &required);
    coras_auto_value(coras_strlist) missing = required.missing;
    CORAS_TRY(required.rc);
    if (missing.len == 0)
        return 0;
    coras_strlist_sort(&missing);
    coras_auto_buf names = CORAS_BUF_UNLIMITED;
    for (size_t i = 0; i < missing.len; i++)
        coras_buf_printf(&names, "%s\"%s\"", i ? ", " : "", missing.items[i]);
    CORAS_TRY(coras_buf_done(&names, err));
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "required flag(s) %s not set", names.ptr);
}

static bool free_value(struct opt_ref ref, void *state)
{
    if (ref.opt->kind != OPT_LIST && ref.opt->kind != OPT_SLICE)
        return true;
    struct opt_list *list = opt_value(ref, state);
    for (size_t i = 0; i < list->len; i++)
        coras_free_secret(list->items[i]); /* custom headers may carry secrets */
    free(list->items);
    *list = (struct opt_list){0};
    return true;
}

void opt_clear_values(const struct cmd *cmd, void *state)
{
    opt_each(cmd, free_value, state);
}
