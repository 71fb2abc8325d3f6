/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The person at the terminal: prompts, secrets, confirmations, the size of the window.
 */
#ifndef CORAS_CLI_APP_TERMINAL_H
#define CORAS_CLI_APP_TERMINAL_H

#include "base/common.h"

/* All of stdin without one final newline (and one carriage return before it). Wipe with
 * coras_free_secret(). */
CORAS_MUST_CHECK int terminal_read_secret_all(char **ret, coras_error **err);
/* Print `prompt` on stdout and read one line; end of input gives "". */
CORAS_MUST_CHECK int terminal_ask(const char *prompt, char **ret, coras_error **err);
/* The same without echo when stdin is a terminal. */
CORAS_MUST_CHECK int terminal_ask_secret(const char *prompt, char **ret, coras_error **err);
/* "<question> [y/N] "; anything but y or yes prints "Operation cancelled." and is no. */
CORAS_MUST_CHECK int terminal_confirm(const char *question, bool *ret, coras_error **err);
/* Columns and rows of the terminal at stderr; 0 each when unknown. */
void terminal_size(unsigned *ret_width, unsigned *ret_height);

#endif
