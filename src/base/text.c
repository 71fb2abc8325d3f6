/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8, escaping for people, and Go's quoting (declared in str.h).
 */
#include "base/alloc.h"
#include "base/str.h"

#define REPLACEMENT 0xfffdu

/* Length of the sequence that `first` starts and the lowest code point it may stand for; 0: none.
 */
static size_t sequence_len(unsigned char first, uint32_t *ret_bits, uint32_t *ret_lowest)
{
    if (first < 0x80) {
        *ret_bits = first;
        *ret_lowest = 0;
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        *ret_bits = first & 0x1fu;
        *ret_lowest = 0x80;
        return 2;
    }
    if (first >= 0xe0 && first <= 0xef) {
        *ret_bits = first & 0x0fu;
        *ret_lowest = 0x800;
        return 3;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        *ret_bits = first & 0x07u;
        *ret_lowest = 0x10000;
        return 4;
    }
    return 0;
}

/* Bytes of the valid sequence at s, 0 when it is invalid or cut. */
static size_t decode_valid(const char *s, size_t len, uint32_t *ret)
{
    uint32_t cp, lowest;
    size_t n = sequence_len((unsigned char)s[0], &cp, &lowest);

    if (n == 0 || n > len)
        return 0;
    for (size_t i = 1; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if ((c & 0xc0) != 0x80)
            return 0;
        cp = cp << 6 | (c & 0x3fu);
    }
    if (cp < lowest || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
        return 0;
    *ret = cp;
    return n;
}

size_t coras_utf8_decode(const char *s, size_t len, uint32_t *ret)
{
    size_t n;

    if (len == 0)
        return 0;
    n = decode_valid(s, len, ret);
    if (n == 0) {
        *ret = REPLACEMENT;
        return 1;
    }
    return n;
}

bool coras_utf8_valid(const char *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint32_t cp;
        size_t n = decode_valid(s + i, len - i, &cp);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

size_t coras_utf8_encode(uint32_t cp, char text[static CORAS_UTF8_MAX])
{
    size_t n;

    if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
        cp = REPLACEMENT;
    if (cp < 0x80) {
        text[0] = (char)cp;
        n = 1;
    } else if (cp < 0x800) {
        text[0] = (char)(0xc0 | cp >> 6);
        n = 2;
    } else if (cp < 0x10000) {
        text[0] = (char)(0xe0 | cp >> 12);
        n = 3;
    } else {
        text[0] = (char)(0xf0 | cp >> 18);
        n = 4;
    }
    for (size_t i = 1; i < n; i++)
        text[i] = (char)(0x80 | (cp >> 6 * (n - 1 - i) & 0x3f));
    return n;
}

void coras_utf8_put(coras_buf *b, uint32_t cp)
{
    char text[CORAS_UTF8_MAX];

    coras_buf_put(b, text, coras_utf8_encode(cp, text));
}

/* Invisible characters, and those that change the direction or the lines of what follows. */
static bool deceives(uint32_t cp)
{
    return (cp >= 0x80 && cp < 0xa0) || cp == 0xad || cp == 0x61c || cp == 0x180e ||
           (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
           (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff || (cp >= 0xfff9 && cp <= 0xfffb) ||
           (cp >= 0xe0000 && cp <= 0xe0fff);
}

void coras_escape(coras_buf *b, const char *s, size_t len, size_t max)
{
    for (size_t i = 0; i < len;) {
        uint32_t cp;
        size_t n = decode_valid(s + i, len - i, &cp);
        size_t bytes = n ? n : 1;

        if (bytes > max - i) {
            coras_buf_puts(b, "…");
            return;
        }
        if (n == 0 || cp < 0x20 || cp == 0x7f)
            coras_buf_printf(b, "\\x%02x", (unsigned char)s[i]);
        else if (deceives(cp))
            coras_buf_printf(b, "\\u{%04x}", (unsigned)cp);
        else
            coras_buf_put(b, s + i, n);
        i += bytes;
    }
}

void coras_escape_lines(coras_buf *b, const char *s, size_t len)
{
    while (len) {
        size_t n = 0;
        while (n < len && s[n] != '\n' && s[n] != '\t')
            n++;
        coras_escape(b, s, n, n);
        if (n < len)
            coras_buf_putc(b, s[n++]);
        s += n;
        len -= n;
    }
}

static char *take_or_null(coras_buf *b)
{
    char *text;

    if (coras_buf_take(b, &text, NULL) < 0) {
        coras_buf_clear(b);
        return NULL;
    }
    return text;
}

char *coras_escape_dup(const char *s)
{
    coras_buf b = CORAS_BUF_UNLIMITED;
    size_t len = strlen(s);

    coras_escape(&b, s, len, len);
    return take_or_null(&b);
}
