/* SPDX-License-Identifier: Apache-2.0 */
/* One value printed by one verb, down into its containers. */
#include "gotemplate/print.h"

#include "gospell/unicode_print.h"
#include "gotemplate/times.h"

/* What %v means for a string nested in a Go-syntax (%#v) container is decided by sharp_v alone. */
static void print_value(struct gotmpl_text *t, const struct gotmpl_spec *spec, gotmpl_value v,
                        uint32_t verb, int depth);

/* The value follows with the flags of the verb that it does not have. */
static void bad_verb(struct gotmpl_text *t, const struct gotmpl_spec *spec, gotmpl_value v,
                     uint32_t verb, int depth)
{
    gotmpl_puts(t, "%!");
    gotmpl_put_rune(t, verb);
    gotmpl_putc(t, '(');
    if (v.kind == GOTMPL_INVALID || v.kind == GOTMPL_NIL) {
        gotmpl_puts(t, "<nil>");
    } else {
        gotmpl_puts(t, gotmpl_type_name(v));
        gotmpl_putc(t, '=');
        print_value(t, spec, v, 'v', depth + 1);
    }
    gotmpl_putc(t, ')');
}

static void print_hex(struct gotmpl_text *t, const struct gotmpl_spec *spec, coras_str s,
                      bool upper)
{
    struct gotmpl_text text = GOTMPL_TEXT(t->arena);
    const char *prefix = upper ? "0X" : "0x";

    for (size_t i = 0; i < s.len; i++) {
        if (i > 0 && spec->space)
            gotmpl_putc(&text, ' ');
        if (spec->sharp && (i == 0 || spec->space))
            gotmpl_puts(&text, prefix);
        gotmpl_printf(&text, upper ? "%02X" : "%02x", (unsigned char)s.ptr[i]);
    }
    gotmpl_pad(t, spec, gotmpl_text_str(&text));
}

static bool can_backquote(coras_str s)
{
    uint32_t c;
    size_t n;

    for (size_t i = 0; i < s.len; i += n) {
        n = coras_utf8_decode(s.ptr + i, s.len - i, &c);
        if ((c < ' ' && c != '\t') || c == '`' || c == 0x7f || c == 0xfeff || (n == 1 && c >= 0x80))
            return false;
    }
    return true;
}

/* At most `precision` characters. */
static coras_str truncated(const struct gotmpl_spec *spec, coras_str s)
{
    size_t end = 0;
    uint32_t c;

    if (!spec->has_precision)
        return s;
    for (int runes = 0; end < s.len && runes < spec->precision; runes++)
        end += coras_utf8_decode(s.ptr + end, s.len - end, &c);
    return gotmpl_sub(s, 0, end);
}

static void print_quoted(struct gotmpl_text *t, const struct gotmpl_spec *spec, coras_str s)
{
    struct gotmpl_text text = GOTMPL_TEXT(t->arena);

    s = truncated(spec, s);
    if (spec->sharp && can_backquote(s)) {
        gotmpl_putc(&text, '`');
        gotmpl_put_str(&text, s);
        gotmpl_putc(&text, '`');
    } else {
        gotmpl_put_quoted(&text, s, '"', spec->plus);
    }
    gotmpl_pad(t, spec, gotmpl_text_str(&text));
}

static void print_string(struct gotmpl_text *t, const struct gotmpl_spec *spec, gotmpl_value v,
                         uint32_t verb, int depth)
{
    coras_str s = v.s;

    if (verb == 's' || (verb == 'v' && !spec->sharp_v))
        gotmpl_pad(t, spec, truncated(spec, s));
    else if (verb == 'q' || verb == 'v')
        print_quoted(t, spec, s);
    else if (verb == 'x' || verb == 'X')
        print_hex(t, spec,
                  gotmpl_sub(s, 0,
                             spec->has_precision && (size_t)spec->precision < s.len
                                 ? (size_t)spec->precision
                                 : s.len),
                  verb == 'X');
    else
        bad_verb(t, spec, v, verb, depth);
}

/* %U: at least four digits, and with # the character itself. */
static void print_unicode(struct gotmpl_text *t, const struct gotmpl_spec *spec, uint64_t u)
{
    enum { LEAST_DIGITS = 4 };
    struct gotmpl_text text = GOTMPL_TEXT(t->arena);
    struct gotmpl_spec blank = *spec;
    bool more = spec->has_precision && spec->precision > LEAST_DIGITS;

    blank.zero = false;
    gotmpl_printf(&text, "U+%0*llX", more ? spec->precision : LEAST_DIGITS, (unsigned long long)u);
    if (spec->sharp && u <= 0x10ffff && coras_unicode_is_print((uint32_t)u)) {
        gotmpl_puts(&text, " '");
        gotmpl_put_rune(&text, (uint32_t)u);
        gotmpl_putc(&text, '\'');
    }
    gotmpl_pad(t, &blank, gotmpl_text_str(&text));
}

