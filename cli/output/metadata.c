/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results and descriptors as JSON.
 */
#include "cli/output/metadata.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "cli/output/annotations.h"
#include "cli/output/render.h"

void put_descriptor_members(coras_json_writer *w, const coras_descriptor *d)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_jw_member(w, "mediaType", d->media_type ? d->media_type : "");
    coras_jw_member(w, "digest", coras_digest_format(&d->digest, digest));
    coras_jw_member_int(w, "size", d->size);
    if (d->annotations.len) {
        coras_jw_key(w, "annotations");
        put_annotations(w, &d->annotations);
    }
    coras_jw_member_opt(w, "artifactType", d->artifact_type);
}

void put_artifact_members(coras_json_writer *w, const char *path, const coras_descriptor *d)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_auto_buf reference = CORAS_BUF_UNLIMITED;
    coras_buf_printf(&reference, "%s@%s", path, coras_digest_format(&d->digest, digest));
    coras_jw_member(w, "reference", reference.ptr);
    put_descriptor_members(w, d);
}

int metadata_print(const struct format_options *format, coras_buf *result, coras_error **err)
{
    CORAS_TRY(coras_buf_done(result, err));
    if (format->kind != FORMAT_TEMPLATE) {
        fwrite(result->ptr, 1, result->len, stdout);
        fputc('\n', stdout);
        return 0;
    }
    return render_template(format->template_source, result, err);
}

int content_print(const char *text, size_t len, bool pretty, coras_error **err)
{
    if (!pretty) {
        fwrite(text, 1, len, stdout);
        return 0;
    }
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    int rc = coras_json_indent(text, len, &out, err);
    if (rc < 0)
        return coras_wrap(err, rc, "failed to prettify");
    CORAS_TRY(coras_buf_done(&out, err));
    fwrite(out.ptr, 1, out.len, stdout);
    fputc('\n', stdout);
    return 0;
}

int descriptor_print(const coras_descriptor *d, bool pretty, coras_error **err)
{
    coras_auto_free char *text = NULL;
    CORAS_TRY(coras_descriptor_to_json(d, &text, err));
    return content_print(text, strlen(text), pretty, err);
}
