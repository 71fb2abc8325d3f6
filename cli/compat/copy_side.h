/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which end of a copy upstream's error line names. It is not always the end that failed
 * (coras_error_side()): a credential that is missing is the source's until the source was found,
 * and much has no name.
 */
#ifndef CORAS_CLI_COMPAT_COPY_SIDE_H
#define CORAS_CLI_COMPAT_COPY_SIDE_H

#include "cli/options/targetref.h"

/* `resolved`: the source's reference was found. NULL when upstream names neither. */
const struct target_options *copy_failed_side(const struct target_options *from_end,
                                              const struct target_options *to_end, bool resolved,
                                              const coras_error *error);

#endif