static void print_code_point(struct gotmpl_text *t, const struct gotmpl_spec *spec, uint64_t u,
                             bool quoted)
{
    struct gotmpl_text rune = GOTMPL_TEXT(t->arena), text = GOTMPL_TEXT(t->arena);
    uint32_t c = u > 0x10ffff ? 0xfffd : (uint32_t)u;

    gotmpl_put_rune(&rune, c);
    if (quoted)
        gotmpl_put_quoted(&text, gotmpl_text_str(&rune), '\'', spec->plus);
    else
        gotmpl_put_str(&text, gotmpl_text_str(&rune));
    gotmpl_pad(t, spec, gotmpl_text_str(&text));
}

static void print_integer(struct gotmpl_text *t, const struct gotmpl_spec *spec, gotmpl_value v,
                          uint32_t verb, int depth)
{
    if (verb == 'v' && spec->sharp_v && gotmpl_is_uint(v)) {
        struct gotmpl_spec hex = *spec;
        hex.sharp = true;
        gotmpl_print_int(t, &hex, (uint64_t)v.i, false, 'x');
    } else if (verb == 'v') {
        gotmpl_print_int(t, spec, (uint64_t)v.i, !gotmpl_is_uint(v), 'd');
    } else if (verb < 0x80 && verb && strchr("dboOxX", (int)verb)) {
        gotmpl_print_int(t, spec, (uint64_t)v.i, !gotmpl_is_uint(v), verb);
    } else if (verb == 'c' || verb == 'q') {
        print_code_point(t, spec, (uint64_t)v.i, verb == 'q');
    } else if (verb == 'U') {
        print_unicode(t, spec, (uint64_t)v.i);
    } else {
        bad_verb(t, spec, v, verb, depth);
    }
}

/* False when there is no such verb for floats (Go's b and x, binary forms, are left out). */
static bool put_double(struct gotmpl_text *t, const struct gotmpl_spec *spec, double f,
                       uint32_t verb)
{
    switch (verb) {
    case 'v':
        gotmpl_print_float(t, spec, f, 'g', -1);
        return true;
    case 'g':
    case 'G':
        gotmpl_print_float(t, spec, f, (char)verb, -1);
        return true;
    case 'f':
    case 'F':
        gotmpl_print_float(t, spec, f, 'f', 6);
        return true;
    case 'e':
    case 'E':
        gotmpl_print_float(t, spec, f, (char)verb, 6);
        return true;
    default:
        return false;
    }
}

static void print_double(struct gotmpl_text *t, const struct gotmpl_spec *spec, gotmpl_value v,
                         uint32_t verb, int depth)
{
    if (!put_double(t, spec, v.f, verb))
        bad_verb(t, spec, v, verb, depth);
}

static void print_list(struct gotmpl_text *t, const struct gotmpl_spec *spec, gotmpl_value v,
                       uint32_t verb, int depth)
{
    if (spec->sharp_v) {
        gotmpl_puts(t, gotmpl_type_name(v));
        if (v.list->is_nil) {
            gotmpl_puts(t, "(nil)");
            return;
        }
    }
    gotmpl_putc(t, spec->sharp_v ? '{' : '[');
    for (size_t i = 0; i < v.list->len; i++) {
        if (i > 0)
            gotmpl_puts(t, spec->sharp_v ? ", " : " ");
        print_value(t, spec, gotmpl_list_at(v.list, i), verb, depth + 1);
    }
    gotmpl_putc(t, spec->sharp_v ? '}' : ']');
}

static void print_map(struct gotmpl_text *t, const struct gotmpl_spec *spec, gotmpl_value v,
                      uint32_t verb, int depth)
{
    if (spec->sharp_v) {
        gotmpl_puts(t, gotmpl_type_name(v));
        if (v.map->is_nil) {
            gotmpl_puts(t, "(nil)");
            return;
        }
        gotmpl_putc(t, '{');
    } else {
        gotmpl_puts(t, "map[");
    }
    for (size_t i = 0; i < v.map->len; i++) {
        if (i > 0)
            gotmpl_puts(t, spec->sharp_v ? ", " : " ");
        print_value(t, spec, gotmpl_string(v.map->items[i].key), verb, depth + 1);
        gotmpl_putc(t, ':');
        print_value(t, spec, gotmpl_map_at(v.map, i), verb, depth + 1);
    }
    gotmpl_putc(t, spec->sharp_v ? '}' : ']');
}

