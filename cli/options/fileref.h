/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `<file>[:<media type>]` arguments.
 */
#ifndef CORAS_CLI_OPTIONS_FILEREF_H
#define CORAS_CLI_OPTIONS_FILEREF_H

#include "base/common.h"

/*
 * Split at the last colon. *ret_path is new, *ret_type borrowed from `text` and "" when there is
 * none. Error: `found empty file path in "…"`.
 */
CORAS_MUST_CHECK int fileref_split(const char *text, char **ret_path, const char **ret_type,
                                   coras_error **err);

#endif
