/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words and settings of an upload's display.
 */
#include "cli/output/upload_display.h"

struct display *upload_display(struct call *call, const struct common_options *common,
                               const struct format_options *format,
                               const struct progress_options *progress,
                               void (*headline)(void *user), void *user)
{
    static const struct display_words words = {.start = "Uploading",
                                               .done = "Uploaded ",
                                               .exists = "Exists   ",
                                               .skipped = "Skipped  ",
                                               .mounted = "Mounted  "};
    struct display_settings settings = {
        .words = &words,
        .quiet = format && format->kind != FORMAT_TEXT,
        .terse = !common->verbose.value,
        .headline = headline,
        .user = user,
    };
    display_choose(&settings, call, common, progress);
    return display_new(&settings);
}
