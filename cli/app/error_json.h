/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A failure as one JSON object, for programs that act on its code and not on its words.
 */
#ifndef CORAS_CLI_APP_ERROR_JSON_H
#define CORAS_CLI_APP_ERROR_JSON_H

#include "cli/app/command.h"
#include "cli/compat/error_line.h"

/* Whether --error-format or --progress ask for that. */
bool wants_error_json(const struct call *call);
/* On stderr, as the last line; false when memory is short, and nothing was printed. */
bool print_error_json(const struct error_line *line, const coras_error *error);

#endif
