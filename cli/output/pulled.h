/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What commands show that bring files into a directory.
 */
#ifndef CORAS_CLI_OUTPUT_PULLED_H
#define CORAS_CLI_OUTPUT_PULLED_H

#include "cli/options/targetref.h"
#include "cli/output/display.h"
#include "coras/ops.h"

/* Downloads as status lines or bars; NULL when out of memory. */
struct display *download_display(struct call *call, const struct common_options *common,
                                 const struct format_options *format,
                                 const struct progress_options *progress);

/* `reference` and `files` as JSON, or through the template. */
CORAS_MUST_CHECK int pulled_print_json(const struct target_options *target,
                                       const struct format_options *format,
                                       const coras_pull_result *result, coras_error **err);

#endif
