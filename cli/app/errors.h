/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Failures as the user sees them: the fixed texts that several commands share, and the error line
 * with its prefix and hint. A message of the program may have several lines; hints come from the
 * library.
 */
#ifndef CORAS_CLI_APP_ERRORS_H
#define CORAS_CLI_APP_ERRORS_H

#include "cli/app/command.h"

/* Wrong number of arguments, by the command's min_args, max_args and role. */
CORAS_MUST_CHECK int fail_argument_count(const struct call *call, coras_error **err);
/* `<message>`, the usage line of the command, `<advice>`. */
CORAS_MUST_CHECK int fail_usage(const struct call *call, const char *message, const char *advice,
                                coras_error **err);
/* "--a, --b cannot be used at the same time" */
CORAS_MUST_CHECK int fail_exclusive(const char *a, const char *b, coras_error **err);

/* Print an error on stderr. */
void report_error(const struct call *call, const coras_error *error);

#endif
