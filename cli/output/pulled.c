/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files on their way into a directory, and the list of those that have arrived.
 */
#include "cli/output/pulled.h"

#include "base/alloc.h"
#include "base/error.h"
#include "cli/output/metadata.h"

struct display *download_display(struct call *call, const struct common_options *common,
                                 const struct format_options *format,
                                 const struct progress_options *progress)
{
    static const struct display_words words = {.start = "Downloading",
                                               .done = "Downloaded ",
                                               .exists = "Exists     ",
                                               .skipped = "Skipped    ",
                                               .restored = "Restored   ",
                                               .processing = "Processing ",
                                               .bar_done = "Pulled     ",
                                               .text_skipped = true};
    struct display_settings settings = {
        .words = &words,
        .quiet = format->kind != FORMAT_TEXT,
        .terse = !common->verbose.value,
    };

    display_choose(&settings, call, common, progress);
    return display_new(&settings);
}

int pulled_print_json(const struct target_options *target, const struct format_options *format,
                      const coras_pull_result *result, coras_error **err)
{
    char digest[CORAS_DIGEST_TEXT_MAX];

    coras_digest_format(&result->root.digest, digest);
    coras_auto_free char *reference = coras_asprintf("%s@%s", target->path, digest);
    if (!reference)
        return coras_fail_no_memory(err);
    coras_auto_buf json = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&json, METADATA_INDENT);
    coras_jw_object(&w);
    coras_jw_member(&w, "reference", reference);
    coras_jw_key(&w, "files");
    coras_jw_array(&w);
    for (size_t i = 0; i < result->file_count; i++) {
        coras_jw_object(&w);
        coras_jw_member(&w, "path", result->files[i].path);
        put_artifact_members(&w, target->path, &result->files[i].desc);
        coras_jw_end_object(&w);
    }
    coras_jw_end_array(&w);
    coras_jw_end_object(&w);
    return metadata_print(format, &json, err);
}
