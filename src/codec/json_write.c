/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing JSON the way Go's encoding/json does, byte for byte.
 */
#include "codec/json.h"

#include "base/alloc.h"
#include "base/error.h"
#include "gospell/float.h"

static void new_line(coras_json_writer *w)
{
    if (w->indent == 0)
        return;
    coras_buf_putc(w->out, '\n');
    for (int i = 0; i < w->depth; i++) {
        if (w->indent < 0)
            coras_buf_putc(w->out, '\t');
        else
            coras_buf_printf(w->out, "%*s", w->indent, "");
    }
}

/* What stands before a value or a key: comma and line break, unless it follows its key. */
static void begin_item(coras_json_writer *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->need_comma)
        coras_buf_putc(w->out, ',');
    if (w->depth > 0)
        new_line(w);
}

static void open_container(coras_json_writer *w, char c)
{
    begin_item(w);
    coras_buf_putc(w->out, c);
    w->depth++;
    w->need_comma = false;
}

static void close_container(coras_json_writer *w, char c)
{
    w->depth--;
    if (w->need_comma) /* it has content */
        new_line(w);
    coras_buf_putc(w->out, c);
    w->need_comma = true;
}

void coras_jw_object(coras_json_writer *w)
{
    open_container(w, '{');
}

void coras_jw_end_object(coras_json_writer *w)
{
    close_container(w, '}');
}

void coras_jw_array(coras_json_writer *w)
{
    open_container(w, '[');
}

void coras_jw_end_array(coras_json_writer *w)
{
    close_container(w, ']');
}

void coras_jw_key(coras_json_writer *w, const char *key)
{
    begin_item(w);
    coras_json_escape(w->out, key, strlen(key), w->keep_html);
    coras_buf_puts(w->out, w->indent ? ": " : ":");
    w->after_key = true;
}

void coras_jw_stringn(coras_json_writer *w, const char *s, size_t len)
{
    begin_item(w);
    coras_json_escape(w->out, s, len, w->keep_html);
    w->need_comma = true;
}

void coras_jw_string(coras_json_writer *w, const char *s)
{
    coras_jw_stringn(w, s, strlen(s));
}

void coras_jw_int(coras_json_writer *w, int64_t n)
{
    begin_item(w);
    coras_buf_printf(w->out, "%lld", (long long)n);
    w->need_comma = true;
}

void coras_jw_real(coras_json_writer *w, double n)
{
    begin_item(w);
    coras_go_float_json(w->out, n);
    w->need_comma = true;
}

static void literal(coras_json_writer *w, const char *text)
{
    begin_item(w);
    coras_buf_puts(w->out, text);
    w->need_comma = true;
}

void coras_jw_bool(coras_json_writer *w, bool b)
{
    literal(w, b ? "true" : "false");
}

void coras_jw_null(coras_json_writer *w)
{
    literal(w, "null");
}

void coras_jw_member(coras_json_writer *w, const char *key, const char *value)
{
    coras_jw_key(w, key);
    coras_jw_string(w, value);
}

void coras_jw_member_opt(coras_json_writer *w, const char *key, const char *value)
{
    if (value && *value)
        coras_jw_member(w, key, value);
}

void coras_jw_member_int(coras_json_writer *w, const char *key, int64_t value)
{
    coras_jw_key(w, key);
    coras_jw_int(w, value);
}

/* ---- parsed values ---- */

struct member {
    const char *key;
    const coras_json *value;
};

