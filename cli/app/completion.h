/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shell completion: the words that may follow a line so far, from the command tables; and the
 * scripts by which four shells ask for them.
 */
#ifndef CORAS_CLI_APP_COMPLETION_H
#define CORAS_CLI_APP_COMPLETION_H

#include "base/buf.h"
#include "cli/app/command.h"

/* What the shell may do beside the words given (cobra's directives). */
enum complete_directive { COMPLETE_DEFAULT = 0, COMPLETE_NO_FILES = 4 };

/* Candidates for the last of `words` (at least one), one per line, "word TAB description".
 * *problem: why there are none, for who debugs a script. */
enum complete_directive complete_words(const char *program, char **words, size_t count,
                                       coras_buf *out, coras_error **problem);

/* Script for "bash", "zsh", "fish" or "powershell"; NULL for another name. `<program>` stands for
 * the program, `<request>` for the hidden command that it calls. */
const char *completion_script(const char *shell);

#endif
