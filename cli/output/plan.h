/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What --dry-run prints.
 */
#ifndef CORAS_CLI_OUTPUT_PLAN_H
#define CORAS_CLI_OUTPUT_PLAN_H

#include "cli/options/optgroups.h"
#include "coras/plan.h"

/* A line for each content with what would happen to it, then the sum. `verb`: "pulled". */
CORAS_MUST_CHECK int plan_print_text(const coras_plan *plan, const char *verb, coras_error **err);

/* Of a pull, in the format that was asked for; JSON: {"reference", "digest", "files": [{"path",
 * "digest", "size", "action"}], "bytes"}. */
CORAS_MUST_CHECK int plan_print(const struct format_options *format, const coras_plan *plan,
                                const char *reference, const coras_digest *digest,
                                coras_error **err);

#endif
