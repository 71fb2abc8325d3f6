/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What --dry-run prints: lines for people, JSON for programs.
 */
#include "cli/output/plan.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/output/metadata.h"
#include "cli/output/text.h"

static const struct action_words {
    const char *line, *name;
} words[] = {
    [CORAS_PLAN_DOWNLOAD] = {"Download", "download"},
    [CORAS_PLAN_PRESENT] = {"Present ", "present"},
    [CORAS_PLAN_SKIP] = {"Skip    ", "skip"},
};

/* ---- text ---- */

/* What a person calls it: its path, else its media type. */
static void put_item(coras_buf *out, const coras_planned *item)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_auto_buf size = CORAS_BUF_UNLIMITED;
    coras_auto_free char *name = coras_escape_dup(item->path ? item->path : item->desc.media_type);

    put_size(&size, item->desc.size);
    coras_buf_printf(out, "%s %s %9s %s\n", words[item->action].line,
                     short_digest(&item->desc.digest, digest), size.ptr, name ? name : "");
}

int plan_print_text(const coras_plan *plan, const char *verb, coras_error **err)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED, size = CORAS_BUF_UNLIMITED;
    size_t count = 0;

    for (size_t i = 0; i < plan->len; i++) {
        put_item(&out, &plan->items[i]);
        count += plan->items[i].action == CORAS_PLAN_DOWNLOAD;
    }
    put_size(&size, plan->bytes);
    coras_buf_printf(&out, "Would be %s: %zu of %zu, %s\n", verb, count, plan->len, size.ptr);
    CORAS_TRY(coras_buf_done(&out, err));
    (void)fwrite(out.ptr, 1, out.len, stdout);
    return 0;
}

/* ---- JSON ---- */

static void put_path(coras_json_writer *w, const char *path)
{
    if (path) {
        coras_jw_member(w, "path", path);
        return;
    }
    coras_jw_key(w, "path");
    coras_jw_null(w);
}

static void put_json_item(coras_json_writer *w, const coras_planned *item)
{
    char digest[CORAS_DIGEST_TEXT_MAX];

    coras_jw_object(w);
    put_path(w, item->path);
    coras_jw_member(w, "digest", coras_digest_format(&item->desc.digest, digest));
    coras_jw_key(w, "size");
    coras_jw_int(w, item->desc.size);
    coras_jw_member(w, "action", words[item->action].name);
    coras_jw_end_object(w);
}

static int print_json(const struct format_options *format, const coras_plan *plan,
                      const char *reference, const coras_digest *digest, coras_error **err)
{
    char text[CORAS_DIGEST_TEXT_MAX];
    coras_auto_buf json = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&json, METADATA_INDENT);

    coras_jw_object(&w);
    coras_jw_member(&w, "reference", reference);
    coras_jw_member(&w, "digest", coras_digest_format(digest, text));
    coras_jw_key(&w, "files");
    coras_jw_array(&w);
    for (size_t i = 0; i < plan->len; i++)
        put_json_item(&w, &plan->items[i]);
    coras_jw_end_array(&w);
    coras_jw_key(&w, "bytes");
    coras_jw_int(&w, plan->bytes);
    coras_jw_end_object(&w);
    return metadata_print(format, &json, err);
}

int plan_print(const struct format_options *format, const coras_plan *plan, const char *reference,
               const coras_digest *digest, coras_error **err)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    if (format->kind != FORMAT_TEXT)
        return print_json(format, plan, reference, digest, err);
    CORAS_TRY(plan_print_text(plan, "pulled", err));
    printf("Digest: %s\n", coras_digest_format(digest, text));
    return 0;
}
