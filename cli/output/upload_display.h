/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The display of the commands that upload: push, attach, blob push, manifest push.
 */
#ifndef CORAS_CLI_OUTPUT_UPLOAD_DISPLAY_H
#define CORAS_CLI_OUTPUT_UPLOAD_DISPLAY_H

#include "cli/options/optgroups.h"
#include "cli/output/display.h"

/* `format` NULL: text. `headline` is called once, before the first "Tagged" line; may be NULL. */
struct display *upload_display(struct call *call, const struct common_options *common,
                               const struct format_options *format,
                               const struct progress_options *progress,
                               void (*headline)(void *user), void *user);

#endif
