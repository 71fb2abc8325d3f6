/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli: the program. Commands are data: one table entry is the only source for parsing, help and
 * completion. A command parses its options, calls the library and hands the result to output/.
 */
#ifndef CORAS_CLI_APP_COMMAND_H
#define CORAS_CLI_APP_COMMAND_H

#include "coras/client.h"
#include "cli/options/options.h"

struct call;
struct report;

/* One `Example - <what>:` block. Every line of `lines` is a command without the program's name; a
 * line that starts with `$ ` is printed as it stands. */
struct example {
    const char *what; /* NULL ends a list */
    const char *lines;
};

enum cmd_flags {
    CMD_HIDDEN = 1,        /* not in lists and suggestions */
    CMD_PLAIN_USAGE = 2,   /* no " [flags]" is added to the usage line */
    CMD_RAW_ARGS = 4,      /* options are not parsed (completion requests) */
    CMD_NO_SUGGESTION = 8, /* listed, but never suggested for a mistyped word */
    CMD_NO_FILES = 16      /* no argument is a file (completion) */
};

#define ARGS_ANY SIZE_MAX

struct cmd {
    const char *name;
    const char *use; /* what follows the name in the usage line; NULL: nothing */
    const char *summary;
    const char *about;                 /* first paragraph of help; NULL: summary */
    const struct example *examples;    /* or NULL */
    const char *const *aliases;        /* NULL-terminated, or NULL */
    const struct cmd *const *children; /* of a group, in registration order; NULL-terminated */
    const struct opt_use *options;     /* or NULL */
    size_t state_size;                 /* bytes of the zeroed struct that option values land in */
    size_t min_args, max_args;         /* ARGS_ANY: no bound */
    const char *role;                  /* of the arguments, for the argument count error; NULL:
                                          unexpected arguments are an unknown command */
    unsigned flags;
    /* Before the arguments are counted; may be NULL. */
    int (*check_args)(struct call *call, coras_error **err);
    /* Checks that precede those of required flags; may be NULL. */
    int (*prepare)(struct call *call, coras_error **err);
    /* Returns 0 or a negative code with *err set. NULL for groups. */
    int (*run)(struct call *call, coras_error **err);
    void (*clear)(void *state); /* frees what prepare and run left in the state; may be NULL */
};

/* Which failures are reported as the registry's own (the prefix of the error line). */
enum error_scope {
    SCOPE_LOCAL = 0, /* none */
    SCOPE_RESPONSES, /* error responses of the registry's host */
    SCOPE_TARGET     /* these, and "not found" */
};

/* One run of one command. */
struct call {
    const char *program; /* the name that the program was called with: "coras" or "oras" */
    const struct cmd *cmd;
    char *path;  /* owned: "oras manifest fetch" */
    char **args; /* NULL-terminated */
    size_t nargs;
    void *state;
    coras_cancel *cancel;
    int exit_code; /* of a run that succeeded: 0, or what its result means for a script */

    enum error_scope scope;
    char *registry;        /* owned: host of the target, for the error prefix; or NULL */
    char *error_prefix;    /* owned: replaces "Error:"; or NULL */
    struct report *report; /* owned: progress for programs, once it has begun; or NULL */
    char *auth_file;       /* owned: the one credential file that was asked; or NULL */
};

/* The whole program: returns the exit code. */
int cli_run(const char *program, int argc, char **argv, coras_cancel *cancel);

/* The command that words name, as cobra finds it: *ret is never NULL. `rest` receives the words
 * without those that named the command (new array of borrowed strings), `ret_path` the command
 * path. An unknown word below the root gives the error "unknown command". */
CORAS_MUST_CHECK int cmd_find(const char *program, char **words, size_t count,
                              const struct cmd **ret, char **ret_path, char ***rest,
                              size_t *rest_len, coras_error **err);
/* Child by name or alias, or NULL. */
const struct cmd *cmd_child(const struct cmd *parent, const char *name);

extern const struct cmd cmd_root;

#endif
