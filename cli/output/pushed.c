/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The result of a push (pushed.h).
 */
#include "cli/output/pushed.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/output/metadata.h"

void pushed_headline(const struct target_options *target, const struct format_options *format)
{
    if (format->kind == FORMAT_TEXT)
        printf("Pushed [%s] %s\n", target_kind(target), target->raw);
}

/* Tags that now name the manifest, sorted. A push without reference counts as an empty tag, as
 * upstream has it. */
static int put_tags(coras_json_writer *w, const struct target_options *t, coras_error **err)
{
    coras_auto_value(coras_strlist) tags = {0};
    coras_digest digest;
    for (size_t i = 0; i <= t->extra_tags.len; i++) {
        const char *tag = i ? t->extra_tags.items[i - 1] : t->reference ? t->reference : "";
        if (coras_digest_parse(tag, &digest, NULL) == 0)
            continue;
        coras_auto_free char *name = coras_asprintf("%s:%s", t->path, tag);
        if (!name)
            return coras_fail_no_memory(err);
        CORAS_TRY(coras_strlist_add(&tags, name, err));
    }
    coras_strlist_sort(&tags);
    coras_jw_key(w, "referenceAsTags");
    coras_jw_array(w);
    for (size_t i = 0; i < tags.len; i++)
        coras_jw_string(w, tags.items[i]);
    coras_jw_end_array(w);
    return 0;
}

int pushed_print(const struct target_options *target, const struct format_options *format,
                 const char *artifact_type, const coras_descriptor *manifest, coras_error **err)
{
    coras_auto_buf json = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&json, METADATA_INDENT);
    char digest[CORAS_DIGEST_TEXT_MAX];

    if (format->kind == FORMAT_TEXT) {
        printf("ArtifactType: %s\nDigest: %s\n", artifact_type,
               coras_digest_format(&manifest->digest, digest));
        return 0;
    }
    coras_jw_object(&w);
    put_artifact_members(&w, target->path, manifest);
    CORAS_TRY(put_tags(&w, target, err));
    coras_jw_end_object(&w);
    return metadata_print(format, &json, err);
}
