/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The style of a scalar is chosen in two steps, as the library does it: what type would the plain
 * text be read as, and which characters stand in the way of a style. Names follow libyaml's
 * analysis.
 */
#include "cli/output/yaml.h"

#include <math.h>
#include <stdlib.h>

#include "base/str.h"

enum style { STYLE_PLAIN, STYLE_SINGLE, STYLE_DOUBLE, STYLE_LITERAL };

#define BLOCK_INDENT 4

/* ---- what plain text would be read as ---- */

static bool is_one_of(const char *s, const char *const *words)
{
    for (; *words; words++)
        if (coras_streq(s, *words))
            return true;
    return false;
}

static bool is_keyword(const char *s)
{
    static const char *const words[] = {
        "",      "~",     "null",  "Null",  "NULL",  "true",  "True",  "TRUE",
        "false", "False", "FALSE", ".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",
        ".INF",  "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", NULL,
    };
    return is_one_of(s, words);
}

static bool is_old_boolean(const char *s)
{
    static const char *const words[] = {
        "y", "Y",  "yes", "Yes", "YES", "on",  "On",  "ON", "n",
        "N", "no", "No",  "NO",  "off", "Off", "OFF", NULL,
    };
    return is_one_of(s, words);
}

static const char *skip_sign(const char *s)
{
    return *s == '+' || *s == '-' ? s + 1 : s;
}

static const char *skip_digits(const char *s)
{
    while (coras_is_digit(*s))
        s++;
    return s;
}

static bool only(const char *s, const char *allowed)
{
    return *s && s[strspn(s, allowed)] == '\0';
}

