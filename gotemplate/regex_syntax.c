/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading an expression as Go's regexp/syntax does, with its complaints, and writing it for PCRE2.
 * Every construct is written out anew, characters by number, so that nothing that only PCRE2 would
 * see as special gets through.
 */
#include "gotemplate/regex.h"

struct regex_reader {
    struct gotmpl_arena *a;
    coras_str expr;
    size_t pos;
    int depth; /* of open groups */
    bool (*knows)(struct gotmpl_arena *a, coras_str name);
    struct gotmpl_regex_groups *groups;
    struct gotmpl_text out;
};

_Noreturn static void refuse(struct regex_reader *r, const char *what, size_t from, size_t to)
{
    coras_str s = gotmpl_sub(r->expr, from, to);

    gotmpl_fail(r->a, "error parsing regexp: %s: `%.*s`", what, (int)s.len, s.ptr);
}

static bool at_end(const struct regex_reader *r)
{
    return r->pos >= r->expr.len;
}

static bool next_is(const struct regex_reader *r, const char *s)
{
    return gotmpl_has_prefix(gotmpl_sub(r->expr, r->pos, r->expr.len), s);
}

static uint32_t take(struct regex_reader *r)
{
    uint32_t c;
    size_t n = coras_utf8_decode(r->expr.ptr + r->pos, r->expr.len - r->pos, &c);

    if (n == 1 && c == 0xfffd)
        refuse(r, "invalid UTF-8", 0, r->expr.len);
    r->pos += n;
    return c;
}

static void put_char(struct regex_reader *r, uint32_t c)
{
    if (c < 0x80 && coras_is_alnum((char)c))
        gotmpl_putc(&r->out, (char)c);
    else if (c < 0xd800 || c >= 0xe000)
        gotmpl_printf(&r->out, "\\x{%x}", c);
    else
        gotmpl_puts(&r->out, "(?!)"); /* a half of a UTF-16 pair is in no text */
}

/* ---- escapes ---- */

static int hex_value(uint32_t c)
{
    if (c >= '0' && c <= '9')
        return (int)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (int)(c - 'a' + 10) : -1;
}

static uint32_t take_hex(struct regex_reader *r, size_t start)
{
    uint32_t value = 0;
    bool braces = next_is(r, "{");
    size_t digits = 0;

    if (braces)
        r->pos++;
    while (!at_end(r) && (braces || digits < 2)) {
        uint32_t c = take(r);
        if (braces && c == '}' && digits)
            return value;
        if (hex_value(c) < 0 || (value = value * 16 + (uint32_t)hex_value(c)) > 0x10ffff) {
            if (!braces && !digits && !at_end(r))
                (void)take(r); /* both digits are read before either is looked at */
            refuse(r, "invalid escape sequence", start, r->pos);
        }
        digits++;
    }
    if (braces || digits < 2)
        refuse(r, "invalid escape sequence", start, r->pos);
    return value;
}

static bool next_is_octal(const struct regex_reader *r)
{
    return !at_end(r) && r->expr.ptr[r->pos] >= '0' && r->expr.ptr[r->pos] <= '7';
}

/* A single character written with a backslash, which is at the position. */
static uint32_t take_escape(struct regex_reader *r)
{
    static const char letters[] = "afnrtv", values[] = "\a\f\n\r\t\v";
    size_t start = r->pos++;
    const char *at;
    uint32_t c;

    if (at_end(r))
        refuse(r, "trailing backslash at end of expression", r->pos, r->pos);
    c = take(r);
    if (c == '0' || (c >= '1' && c <= '7' && next_is_octal(r))) {
        c -= '0';
        for (int i = 1; i < 3 && next_is_octal(r); i++)
            c = c * 8 + (take(r) - '0');
        return c;
    }
    if (c == 'x')
        return take_hex(r, start);
    at = c && c < 0x80 ? strchr(letters, (int)c) : NULL;
    if (at)
        return (uint32_t)values[at - letters];
    if (c >= 0x80 || coras_is_alnum((char)c))
        refuse(r, "invalid escape sequence", start, r->pos);
    return c;
}

/* ---- classes ---- */

