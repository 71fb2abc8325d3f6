/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and quoted text, read as the Go compiler and its package strconv read them. */
#include "gotemplate/literal.h"

#include <errno.h>
#include <math.h>

static int digit_value(char c)
{
    if (coras_is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* Underscores only between digits, or between a prefix and a digit. */
static bool underscores_ok(coras_str s, bool prefixed)
{
    bool after_digit = prefixed;

    for (size_t i = 0; i < s.len; i++) {
        bool digit = digit_value(s.ptr[i]) < 16;
        if (s.ptr[i] == '_' && (!after_digit || i + 1 == s.len || digit_value(s.ptr[i + 1]) > 15))
            return false;
        after_digit = digit;
    }
    return true;
}

static int base_of_prefix(coras_str *s)
{
    static const struct {
        char letter;
        int base;
    } prefixes[] = {{'x', 16}, {'o', 8}, {'b', 2}};

    if (s->len < 2 || s->ptr[0] != '0')
        return 10;
    for (size_t i = 0; i < 3; i++)
        if ((s->ptr[1] | 0x20) == prefixes[i].letter && s->len > 2) {
            *s = gotmpl_sub(*s, 2, s->len);
            return prefixes[i].base;
        }
    *s = gotmpl_sub(*s, 1, s->len);
    return 8;
}

enum gotmpl_parsed gotmpl_parse_uint(coras_str s, int base, uint64_t *ret)
{
    bool any_base = base == 0, overflow = false;
    size_t whole = s.len;
    uint64_t n = 0;

    *ret = 0;
    if (s.len == 0)
        return GOTMPL_BAD_SYNTAX;
    if (any_base) {
        base = base_of_prefix(&s);
        if (!underscores_ok(s, s.len != whole))
            return GOTMPL_BAD_SYNTAX;
    }
    for (size_t i = 0; i < s.len; i++) {
        int digit;
        if (s.ptr[i] == '_' && any_base)
            continue;
        digit = digit_value(s.ptr[i]);
        if (digit >= base)
            return GOTMPL_BAD_SYNTAX;
        overflow |= __builtin_mul_overflow(n, (uint64_t)base, &n) ||
                    __builtin_add_overflow(n, (uint64_t)digit, &n);
    }
    *ret = overflow ? UINT64_MAX : n;
    return overflow ? GOTMPL_OUT_OF_RANGE : GOTMPL_PARSED;
}

enum gotmpl_parsed gotmpl_parse_int(coras_str s, int base, int64_t *ret)
{
    bool negative = s.len && s.ptr[0] == '-';
    uint64_t n, limit = negative ? (uint64_t)1 << 63 : (uint64_t)INT64_MAX;
    enum gotmpl_parsed parsed;

    *ret = 0;
    if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+'))
        s = gotmpl_sub(s, 1, s.len);
    parsed = gotmpl_parse_uint(s, base, &n);
    if (parsed == GOTMPL_BAD_SYNTAX)
        return parsed;
    if (n > limit) {
        n = limit;
        parsed = GOTMPL_OUT_OF_RANGE;
    }
    *ret = negative ? (int64_t)(0 - n) : (int64_t)n;
    return parsed;
}

/* Digits with at most one point, then an exponent (obligatory for hexadecimal). */
static bool float_syntax(const char *s)
{
    bool hex, digits = false;

    if (*s == '+' || *s == '-')
        s++;
    hex = s[0] == '0' && (s[1] | 0x20) == 'x';
    s += hex ? 2 : 0;
    for (bool point = false; digit_value(*s) < (hex ? 16 : 10) || (*s == '.' && !point); s++) {
        point |= *s == '.';
        digits |= *s != '.';
    }
    if (!digits)
        return false;
    if ((*s | 0x20) != (hex ? 'p' : 'e'))
        return *s == '\0' && !hex;
    s++;
    if (*s == '+' || *s == '-')
        s++;
    if (!coras_is_digit(*s))
        return false;
    while (coras_is_digit(*s))
        s++;
    return *s == '\0';
}

static bool parse_special(const char *s, double *ret)
{
    bool negative = *s == '-';

    if (*s == '+' || *s == '-')
        s++;
    if (coras_str_ieq(s, "inf") || coras_str_ieq(s, "infinity"))
        *ret = negative ? -INFINITY : INFINITY;
    else if (coras_str_ieq(s, "nan"))
        *ret = NAN;
    else
        return false;
    return true;
}

enum gotmpl_parsed gotmpl_parse_float(coras_str s, double *ret)
{
    enum { LONGEST = 1100 }; /* no double needs more digits to be told from its neighbours */
    char text[LONGEST + 1];
    size_t len = 0;

    *ret = 0;
    if (s.len == 0 || s.len > LONGEST || memchr(s.ptr, 0, s.len))
        return GOTMPL_BAD_SYNTAX;
    if (memchr(s.ptr, '_', s.len) && !underscores_ok(s, false))
        return GOTMPL_BAD_SYNTAX;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != '_')
            text[len++] = s.ptr[i];
    text[len] = '\0';
    if (parse_special(text, ret))
        return GOTMPL_PARSED;
    if (!float_syntax(text))
        return GOTMPL_BAD_SYNTAX;
    *ret = strtod(text, NULL);
    return isinf(*ret) ? GOTMPL_OUT_OF_RANGE : GOTMPL_PARSED;
}

/* The value of `count` digits; false when they are not all there. */
static bool digits_value(coras_str *s, size_t count, int base, uint32_t *ret)
{
    uint32_t n = 0;

    if (s->len < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        int digit = digit_value(s->ptr[i]);
        if (digit >= base)
            return false;
        n = n * (uint32_t)base + (uint32_t)digit;
    }
    *s = gotmpl_sub(*s, count, s->len);
    *ret = n;
    return true;
}

/* After a backslash. *ret_byte: a byte as such, not a code point. */
static bool unescape(coras_str *s, char quote, uint32_t *ret, bool *ret_byte)
{
    static const char letters[] = "abtnvfr";
    const char *named;
    char c;

    if (s->len == 0)
        return false;
    c = s->ptr[0];
    *ret_byte = false;
    if (c >= '0' && c <= '7') {
        *ret_byte = true;
        return digits_value(s, 3, 8, ret) && *ret <= 0xff;
    }
    *s = gotmpl_sub(*s, 1, s->len);
    if (c == 'x') {
        *ret_byte = true;
        return digits_value(s, 2, 16, ret);
    }
    if (c == 'u' || c == 'U')
        return digits_value(s, c == 'u' ? 4 : 8, 16, ret) && *ret <= 0x10ffff &&
               !(*ret >= 0xd800 && *ret < 0xe000);
    named = c ? strchr(letters, c) : NULL;
    *ret = named ? (uint32_t)('\a' + (named - letters)) : (unsigned char)c;
    return named || c == '\\' || c == quote;
}

/* One character of a literal. */
static bool unquote_char(coras_str *s, char quote, uint32_t *ret, bool *ret_byte)
{
    size_t len;

    *ret_byte = false;
    if (s->len == 0 || s->ptr[0] == quote)
        return false;
    if (s->ptr[0] == '\\') {
        *s = gotmpl_sub(*s, 1, s->len);
        return unescape(s, quote, ret, ret_byte);
    }
    len = coras_utf8_decode(s->ptr, s->len, ret);
    *s = gotmpl_sub(*s, len, s->len);
    return true;
}

static coras_str unquote_raw(struct gotmpl_arena *a, coras_str s)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);

    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != '\r')
            gotmpl_putc(&t, s.ptr[i]);
    return gotmpl_text_str(&t);
}

