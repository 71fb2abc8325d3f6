/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drawing referrers as a tree, and listing them as a table.
 */
#include "cli/output/tree.h"

#include "base/alloc.h"
#include "codec/json.h"
#include "base/limits.h"
#include "base/str.h"
#include "cli/output/annotations.h"
#include "cli/output/metadata.h"
#include "cli/output/yaml.h"

#define COLOR_DIGEST     "\x1b[32m"
#define COLOR_TYPE       "\x1b[93m"
#define COLOR_ANNOTATION "\x1b[90m"
#define COLOR_OFF        "\x1b[0m"
#define TABLE_LEAST      13 /* width of the heading "Artifact Type" */

/* ---- tree ---- */

struct drawing {
    coras_buf *out;
    const struct tree_style *style;
    coras_buf indent; /* pieces in front of the current level */
};

/* Draw the piece in front of a line and the indent of what is below it; returns the length to give
 * to leave_item. */
static size_t enter_item(struct drawing *d, bool last)
{
    size_t before = d->indent.len;
    coras_buf_puts(d->out, d->indent.ptr);
    coras_buf_puts(d->out, last ? "└── " : "├── ");
    coras_buf_puts(&d->indent, last ? "    " : "│   ");
    return before;
}

static void leave_item(struct drawing *d, size_t before)
{
    coras_buf_truncate(&d->indent, before);
}

static void put_colored(struct drawing *d, const char *color, const char *text)
{
    if (d->style->colors)
        coras_buf_printf(d->out, "%s%s" COLOR_OFF "\n", color, text);
    else
        coras_buf_printf(d->out, "%s\n", text);
}

/* Control characters in values are escaped by YAML's own quoting. */
static void draw_annotations(struct drawing *d, const coras_annotations *annotations, bool last)
{
    size_t len = annotations->len;
    coras_auto_free const coras_annotation **sorted = sorted_annotations(annotations);
    if (!sorted)
        return;
    size_t outer = enter_item(d, last);
    put_colored(d, COLOR_ANNOTATION, "[annotations]");
    for (size_t i = 0; i < len; i++) {
        size_t inner = enter_item(d, i + 1 == len);
        put_yaml_pair(d->out, sorted[i]->key, sorted[i]->value);
        coras_buf_putc(d->out, '\n');
        leave_item(d, inner);
    }
    leave_item(d, outer);
}

static const char *type_of(const coras_referrer *r)
{
    const char *type = r->desc.artifact_type;
    return type && *type ? type : "<unknown>";
}

/* Whether an earlier sibling has the same type, or (with `digest`) is the same manifest. */
static bool seen_before(const coras_referrer *parent, size_t index, bool digest)
{
    for (size_t i = 0; i < index; i++) {
        const coras_referrer *a = &parent->items[i], *b = &parent->items[index];
        if (coras_streq(type_of(a), type_of(b)) &&
            (!digest || coras_digest_equal(&a->desc.digest, &b->desc.digest)))
            return true;
    }
    return false;
}

static void draw_groups(struct drawing *d, const coras_referrer *parent);

static void draw_manifest(struct drawing *d, const coras_referrer *r, bool last)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    size_t before = enter_item(d, last);
    put_colored(d, COLOR_DIGEST, coras_digest_format(&r->desc.digest, digest));
    if (d->style->annotations && r->desc.annotations.len)
        draw_annotations(d, &r->desc.annotations, r->len == 0);
    draw_groups(d, r);
    leave_item(d, before);
}

/* Index of the next sibling of one type at or behind `from`; len when there is none. */
static size_t next_of_type(const coras_referrer *parent, const char *type, size_t from)
{
    while (from < parent->len &&
           (!coras_streq(type_of(&parent->items[from]), type) || seen_before(parent, from, true)))
        from++;
    return from;
}

static void draw_group(struct drawing *d, const coras_referrer *parent, const char *type, bool last)
{
    coras_auto_free char *shown = coras_escape_dup(type);
    size_t before = enter_item(d, last);
    put_colored(d, COLOR_TYPE, shown ? shown : "");
    for (size_t i = next_of_type(parent, type, 0); i < parent->len;) {
        size_t next = next_of_type(parent, type, i + 1);
        draw_manifest(d, &parent->items[i], next == parent->len);
        i = next;
    }
    leave_item(d, before);
}

/* Index of the next sibling that is the first of its type. */
static size_t next_group(const coras_referrer *parent, size_t from)
{
    while (from < parent->len && seen_before(parent, from, false))
        from++;
    return from;
}

static void draw_groups(struct drawing *d, const coras_referrer *parent)
{
    for (size_t i = 0; i < parent->len;) {
        size_t next = next_group(parent, i + 1);
        draw_group(d, parent, type_of(&parent->items[i]), next == parent->len);
        i = next;
    }
}

void tree_put(coras_buf *out, const char *path, const coras_referrer *root,
              const struct tree_style *style)
{
    struct drawing drawing = {.out = out, .style = style, .indent = CORAS_BUF_UNLIMITED};
    coras_auto_buf title = CORAS_BUF_UNLIMITED;
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_buf_printf(&title, "%s@%s", path, coras_digest_format(&root->desc.digest, digest));
    put_colored(&drawing, COLOR_DIGEST, title.ptr);
    draw_groups(&drawing, root);
    coras_buf_clear(&drawing.indent);
}

/* ---- table ---- */

static int put_body(coras_buf *out, const coras_descriptor *d, coras_error **err)
{
    coras_json_writer w = CORAS_JSON_WRITER(out, 2);
    coras_jw_object(&w);
    put_descriptor_members(&w, d);
    coras_jw_end_object(&w);
    coras_buf_putc(out, '\n');
    return coras_buf_done(out, err);
}

int table_put(coras_buf *out, const char *raw, const coras_referrer *root, bool bodies,
              coras_error **err)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_buf_printf(out, "Discovered %zu artifact%s referencing %s\nDigest: %s\n", root->len,
                     root->len == 1 ? "" : "s", raw,
                     coras_digest_format(&root->desc.digest, digest));
    if (!root->len)
        return coras_buf_done(out, err);
    size_t width = TABLE_LEAST;
    for (size_t i = 0; i < root->len; i++) {
        const char *type = root->items[i].desc.artifact_type;
        size_t len = type ? strlen(type) : 0;
        width = len > width ? len : width;
    }
    coras_buf_printf(out, "\n%-*s   Digest\n", (int)width, "Artifact Type");
    for (size_t i = 0; i < root->len; i++) {
        const coras_descriptor *d = &root->items[i].desc;
        coras_auto_buf type = CORAS_BUF_UNLIMITED;
        if (d->artifact_type)
            coras_escape(&type, d->artifact_type, strlen(d->artifact_type), CORAS_LIMIT_PATH);
        coras_buf_printf(out, "%-*s   %s\n", (int)width, type.ptr,
                         coras_digest_format(&d->digest, digest));
        if (bodies)
            CORAS_TRY(put_body(out, d, err));
    }
    return coras_buf_done(out, err);
}