/* After \p or \P, which begins at `start`. */
static void take_unicode_class(struct regex_reader *r, size_t start)
{
    bool negated = r->expr.ptr[start + 1] == 'P';
    size_t from = r->pos;
    coras_str name;

    if (next_is(r, "{")) {
        const char *close = memchr(r->expr.ptr + from, '}', r->expr.len - from);
        r->pos = close ? (size_t)(close - r->expr.ptr) + 1 : r->expr.len;
        name = gotmpl_sub(r->expr, from + 1, r->pos - (close != NULL));
        if (!close)
            name.len = 0;
        if (name.len && name.ptr[0] == '^') {
            negated = !negated;
            name = gotmpl_sub(name, 1, name.len);
        }
    } else {
        if (!at_end(r))
            (void)take(r);
        name = gotmpl_sub(r->expr, from, r->pos);
    }
    for (size_t i = 0; i < name.len; i++)
        if (!coras_is_alnum(name.ptr[i]) && name.ptr[i] != '_')
            name.len = 0;
    if (name.len == 0 || !r->knows(r->a, name))
        refuse(r, "invalid character class range", start, r->pos);
    gotmpl_printf(&r->out, "\\%c{%.*s}", negated ? 'P' : 'p', (int)name.len, name.ptr);
}

/* \d, \pL and the like at the position, for use within brackets; false when it is something else.
 * Go's \s has no vertical tab. */
static bool take_class(struct regex_reader *r)
{
    size_t start = r->pos;
    char letter = start + 1 < r->expr.len ? r->expr.ptr[start + 1] : '\0';

    if (r->expr.ptr[start] != '\\' || !letter || !strchr("dswDSWpP", letter))
        return false;
    r->pos += 2;
    if (letter == 'p' || letter == 'P')
        take_unicode_class(r, start);
    else if (letter == 's')
        gotmpl_puts(&r->out, "\\t\\n\\f\\r\\x20");
    else
        gotmpl_printf(&r->out, letter == 'S' ? "\\%c\\x0b" : "\\%c", letter);
    return true;
}

/* [:alpha:] within brackets, whose end is known to be there. */
static void take_posix_class(struct regex_reader *r)
{
    static const char *const names[] = {"alnum", "alpha", "ascii", "blank", "cntrl",
                                        "digit", "graph", "lower", "print", "punct",
                                        "space", "upper", "word",  "xdigit"};
    size_t start = r->pos;
    bool negated = next_is(r, "[:^");
    size_t end = start + gotmpl_find(gotmpl_sub(r->expr, start, r->expr.len), CORAS_STR(":]"));
    coras_str name = gotmpl_sub(r->expr, start + 2 + negated, end);

    r->pos = end + 2;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(names); i++)
        if (coras_str_eq(name, names[i])) {
            gotmpl_printf(&r->out, negated ? "[:^%s:]" : "[:%s:]", names[i]);
            return;
        }
    refuse(r, "invalid character class range", start, r->pos);
}

static uint32_t take_class_char(struct regex_reader *r, size_t start)
{
    if (at_end(r))
        refuse(r, "missing closing ]", start, r->expr.len);
    return next_is(r, "\\") ? take_escape(r) : take(r);
}

/* A dash that makes a range: not the last character of the class. */
static bool at_dash(const struct regex_reader *r)
{
    return next_is(r, "-") && !next_is(r, "-]") && r->pos + 1 < r->expr.len;
}

static void put_range(struct regex_reader *r, uint32_t low, uint32_t high)
{
    const uint32_t before = 0xd7ff, after = 0xe000; /* surrogates are no characters */

    if (low <= before)
        gotmpl_printf(&r->out, "\\x{%x}-\\x{%x}", low, high < before ? high : before);
    if (high >= after)
        gotmpl_printf(&r->out, "\\x{%x}-\\x{%x}", low > after ? low : after, high);
}

static void take_range(struct regex_reader *r, size_t start)
{
    size_t from = r->pos;
    uint32_t low = take_class_char(r, start), high = low;

    if (at_dash(r)) {
        r->pos++;
        high = take_class_char(r, start);
        if (high < low)
            refuse(r, "invalid character class range", from, r->pos);
    }
    put_range(r, low, high);
}

