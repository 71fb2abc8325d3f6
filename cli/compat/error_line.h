/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compat: where the program says something only because upstream's does, and ours would say it
 * otherwise.
 *
 * error_line.h: upstream repeats a registry's own words alone, under a prefix that says so, and
 * leaves out what led there.
 */
#ifndef CORAS_CLI_COMPAT_ERROR_LINE_H
#define CORAS_CLI_COMPAT_ERROR_LINE_H

#include "cli/app/command.h"

#define ERROR_PREFIX "Error:" /* of failures that are told in our own words */

struct error_line {
    const char *prefix;  /* borrowed from the call, or static */
    const char *message; /* borrowed from the error */
};

/* What the error line of a command consists of, by the scope of the command and whose answer it
 * was. */
struct error_line error_line_of(const struct call *call, const coras_error *error);

#endif
