/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding the three spellings of text in pickles.
 */
#include "model/pickle_text.h"

static int hex_value(char c)
{
    if (coras_is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* `digits` hexadecimal ones at the front of *at, which moves behind them. */
static bool take_hex(coras_str *at, size_t digits, uint32_t *ret)
{
    uint32_t value = 0;

    if (at->len < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        int digit = hex_value(at->ptr[i]);
        if (digit < 0)
            return false;
        value = value << 4 | (uint32_t)digit;
    }
    *at = (coras_str){at->ptr + digits, at->len - digits};
    *ret = value;
    return true;
}

static uint32_t take_octal(coras_str *at)
{
    uint32_t value = 0;
    for (int i = 0; i < 3 && at->len > 0 && at->ptr[0] >= '0' && at->ptr[0] <= '7'; i++) {
        value = value << 3 | (uint32_t)(at->ptr[0] - '0');
        *at = (coras_str){at->ptr + 1, at->len - 1};
    }
    return value & 0xff;
}

/* Behind a backslash in a Python 2 literal. */
static bool take_escape(coras_buf *out, coras_str *at)
{
    static const char names[] = "abfnrtv\\'\"", values[] = "\a\b\f\n\r\t\v\\'\"";
    uint32_t value = 0;

    if (at->len == 0)
        return false;
    char c = at->ptr[0];
    const char *simple = c ? strchr(names, c) : NULL;
    if (c >= '0' && c <= '7') {
        value = take_octal(at);
    } else {
        *at = (coras_str){at->ptr + 1, at->len - 1};
        if (simple)
            value = (uint32_t)values[simple - names];
        else if (c != 'x' || !take_hex(at, 2, &value))
            return false;
    }
    if (value == 0 || value > 0x7f)
        return false;
    coras_buf_putc(out, (char)value);
    return true;
}

static bool decode_quoted(coras_buf *out, coras_str raw)
{
    raw = coras_str_trim(raw);
    if (raw.len < 2 || (raw.ptr[0] != '\'' && raw.ptr[0] != '"') ||
        raw.ptr[raw.len - 1] != raw.ptr[0])
        return false;
    for (coras_str at = {raw.ptr + 1, raw.len - 2}; at.len > 0;) {
        char c = at.ptr[0];
        at = (coras_str){at.ptr + 1, at.len - 1};
        if (c != '\\')
            coras_buf_putc(out, c);
        else if (!take_escape(out, &at))
            return false;
    }
    return true;
}

static bool decode_escaped(coras_buf *out, coras_str at)
{
    while (at.len > 0) {
        char c = at.ptr[0], next = at.len > 1 ? at.ptr[1] : '\0';
        uint32_t cp = 0;
        at = (coras_str){at.ptr + 1, at.len - 1};
        if ((unsigned char)c >= 0x80)
            return false;
        if (c != '\\' || (next != 'u' && next != 'U')) {
            coras_buf_putc(out, c);
            continue;
        }
        at = (coras_str){at.ptr + 1, at.len - 1};
        if (!take_hex(&at, next == 'u' ? 4 : 8, &cp) || cp == 0)
            return false;
        coras_utf8_put(out, cp);
    }
    return true;
}

bool coras_pickle_text_decode(coras_buf *out, enum coras_pickle_spelling spelling, coras_str raw)
{
    if (raw.len > 0 && memchr(raw.ptr, '\0', raw.len))
        return false;
    if (spelling == CORAS_PICKLE_QUOTED)
        return decode_quoted(out, raw);
    if (spelling == CORAS_PICKLE_ESCAPED)
        return decode_escaped(out, raw);
    coras_buf_put(out, raw.ptr, raw.len);
    return true;
}
