/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words and settings of an upload's display.
 */
#include "cli/output/upload_display.h"

struct display *upload_display(const struct common_options *common,
                               const struct format_options *format, const struct opt_bool *no_tty,
                               void (*headline)(void *user), void *user)
{
    static const struct display_words words = {.start = "Uploading",
                                               .done = "Uploaded ",
                                               .exists = "Exists   ",
                                               .skipped = "Skipped  ",
                                               .mounted = "Mounted  "};
    const struct display_settings settings = {
        .words = &words,
        .quiet = format && format->kind != FORMAT_TEXT,
        .terse = !common->verbose.value,
        .terminal = display_wants_terminal(no_tty->value, common->debug.value),
        .headline = headline,
        .user = user,
    };
    return display_new(&settings);
}
