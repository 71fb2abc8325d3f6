/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text: views, character classes, escaping for people.
 */
#ifndef CORAS_BASE_STR_H
#define CORAS_BASE_STR_H

#include <string.h>
#include "base/buf.h"

typedef struct coras_str {
    const char *ptr;
    size_t len;
} coras_str;

#define CORAS_STR(literal) ((coras_str){(literal), sizeof(literal) - 1})
static inline coras_str coras_str_of(const char *s)
{
    return (coras_str){s, s ? strlen(s) : 0};
}
bool coras_str_eq(coras_str a, const char *b);
static inline bool coras_streq(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}
bool coras_str_starts(const char *s, const char *prefix);
bool coras_str_ends(const char *s, const char *suffix);
/* Like Go's strings.EqualFold for ASCII. */
bool coras_str_ieq(const char *a, const char *b);

/* ASCII classes, independent of the locale; c may be any char value. */
bool coras_is_lower(char c);
bool coras_is_upper(char c);
bool coras_is_digit(char c);
bool coras_is_alnum(char c);
bool coras_is_hex_lower(char c);
bool coras_is_hex(char c);
bool coras_is_space(char c);

/* Decimal, only digits, the whole text, 0 <= n <= INT64_MAX. */
bool coras_parse_int64(coras_str s, int64_t *ret);

/* strings.TrimSpace for ASCII blanks. */
coras_str coras_str_trim(coras_str s);

/* The first line of the rest, without its newline, which goes from the rest; false when nothing is
 * left. */
bool coras_str_next_line(coras_str *rest, coras_str *ret);

/* Whether the bytes are valid UTF-8 (no surrogates, no overlongs). */
bool coras_utf8_valid(const char *s, size_t len);
/* Decode one code point; returns bytes consumed, 0 at the end, and U+FFFD with 1 for a bad byte. */
size_t coras_utf8_decode(const char *s, size_t len, uint32_t *ret);
/* Write one; returns its bytes. What is no code point becomes U+FFFD. */
#define CORAS_UTF8_MAX 4
size_t coras_utf8_encode(uint32_t cp, char text[static CORAS_UTF8_MAX]);
void coras_utf8_put(coras_buf *b, uint32_t cp);

/*
 * Append text for human eyes: control characters, C1, DEL, bidi controls and invalid UTF-8 become
 * \xNN or \u{NNNN}; at most `max` bytes of input are shown, then "…". Newlines and tabs are escaped
 * as well. Required for every text that a registry, an archive or a file gave us.
 */
void coras_escape(coras_buf *b, const char *s, size_t len, size_t max);
/* The same as a new string; NULL when out of memory. */
char *coras_escape_dup(const char *s);
/* The same for a text of several lines: newlines and tabs stay. */
void coras_escape_lines(coras_buf *b, const char *s, size_t len);

/* Owned list of strings. */
typedef struct coras_strlist {
    char **items;
    size_t len, cap;
} coras_strlist;
void coras_strlist_clear(coras_strlist *l);
CORAS_MUST_CHECK int coras_strlist_add(coras_strlist *l, const char *s, coras_error **err);
CORAS_MUST_CHECK int coras_strlist_addn(coras_strlist *l, const char *s, size_t len,
                                        coras_error **err);
bool coras_strlist_has(const coras_strlist *l, const char *s);
void coras_strlist_sort(coras_strlist *l); /* byte order */
CORAS_DEFINE_AUTO_VALUE(coras_strlist, coras_strlist_clear)

#endif