/* Integers in all bases, with underscores. */
static bool is_integer(const char *s)
{
    const char *digits = skip_sign(s);
    if (digits[0] == '0' && (digits[1] | 0x20) == 'x')
        return only(digits + 2, "0123456789abcdefABCDEF_");
    if (digits[0] == '0' && (digits[1] | 0x20) == 'o')
        return only(digits + 2, "01234567_");
    if (digits[0] == '0' && (digits[1] | 0x20) == 'b')
        return only(digits + 2, "01_");
    return coras_is_digit(*digits) && only(digits, "0123456789_");
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool is_float_form(const char *s)
{
    const char *at = skip_sign(s);
    const char *whole = skip_digits(at);
    bool digits = whole > at;
    at = whole;
    if (*at == '.') {
        const char *fraction = skip_digits(at + 1);
        digits = digits || fraction > at + 1;
        at = fraction;
    }
    if (!digits)
        return false;
    if (*at == 'e' || *at == 'E') {
        const char *exponent = skip_sign(at + 1);
        at = skip_digits(exponent);
        if (at == exponent)
            return false;
    }
    return *at == '\0';
}

/* Underscores between digits do not count; what is too large for a float is text. */
static bool is_float(const char *s)
{
    coras_auto_buf plain = CORAS_BUF_UNLIMITED;
    bool underscores = coras_is_digit(*skip_sign(s));
    for (const char *at = s; *at; at++)
        if (*at != '_' || !underscores)
            coras_buf_putc(&plain, *at);
    return coras_buf_done(&plain, NULL) == 0 && is_float_form(plain.ptr) &&
           isfinite(strtod(plain.ptr, NULL));
}

/* Between `least` and `most` digits. */
static const char *take_digits(const char *s, size_t least, size_t most)
{
    size_t n = (size_t)(skip_digits(s) - s);
    return n >= least && n <= most ? s + n : NULL;
}

/* A number of one or two digits, from `least` to `most`, behind `before` (0: nothing). */
static const char *take_number(const char *s, char before, int least, int most, int *ret)
{
    if (!s || (before && *s++ != before))
        return NULL;
    const char *end = take_digits(s, 1, 2);
    if (!end)
        return NULL;
    *ret = end - s == 1 ? s[0] - '0' : (s[0] - '0') * 10 + s[1] - '0';
    return *ret >= least && *ret <= most ? end : NULL;
}

/* 15:4:5.999 */
static const char *take_time_of_day(const char *s)
{
    int ignored;
    const char *at = take_number(s, 0, 0, 23, &ignored);
    at = take_number(at, ':', 0, 59, &ignored);
    at = take_number(at, ':', 0, 59, &ignored);
    if (at && *at == '.' && coras_is_digit(at[1]))
        at = skip_digits(at + 1);
    return at;
}

/* Z or +07:00 */
static bool is_zone(const char *s)
{
    int ignored;
    if (coras_streq(s, "Z"))
        return true;
    if (strlen(s) != sizeof("+07:00") - 1)
        return false;
    const char *at = *s == '+' || *s == '-' ? take_number(s + 1, 0, 0, 24, &ignored) : NULL;
    at = take_number(at, ':', 0, 59, &ignored);
    return at && *at == '\0';
}

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* 2006-1-2, alone, with a time, or with a time and a zone behind a T. */
static bool is_timestamp(const char *s)
{
    int month = 0, day = 0;
    const char *at = take_digits(s, 4, 4);
    int year = at ? (s[0] - '0') * 1000 + (s[1] - '0') * 100 + (s[2] - '0') * 10 + s[3] - '0' : 0;
    at = take_number(at, '-', 1, 12, &month);
    at = take_number(at, '-', 1, 31, &day);
    if (!at || day > days_of(year, month))
        return false;
    if (*at == '\0')
        return true;
    bool with_zone = *at == 'T' || *at == 't';
    if (!with_zone && *at != ' ')
        return false;
    at = take_time_of_day(at + 1);
    return at && (with_zone ? is_zone(at) : *at == '\0');
}

/* 12:30 was a number in base 60 once. */
static bool is_base60(const char *s)
{
    const char *at = skip_sign(s);
    if (!coras_is_digit(*at))
        return false;
    at += strspn(at, "0123456789_");
    if (*at != ':')
        return false;
    while (*at == ':') {
        const char *digits = at + 1;
        at = take_digits(digits, 1, 2);
        if (!at || (at - digits == 2 && *digits > '5'))
            return false;
    }
    if (*at == '.')
        at += 1 + strspn(at + 1, "0123456789_");
    return *at == '\0';
}

static bool reads_as_other_type(const char *s)
{
    return is_keyword(s) || is_integer(s) || is_float(s) || is_timestamp(s);
}

/* ---- which characters are in the way ---- */

struct analysis {
    bool plain, single, block; /* allowed */
    bool multiline;
};

/* The direction of what follows must not change: text that shows as another deceives. */
static bool is_direction_control(uint32_t c)
{
    return c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

static bool is_printable(uint32_t c)
{
    if (is_direction_control(c))
        return false;
    return c == '\n' || (c >= 0x20 && c <= 0x7e) || (c >= 0xa0 && c <= 0xd7ff) ||
           (c >= 0xe000 && c <= 0xfffd && c != 0xfeff);
}

/* A character that is special at its place. */
static bool is_indicator(char c, bool first, bool after_blank, bool before_blank)
{
    if (first && c && strchr("#,[]{}&*!|>'\"%@`", c))
        return true;
    if (first && (c == '?' || c == '-'))
        return before_blank;
    if (c == ':')
        return before_blank;
    return c == '#' && after_blank;
}

static bool is_blank_or_end(char c)
{
    return c == '\0' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Tabs apart, which only lines of their own may have. */
static bool has_special(const char *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint32_t c = 0;
        size_t n = coras_utf8_decode(s + i, len - i, &c);
        if ((c != '\t' && !is_printable(c)) || (c == 0xfffd && n == 1))
            return true;
        i += n;
    }
    return false;
}

static struct analysis analyse(const char *s)
{
    size_t len = strlen(s);
    bool indicators = coras_str_starts(s, "---") || coras_str_starts(s, "...");
    bool break_space = false, space_break = false;
    bool multiline = strchr(s, '\n') != NULL;
    for (size_t i = 0; i < len; i++) {
        bool after_blank = i == 0 || is_blank_or_end(s[i - 1]);
        indicators =
            indicators || is_indicator(s[i], i == 0, after_blank, is_blank_or_end(s[i + 1]));
        break_space = break_space || (s[i] == ' ' && i > 0 && s[i - 1] == '\n');
        space_break = space_break || (s[i] == '\n' && i > 0 && s[i - 1] == ' ');
    }
    bool bad = space_break || has_special(s, len);
    bool tabs = strchr(s, '\t') != NULL;
    bool edges = len && (is_blank_or_end(s[0]) || is_blank_or_end(s[len - 1]));
    return (struct analysis){
        .plain = !bad && !tabs && !edges && !multiline && !indicators,
        .single = !bad && !tabs && !break_space,
        .block = !bad && !(len && s[len - 1] == ' ') && !only(s, " \t\n"),
        .multiline = multiline,
    };
}

static enum style choose_style(const char *s, bool is_key)
{
    struct analysis a = analyse(s);
    enum style style = STYLE_PLAIN;
    if (a.multiline)
        style = STYLE_LITERAL;
    else if (reads_as_other_type(s))
        style = STYLE_DOUBLE;
    else if (is_old_boolean(s) || is_base60(s) || coras_streq(s, "<<"))
        style = STYLE_SINGLE;
    if (style == STYLE_LITERAL && (is_key || !a.block))
        return STYLE_DOUBLE;
    if (style == STYLE_PLAIN && !a.plain)
        style = STYLE_SINGLE;
    return style == STYLE_SINGLE && !a.single ? STYLE_DOUBLE : style;
}

/* ---- writing ---- */

static void put_single(coras_buf *out, const char *s)
{
    coras_buf_putc(out, '\'');
    for (; *s; s++) {
        if (*s == '\'')
            coras_buf_putc(out, '\'');
        coras_buf_putc(out, *s);
    }
    coras_buf_putc(out, '\'');
}

static void put_escape(coras_buf *out, uint32_t c)
{
    static const struct {
        uint32_t c;
        char letter;
    } short_forms[] = {
        {0x07, 'a'}, {0x08, 'b'}, {0x09, 't'},   {0x0a, 'n'},   {0x0b, 'v'},
        {0x0c, 'f'}, {0x0d, 'r'}, {0x1b, 'e'},   {'"', '"'},    {'\\', '\\'},
        {0x85, 'N'}, {0xa0, '_'}, {0x2028, 'L'}, {0x2029, 'P'},
    };
    for (size_t i = 0; i < CORAS_ARRAY_LEN(short_forms); i++) {
        if (short_forms[i].c == c) {
            coras_buf_printf(out, "\\%c", short_forms[i].letter);
            return;
        }
    }
    if (c <= 0xff)
        coras_buf_printf(out, "\\x%02X", c);
    else if (c <= 0xffff)
        coras_buf_printf(out, "\\u%04X", c);
    else
        coras_buf_printf(out, "\\U%08X", c);
}

static void put_double(coras_buf *out, const char *s)
{
    size_t len = strlen(s);
    coras_buf_putc(out, '"');
    for (size_t i = 0; i < len;) {
        uint32_t c = 0;
        size_t n = coras_utf8_decode(s + i, len - i, &c);
        if (!is_printable(c) || c == '"' || c == '\\' || c == '\n')
            put_escape(out, c);
        else
            coras_utf8_put(out, c);
        i += n;
    }
    coras_buf_putc(out, '"');
}

/* The tree cuts blanks and empty lines off the end of a pair. */
static size_t trimmed_length(const char *s, size_t len)
{
    while (len && is_blank_or_end(s[len - 1]))
        len--;
    return len;
}

static void put_literal(coras_buf *out, const char *s)
{
    size_t len = strlen(s);
    const char *end = s + trimmed_length(s, len);
    coras_buf_putc(out, '|');
    if (s[0] == ' ')
        coras_buf_printf(out, "%d", BLOCK_INDENT);
    if (s[len - 1] != '\n')
        coras_buf_putc(out, '-');
    else if (len == 1 || s[len - 2] == '\n')
        coras_buf_putc(out, '+');
    for (const char *line = s; line < end;) {
        size_t n = strcspn(line, "\n");
        if (line + n > end)
            n = (size_t)(end - line);
        coras_buf_putc(out, '\n');
        if (n)
            coras_buf_printf(out, "%*s%.*s", BLOCK_INDENT, "", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

static void put_scalar(coras_buf *out, const char *s, bool is_key)
{
    switch (choose_style(s, is_key)) {
    case STYLE_PLAIN:
        coras_buf_puts(out, s);
        return;
    case STYLE_SINGLE:
        put_single(out, s);
        return;
    case STYLE_DOUBLE:
        put_double(out, s);
        return;
    case STYLE_LITERAL:
        put_literal(out, s);
        return;
    }
}

void put_yaml_pair(coras_buf *out, const char *key, const char *value)
{
    put_scalar(out, key, true);
    coras_buf_puts(out, ": ");
    put_scalar(out, value, false);
}