static void take_brackets(struct regex_reader *r)
{
    size_t start = r->pos++;

    gotmpl_putc(&r->out, '[');
    if (next_is(r, "^")) {
        r->pos++;
        gotmpl_putc(&r->out, '^');
    }
    for (bool first = true; first || !next_is(r, "]"); first = false) {
        size_t from = r->pos;
        if (at_end(r))
            refuse(r, "missing closing ]", start, r->expr.len);
        if (!first && at_dash(r)) {
            r->pos++;
            (void)take(r);
            refuse(r, "invalid character class range", from, r->pos);
        }
        if (next_is(r, "[:") && gotmpl_find(gotmpl_sub(r->expr, from, r->expr.len),
                                            CORAS_STR(":]")) != GOTMPL_NOT_FOUND)
            take_posix_class(r);
        else if (!take_class(r))
            take_range(r, start);
    }
    r->pos++;
    gotmpl_putc(&r->out, ']');
}

/* ---- repetition ---- */

/* {2}, {2,}, {2,5}; false when the brace is none of these. */
static bool take_counts(struct regex_reader *r)
{
    size_t start = r->pos, at = start + 1;
    int counts[2] = {0}, into = 0;
    bool digits = false;

    for (; at < r->expr.len && r->expr.ptr[at] != '}'; at++) {
        char c = r->expr.ptr[at];
        if (c == ',' && digits && into == 0) {
            into = 1;
            digits = false;
        } else if (coras_is_digit(c)) {
            digits = true;
            if (counts[into] <= GOTMPL_LIMIT_REGEX_REPEAT)
                counts[into] = counts[into] * 10 + (c - '0');
        } else {
            return false;
        }
    }
    if (at >= r->expr.len || (!digits && into == 0))
        return false;
    r->pos = at + 1;
    if (counts[0] > GOTMPL_LIMIT_REGEX_REPEAT || counts[1] > GOTMPL_LIMIT_REGEX_REPEAT ||
        (into == 1 && digits && counts[1] < counts[0]))
        refuse(r, "invalid repeat count", start, r->pos);
    return true;
}

static bool take_repeat(struct regex_reader *r)
{
    if (next_is(r, "{"))
        return take_counts(r);
    if (!next_is(r, "*") && !next_is(r, "+") && !next_is(r, "?"))
        return false;
    r->pos++;
    return true;
}

/* What may follow an atom: one operator. */
static void take_repeats(struct regex_reader *r)
{
    size_t start = r->pos, second;

    if (!take_repeat(r))
        return;
    if (next_is(r, "?"))
        r->pos++;
    second = r->pos;
    if (take_repeat(r)) {
        if (next_is(r, "?"))
            r->pos++;
        refuse(r, "invalid nested repetition operator", start, r->pos);
    }
    gotmpl_put_str(&r->out, gotmpl_sub(r->expr, start, second));
}

/* ---- groups ---- */

static void add_group(struct regex_reader *r, coras_str name)
{
    struct gotmpl_regex_groups *g = r->groups;

    gotmpl_grow(r->a, g);
    g->items[g->len++] = name;
}

/* After "(?P<". */
static coras_str take_group_name(struct regex_reader *r, size_t start)
{
    const char *close = memchr(r->expr.ptr + r->pos, '>', r->expr.len - r->pos);
    coras_str name;

    if (!close)
        refuse(r, "invalid named capture", start, r->expr.len);
    name = gotmpl_sub(r->expr, r->pos, (size_t)(close - r->expr.ptr));
    r->pos += name.len + 1;
    for (size_t i = 0; i < name.len; i++)
        if (!coras_is_alnum(name.ptr[i]) && name.ptr[i] != '_')
            name.len = 0;
    if (name.len == 0)
        refuse(r, "invalid named capture", start, r->pos);
    return name;
}