/* Inside of a %#v container a nil says its type. */
static void print_nil(struct gotmpl_text *t, const struct gotmpl_spec *spec, uint32_t verb,
                      int depth)
{
    if (depth > 0 && spec->sharp_v)
        gotmpl_puts(t, "interface {}(nil)");
    else if (depth > 0)
        gotmpl_puts(t, "<nil>");
    else if (verb == 'v')
        gotmpl_pad(t, spec, CORAS_STR("<nil>"));
    else
        bad_verb(t, spec, gotmpl_nil(), verb, depth);
}

/* Types with a String method. */
static bool print_stringer(struct gotmpl_text *t, const struct gotmpl_spec *spec, gotmpl_value v,
                           uint32_t verb, int depth)
{
    if (v.kind != GOTMPL_TIME || verb >= 0x80 || !verb || !strchr("vsxXq", (int)verb))
        return false;
    print_string(t, spec, gotmpl_string(gotmpl_time_string(t->arena, v.time)), verb, depth);
    return true;
}

/* Verbs that look at the value as a whole. */
static bool print_whole(struct gotmpl_text *t, const struct gotmpl_spec *spec, gotmpl_value v,
                        uint32_t verb, int depth)
{
    bool container = v.kind == GOTMPL_LIST || v.kind == GOTMPL_MAP;

    if (verb == 'T' && (v.kind == GOTMPL_NIL || v.kind == GOTMPL_INVALID))
        gotmpl_pad(t, spec, CORAS_STR("<nil>"));
    else if (verb == 'T')
        gotmpl_pad(t, spec, truncated(spec, coras_str_of(gotmpl_type_name(v))));
    else if (verb == 'w' && container)
        bad_verb(t, spec, v, verb, depth);
    else
        return print_stringer(t, spec, v, verb, depth);
    return true;
}

static void print_value(struct gotmpl_text *t, const struct gotmpl_spec *spec, gotmpl_value v,
                        uint32_t verb, int depth)
{
    gotmpl_check_nesting(t->arena, depth);
    if (print_whole(t, spec, v, verb, depth))
        return;
    switch ((enum gotmpl_kind)v.kind) {
    case GOTMPL_INVALID:
    case GOTMPL_NIL:
        print_nil(t, spec, verb, depth);
        break;
    case GOTMPL_BOOL:
        if (verb == 't' || verb == 'v')
            gotmpl_pad(t, spec, v.b ? CORAS_STR("true") : CORAS_STR("false"));
        else
            bad_verb(t, spec, v, verb, depth);
        break;
    case GOTMPL_FLOAT:
        print_double(t, spec, v, verb, depth);
        break;
    case GOTMPL_STRING:
        print_string(t, spec, v, verb, depth);
        break;
    case GOTMPL_LIST:
        print_list(t, spec, v, verb, depth);
        break;
    case GOTMPL_MAP:
        print_map(t, spec, v, verb, depth);
        break;
    case GOTMPL_TIME:
        bad_verb(t, spec, v, verb, depth);
        break;
    default:
        print_integer(t, spec, v, verb, depth);
        break;
    }
}

void gotmpl_sprint(struct gotmpl_text *t, size_t argc, const gotmpl_value *argv)
{
    struct gotmpl_spec plain = {0};
    bool after_string = false;

    for (size_t i = 0; i < argc; i++) {
        bool string = argv[i].kind == GOTMPL_STRING;
        if (i > 0 && !string && !after_string)
            gotmpl_putc(t, ' ');
        print_value(t, &plain, argv[i], 'v', 0);
        after_string = string;
    }
}

void gotmpl_sprintln(struct gotmpl_text *t, size_t argc, const gotmpl_value *argv)
{
    struct gotmpl_spec plain = {0};

    for (size_t i = 0; i < argc; i++) {
        if (i > 0)
            gotmpl_putc(t, ' ');
        print_value(t, &plain, argv[i], 'v', 0);
    }
    gotmpl_putc(t, '\n');
}

void gotmpl_print_value(struct gotmpl_text *t, const struct gotmpl_spec *spec, gotmpl_value v,
                        uint32_t verb)
{
    print_value(t, spec, v, verb, 0);
}
