/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands that push an artifact print at their end.
 */
#ifndef CORAS_CLI_OUTPUT_PUSHED_H
#define CORAS_CLI_OUTPUT_PUSHED_H

#include "cli/options/targetref.h"

/* The headline, where the format is text. */
void pushed_headline(const struct target_options *target, const struct format_options *format);

/* Type and digest, or all of it as JSON or through the template. */
CORAS_MUST_CHECK int pushed_print(const struct target_options *target,
                                  const struct format_options *format, const char *artifact_type,
                                  const coras_descriptor *manifest, coras_error **err);

#endif