/* After "(?": flags, which mean the same to PCRE2, up to ) or :; true when a group follows. */
static bool take_flags(struct regex_reader *r, size_t start)
{
    bool on = true, any = false;

    while (!at_end(r)) {
        uint32_t c = take(r);
        if (c == ':' || c == ')') {
            if (!on && !any)
                break;
            gotmpl_put_str(&r->out, gotmpl_sub(r->expr, start, r->pos));
            return c == ':';
        }
        if (c == '-' ? !on : !c || c >= 0x80 || !strchr("imsU", (int)c))
            break;
        any = c != '-';
        on = on && c != '-';
    }
    refuse(r, "invalid or unsupported Perl syntax", start, r->pos);
}

/* An opening parenthesis; false when it only set flags for what follows. */
static bool open_group(struct regex_reader *r)
{
    size_t start = r->pos++;

    if (next_is(r, "?P<") || next_is(r, "?<")) {
        r->pos += next_is(r, "?P<") ? 3 : 2;
        add_group(r, take_group_name(r, start));
        gotmpl_putc(&r->out, '(');
    } else if (next_is(r, "?")) {
        r->pos++;
        if (!take_flags(r, start))
            return false;
    } else {
        add_group(r, CORAS_STR(""));
        gotmpl_putc(&r->out, '(');
    }
    if (++r->depth > GOTMPL_LIMIT_REGEX_NESTING)
        gotmpl_fail(r->a, "error parsing regexp: expression nests too deeply");
    return true;
}

/* ---- the rest ---- */

/* A place, not a character; in a group, since Go lets it be repeated. */
static void put_place(struct regex_reader *r, const char *place)
{
    gotmpl_printf(&r->out, "(?:%s)", place);
}

/* \Q...\E: a repetition behind it takes the last character. */
static void take_quoted(struct regex_reader *r)
{
    for (r->pos += 2; !at_end(r) && !next_is(r, "\\E");)
        put_char(r, take(r));
    r->pos += at_end(r) ? 0 : 2;
}

static void take_backslash(struct regex_reader *r)
{
    char letter = r->pos + 1 < r->expr.len ? r->expr.ptr[r->pos + 1] : '\0';

    if (letter && strchr("AzbB", letter)) {
        put_place(r, (char[]){'\\', letter, '\0'});
        r->pos += 2;
    } else if (letter == 'Q') {
        take_quoted(r);
    } else if (letter && strchr("dswDSWpP", letter)) {
        gotmpl_putc(&r->out, '[');
        (void)take_class(r);
        gotmpl_putc(&r->out, ']');
    } else {
        put_char(r, take_escape(r));
    }
}

static void take_atom(struct regex_reader *r)
{
    size_t start = r->pos;

    if (take_repeat(r)) {
        if (next_is(r, "?"))
            r->pos++;
        refuse(r, "missing argument to repetition operator", start, r->pos);
    }
    if (next_is(r, "[")) {
        take_brackets(r);
    } else if (next_is(r, "\\")) {
        take_backslash(r);
    } else if (next_is(r, ".") || next_is(r, "^") || next_is(r, "$")) {
        put_place(r, (char[]){r->expr.ptr[r->pos++], '\0'});
    } else {
        put_char(r, take(r));
    }
    take_repeats(r);
}

coras_str gotmpl_regex_translate(struct gotmpl_arena *a, coras_str expr,
                                 bool (*knows)(struct gotmpl_arena *a, coras_str name),
                                 struct gotmpl_regex_groups *ret_groups)
{
    struct regex_reader r = {
        .a = a, .expr = expr, .knows = knows, .groups = ret_groups, .out = GOTMPL_TEXT(a)};

    add_group(&r, CORAS_STR("")); /* the whole match */
    while (!at_end(&r)) {
        if (next_is(&r, "(")) {
            (void)open_group(&r);
        } else if (next_is(&r, ")")) {
            if (--r.depth < 0)
                refuse(&r, "unexpected )", 0, expr.len);
            r.pos++;
            gotmpl_putc(&r.out, ')');
            take_repeats(&r);
        } else if (next_is(&r, "|")) {
            r.pos++;
            gotmpl_putc(&r.out, '|');
        } else {
            take_atom(&r);
        }
    }
    if (r.depth > 0)
        refuse(&r, "missing closing )", 0, expr.len);
    return gotmpl_text_str(&r.out);
}
