/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options as data. A table row names an option, its kind and the offset at which its value lands in
 * a zeroed per-run struct; groups of rows are shared between commands, once with a prefix
 * (`--from-` and `--to-` of cp). Parsing follows the rules of Go's pflag, with its messages.
 */
#ifndef CORAS_CLI_OPTIONS_OPTIONS_H
#define CORAS_CLI_OPTIONS_OPTIONS_H

#include <stddef.h>
#include "base/common.h"

struct cmd;

enum opt_kind {
    OPT_BOOL,   /* struct opt_bool; takes a value only with `=` */
    OPT_INT,    /* struct opt_int */
    OPT_STRING, /* struct opt_string */
    OPT_LIST,   /* struct opt_list, one value per use */
    OPT_SLICE   /* struct opt_list, values also split at commas (CSV) */
};

/* Values. `set` tells a flag that was given from one that has its default. */
struct opt_bool {
    bool value;
    bool set;
};
struct opt_int {
    int64_t value;
    bool set;
};
struct opt_string {
    const char *value; /* borrowed from argv or the table; never NULL after parsing */
    bool set;
};
struct opt_list {
    char **items; /* owned strings, NULL-terminated; NULL when empty */
    size_t len, cap;
    bool set;
};

enum opt_flags {
    OPT_HIDDEN = 1,     /* not in help and completion */
    OPT_DEPRECATED = 2, /* a use prints a warning */
    OPT_REQUIRED = 4,
    OPT_SECRET = 8 /* its value may hold a password: it is not to be seen in arguments */
};

struct opt {
    const char *name; /* NULL ends a table */
    char letter;      /* or 0; not used when the group has a prefix */
    unsigned char kind;
    unsigned char flags;
    size_t offset;       /* into the group's struct */
    const char *initial; /* default as text, shown in help; NULL: zero, "" or none */
    /* `<desc>` stands for the use's desc; a word in back quotes names the value. */
    const char *help;
    /* Refuse a value at parse time; message only, the caller adds which flag. May be NULL. */
    int (*check)(const char *value, coras_error **err);
};

/* A group within a command. */
struct opt_use {
    const struct opt *opts; /* NULL ends the list */
    size_t offset;          /* of the group's struct in the command's state */
    const char *prefix;     /* "from-" or NULL */
    const char *desc;       /* "source " or NULL */
};

/* One option of one command. */
struct opt_ref {
    const struct opt *opt;
    const struct opt_use *use;
};

/* Visit the options of a command in table order until `visit` returns false. */
void opt_each(const struct cmd *cmd, bool (*visit)(struct opt_ref ref, void *user), void *user);
/* Long name with prefix; new string, NULL when out of memory. */
char *opt_full_name(struct opt_ref ref);
/* The short form; 0 when there is none. */
char opt_letter(struct opt_ref ref);
bool opt_is_set(struct opt_ref ref, void *state);
/* The value inside the state. */
void *opt_value(struct opt_ref ref, void *state);
/* The option that a flag word names ("--output", "-o", "--output=x"); false when there is none. */
bool opt_find_word(const struct cmd *cmd, const char *word, struct opt_ref *ret);

/* What parsing leaves beside the values. `args` points into argv. */
struct opt_result {
    char **args;
    size_t nargs, cap;
    bool help;
    unsigned deprecated_uses; /* of options marked OPT_DEPRECATED */
};

CORAS_MUST_CHECK int opt_parse(const struct cmd *cmd, char **argv, size_t argc, void *state,
                               struct opt_result *ret, coras_error **err);
/* "required flag(s) "a", "b" not set", names in alphabetical order. */
CORAS_MUST_CHECK int opt_check_required(const struct cmd *cmd, void *state, coras_error **err);
/* Free what the lists in the state own. */
void opt_clear_values(const struct cmd *cmd, void *state);

CORAS_MUST_CHECK int opt_list_add(struct opt_list *list, const char *value, size_t len,
                                  coras_error **err);

#endif