static int compare_members(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static void write_sorted_members(coras_json_writer *w, const coras_json *object)
{
    size_t count = coras_json_len(object), i = 0;
    coras_auto_free struct member *members = coras_calloc(count, sizeof(*members));
    void *iter = NULL;

    if (!members) {
        w->out->failed = CORAS_ERR_NO_MEMORY;
        return;
    }
    for (; i < count && coras_json_next(object, &iter, &members[i].key, &members[i].value);)
        i++;
    qsort(members, i, sizeof(*members), compare_members);
    for (size_t k = 0; k < i; k++) {
        coras_jw_key(w, members[k].key);
        coras_jw_value(w, members[k].value, true);
    }
}

static void write_object(coras_json_writer *w, const coras_json *v, bool sort_keys)
{
    const coras_json *value;
    const char *key;
    void *iter = NULL;

    coras_jw_object(w);
    if (sort_keys) {
        write_sorted_members(w, v);
    } else {
        while (coras_json_next(v, &iter, &key, &value)) {
            coras_jw_key(w, key);
            coras_jw_value(w, value, false);
        }
    }
    coras_jw_end_object(w);
}

static void write_number(coras_json_writer *w, const coras_json *v)
{
    int64_t n;
    double real = 0;

    if (coras_json_int(v, &n)) {
        coras_jw_int(w, n);
        return;
    }
    (void)coras_json_real(v, &real); /* the caller looked at the type */
    coras_jw_real(w, real);
}

/* Recursion is bounded: the parser refuses what is nested deeper than CORAS_LIMIT_JSON_DEPTH. */
void coras_jw_value(coras_json_writer *w, const coras_json *v, bool sort_keys)
{
    const char *text = "";
    bool b = false;

    switch (coras_json_type_of(v)) {
    case CORAS_JSON_NULL:
        coras_jw_null(w);
        break;
    case CORAS_JSON_BOOL:
        (void)coras_json_bool(v, &b);
        coras_jw_bool(w, b);
        break;
    case CORAS_JSON_INT:
    case CORAS_JSON_REAL:
        write_number(w, v);
        break;
    case CORAS_JSON_STRING:
        (void)coras_json_string(v, &text);
        coras_jw_string(w, text);
        break;
    case CORAS_JSON_ARRAY:
        coras_jw_array(w);
        for (size_t i = 0; i < coras_json_len(v); i++)
            coras_jw_value(w, coras_json_at(v, i), sort_keys);
        coras_jw_end_array(w);
        break;
    case CORAS_JSON_OBJECT:
        write_object(w, v, sort_keys);
        break;
    }
}

/* ---- strings ---- */

static bool escape_ascii(coras_buf *out, char c, bool keep_html)
{
    switch (c) {
    case '"':
    case '\\':
        coras_buf_printf(out, "\\%c", c);
        return true;
    case '\b':
        coras_buf_puts(out, "\\b");
        return true;
    case '\f':
        coras_buf_puts(out, "\\f");
        return true;
    case '\n':
        coras_buf_puts(out, "\\n");
        return true;
    case '\r':
        coras_buf_puts(out, "\\r");
        return true;
    case '\t':
        coras_buf_puts(out, "\\t");
        return true;
    case '<':
    case '>':
    case '&':
        if (keep_html)
            return false;
        coras_buf_printf(out, "\\u%04x", (unsigned char)c);
        return true;
    default:
        if ((unsigned char)c >= 0x20)
            return false;
        coras_buf_printf(out, "\\u%04x", (unsigned char)c);
        return true;
    }
}

/* Append what stands for the code point in JSON; false: its own bytes do. */
static bool escape_code_point(coras_buf *out, uint32_t cp, bool bad_byte, bool keep_html)
{
    if (cp < 0x80)
        return escape_ascii(out, (char)cp, keep_html);
    if (bad_byte) {
        coras_buf_puts(out, "\\ufffd");
        return true;
    }
    if (cp == 0x2028 || cp == 0x2029) { /* line ends in JavaScript */
        coras_buf_printf(out, "\\u%04x", (unsigned)cp);
        return true;
    }
    return false;
}

static bool is_plain_ascii(char c)
{
    return c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' &&
           c != '&';
}

void coras_json_escape(coras_buf *out, const char *s, size_t len, bool keep_html)
{
    size_t plain = 0; /* start of what was not copied yet */

    coras_buf_putc(out, '"');
    for (size_t i = 0; i < len;) {
        uint32_t cp;
        if (is_plain_ascii(s[i])) {
            i++;
            continue;
        }
        size_t n = coras_utf8_decode(s + i, len - i, &cp);
        coras_buf_put(out, s + plain, i - plain);
        plain = escape_code_point(out, cp, n == 1 && cp >= 0x80, keep_html) ? i + n : i;
        i += n;
    }
    coras_buf_put(out, s + plain, len - plain);
    coras_buf_putc(out, '"');
}
