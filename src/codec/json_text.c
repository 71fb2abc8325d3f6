/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON as text: re-indenting and compacting it without changing a number, an escape or the order of
 * keys (declared in json.h).
 */
#include "codec/json.h"

#include "base/error.h"
#include "codec/json_scan.h"

static void put_line_start(coras_buf *out, unsigned depth)
{
    size_t blanks = 2 * (size_t)depth;

    coras_buf_putc(out, '\n');
    if (!coras_buf_reserve(out, blanks))
        return;
    memset(out->ptr + out->len, ' ', blanks);
    out->len += blanks;
    out->ptr[out->len] = '\0';
}

static void put_indented(coras_buf *out, char c, enum coras_json_event ev,
                         const struct coras_json_scanner *s, bool *just_opened)
{
    if (ev == CORAS_JSON_EV_SPACE)
        return;
    if (*just_opened && ev != CORAS_JSON_EV_CLOSE)
        put_line_start(out, s->depth - (ev == CORAS_JSON_EV_OPEN));
    if (ev == CORAS_JSON_EV_CLOSE && !*just_opened)
        put_line_start(out, s->depth);
    *just_opened = ev == CORAS_JSON_EV_OPEN;
    coras_buf_putc(out, c);
    if (ev == CORAS_JSON_EV_COMMA)
        put_line_start(out, s->depth);
    if (ev == CORAS_JSON_EV_COLON)
        coras_buf_putc(out, ' ');
}

int coras_json_indent(const char *text, size_t len, coras_buf *out, coras_error **err)
{
    struct coras_json_scanner s;
    size_t start = out->len;
    bool just_opened = false;

    coras_json_scan_init(&s, err);
    for (size_t i = 0; i < len; i++) {
        enum coras_json_event ev = coras_json_scan_step(&s, text[i]);
        if (ev == CORAS_JSON_EV_ERROR) {
            coras_buf_truncate(out, start);
            return coras_json_scan_failed(&s);
        }
        put_indented(out, text[i], ev, &s, &just_opened);
    }
    int rc = coras_json_scan_finish(&s);
    if (rc < 0) {
        coras_buf_truncate(out, start);
        return rc;
    }
    return coras_buf_done(out, err);
}

int coras_json_compact(const char *text, size_t len, coras_buf *out, coras_error **err)
{
    struct coras_json_scanner s;
    size_t start = out->len;

    coras_json_scan_init(&s, err);
    for (size_t i = 0; i < len; i++) {
        enum coras_json_event ev = coras_json_scan_step(&s, text[i]);
        if (ev == CORAS_JSON_EV_ERROR) {
            coras_buf_truncate(out, start);
            return coras_json_scan_failed(&s);
        }
        if (ev != CORAS_JSON_EV_SPACE && ev != CORAS_JSON_EV_END_SPACE)
            coras_buf_putc(out, text[i]);
    }
    int rc = coras_json_scan_finish(&s);
    if (rc < 0) {
        coras_buf_truncate(out, start);
        return rc;
    }
    return coras_buf_done(out, err);
}

int coras_json_check(const char *text, size_t len, coras_error **err)
{
    struct coras_json_scanner s;

    if (!coras_str_trim((coras_str){text, len}).len)
        return coras_fail(err, CORAS_ERR_INVALID_JSON, "EOF");
    coras_json_scan_init(&s, err);
    for (size_t i = 0; i < len; i++)
        if (coras_json_scan_step(&s, text[i]) == CORAS_JSON_EV_ERROR)
            return coras_json_scan_failed(&s);
    s.err = NULL; /* a scanner of whole texts has other words for the end */
    return coras_json_scan_finish(&s) < 0
               ? coras_fail(err, CORAS_ERR_INVALID_JSON, "unexpected EOF")
               : 0;
}
