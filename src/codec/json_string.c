/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a string literal of JSON says (declared in json_string.h).
 */
#include "codec/json_string.h"

enum { REPLACEMENT = 0xfffd };

static uint32_t hex4(const char *s)
{
    uint32_t n = 0;

    for (int i = 0; i < 4; i++) {
        char c = s[i];
        uint32_t digit =
            coras_is_digit(c) ? (uint32_t)(c - '0') : (uint32_t)((c | 0x20) - 'a' + 10);
        n = n << 4 | digit;
    }
    return n;
}

/* \uXXXX at s (past the "\u"), with the second half of a pair; returns bytes consumed. */
static size_t decode_hex(const char *s, size_t len, uint32_t *ret, unsigned *flaws)
{
    uint32_t high = hex4(s);

    *ret = high;
    if (high >= 0xd800 && high <= 0xdbff && len >= 10 && s[4] == '\\' && s[5] == 'u') {
        uint32_t low = hex4(s + 6);
        if (low >= 0xdc00 && low <= 0xdfff) {
            *ret = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            return 10;
        }
    }
    if (high >= 0xd800 && high <= 0xdfff) {
        *ret = REPLACEMENT;
        *flaws |= CORAS_JSON_HAS_NO_UTF8;
    }
    return 4;
}

/* The escape at s (past the backslash); returns bytes consumed. */
static size_t decode_escape(const char *s, size_t len, uint32_t *ret, unsigned *flaws)
{
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";

    if (s[0] == 'u')
        return 1 + decode_hex(s + 1, len - 1, ret, flaws);
    const char *named = strchr(names, s[0]); /* the byte is no NUL: it was checked */
    *ret = (unsigned char)(named ? values[named - names] : s[0]);
    return 1;
}

size_t coras_json_decode(coras_str literal, char *out, unsigned *flaws)
{
    const char *s = literal.ptr + 1;
    size_t len = literal.len - 2, written = 0;

    for (size_t i = 0; i < len;) {
        char text[CORAS_UTF8_MAX];
        uint32_t cp;
        if (s[i] == '\\') {
            i += 1 + decode_escape(s + i + 1, len - i - 1, &cp, flaws);
        } else {
            size_t n = coras_utf8_decode(s + i, len - i, &cp);
            if (n == 1 && cp == REPLACEMENT)
                *flaws |= CORAS_JSON_HAS_NO_UTF8;
            i += n;
        }
        if (cp == 0)
            *flaws |= CORAS_JSON_HAS_NUL;
        size_t n = coras_utf8_encode(cp, text);
        memcpy(out + written, text, n);
        written += n;
    }
    out[written] = '\0';
    return written;
}
