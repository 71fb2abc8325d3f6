/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results through a Go template.
 */
#ifndef CORAS_CLI_OUTPUT_RENDER_H
#define CORAS_CLI_OUTPUT_RENDER_H

#include "base/buf.h"

/* Print `result`, a JSON document, by the template `source`. What was made before a failure is
 * printed too. */
CORAS_MUST_CHECK int render_template(const char *source, const coras_buf *result,
                                     coras_error **err);

#endif