bool gotmpl_unquote(struct gotmpl_arena *a, coras_str s, coras_str *ret)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);
    char quote = s.ptr[0];

    s = gotmpl_sub(s, 1, s.len - 1);
    if (quote == '`') {
        *ret = unquote_raw(a, s);
        return true;
    }
    while (s.len) {
        uint32_t c;
        bool byte;
        const char *from = s.ptr;
        if (!unquote_char(&s, quote, &c, &byte))
            return false;
        if (byte)
            gotmpl_putc(&t, (char)c);
        else if (*from != '\\')
            gotmpl_put(&t, from, (size_t)(s.ptr - from)); /* invalid UTF-8 stays as it is */
        else
            gotmpl_put_rune(&t, c);
    }
    *ret = gotmpl_text_str(&t);
    return true;
}

static coras_str complain(struct gotmpl_arena *a, const char *what, coras_str s)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);

    gotmpl_puts(&t, what);
    gotmpl_put_quoted(&t, s, '"', false);
    return gotmpl_text_str(&t);
}

static bool parse_char(struct gotmpl_arena *a, coras_str s, struct gotmpl_number *ret,
                       coras_str *message)
{
    coras_str rest = gotmpl_sub(s, 1, s.len);
    uint32_t c;
    bool byte;

    if (!unquote_char(&rest, '\'', &c, &byte)) {
        *message = CORAS_STR("invalid syntax");
        return false;
    }
    if (!coras_str_eq(rest, "'")) {
        *message = gotmpl_format(a, "malformed character constant: %.*s", (int)s.len, s.ptr);
        return false;
    }
    *ret = (struct gotmpl_number){
        .is_int = true, .is_uint = true, .is_float = true, .i = c, .u = c, .f = c};
    return true;
}

static bool has_float_mark(coras_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (strchr(".eEpP", s.ptr[i]))
            return true;
    return false;
}

/* A float that is a whole number can stand for an integer as well. */
static void note_whole(struct gotmpl_number *n)
{
    n->is_float = true;
    if (n->f >= -0x1p63 && n->f < 0x1p63 && (double)(int64_t)n->f == n->f) {
        n->is_int = true;
        n->i = (int64_t)n->f;
    }
    if (n->f >= 0 && n->f < 0x1p64 && (double)(uint64_t)n->f == n->f) {
        n->is_uint = true;
        n->u = (uint64_t)n->f;
    }
}

static bool parse_as_float(struct gotmpl_arena *a, coras_str s, struct gotmpl_number *n,
                           coras_str *message)
{
    if (gotmpl_parse_float(s, &n->f) != GOTMPL_PARSED)
        return true;
    if (!has_float_mark(s)) {
        *message = complain(a, "integer overflow: ", s);
        return false;
    }
    note_whole(n);
    return true;
}

bool gotmpl_parse_number(struct gotmpl_arena *a, coras_str s, struct gotmpl_number *ret,
                         coras_str *message)
{
    struct gotmpl_number n = {0};

    if (s.ptr[0] == '\'')
        return parse_char(a, s, ret, message);
    n.is_uint = gotmpl_parse_uint(s, 0, &n.u) == GOTMPL_PARSED;
    n.is_int = gotmpl_parse_int(s, 0, &n.i) == GOTMPL_PARSED;
    if (n.is_int && n.i == 0)
        n.is_uint = true;
    if (n.is_int || n.is_uint) {
        n.is_float = true;
        n.f = n.is_int ? (double)n.i : (double)n.u;
    } else if (!parse_as_float(a, s, &n, message)) {
        return false;
    }
    if (!n.is_int && !n.is_uint && !n.is_float) {
        *message = complain(a, "illegal number syntax: ", s);
        return false;
    }
    *ret = n;
    return true;
}
