/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Help texts, laid out as cobra does, made from the command tables.
 */
#ifndef CORAS_CLI_APP_HELP_H
#define CORAS_CLI_APP_HELP_H

#include "base/buf.h"
#include "cli/app/command.h"

/* The whole help of a command; `path` is "oras manifest fetch". */
void help_put(coras_buf *out, const struct cmd *cmd, const char *program, const char *path);
/* Usage, aliases, commands and flags only; `with_flags` false leaves the flags out. */
void help_put_usage(coras_buf *out, const struct cmd *cmd, const char *path, bool with_flags);
/* "push [flags] <name>…" behind the parent's path, without the "[flags]" that help adds. */
void help_put_use_line(coras_buf *out, const struct cmd *cmd, const char *path);

/* A text in which `<program>` stands for the program's name. */
void help_put_text(coras_buf *out, const char *text, const char *program);
/* Help text of an option with `<desc>` replaced, back quotes and all. */
void help_put_option_text(coras_buf *out, struct opt_ref ref);

/* Names near to a mistyped word, each as TAB, name, newline; nothing when none is near. */
void suggest_commands(const struct cmd *parent, const char *word, coras_buf *out);

#endif
