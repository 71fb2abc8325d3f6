#include "gotemplate/print.h"

#include "base/unicode_print.h"
#include "gotemplate/times.h"
#include "gotemplate/semver.h"

/* What %v means for a string nested in a Go-syntax (%#v) container is decided by sharp_v alone. */
static void print_value(struct tpl_text *t, const struct tpl_spec *spec, tpl_value v, uint32_t verb,
                        int depth);

/* The value follows with the flags of the verb that it does not have. */
static void bad_verb(struct tpl_text *t, const struct tpl_spec *spec, tpl_value v, uint32_t verb,
                     int depth)
{
    struct tpl_spec same = *spec;

    same.erroring = true;
    tpl_puts(t, "%!");
    tpl_put_rune(t, verb);
    tpl_putc(t, '(');
    if (v.kind == TPL_INVALID || v.kind == TPL_NIL) {
        tpl_puts(t, "<nil>");
    } else {
        tpl_puts(t, tpl_type_name(v));
        tpl_putc(t, '=');
        print_value(t, &same, v, 'v', depth + 1);
    }
    tpl_putc(t, ')');
}

static void print_hex(struct tpl_text *t, const struct tpl_spec *spec, coras_str s, bool upper)
{
    struct tpl_text text = TPL_TEXT(t->arena);
    const char *prefix = upper ? "0X" : "0x";

    for (size_t i = 0; i < s.len; i++) {
        if (i > 0 && spec->space)
            tpl_putc(&text, ' ');
        if (spec->sharp && (i == 0 || spec->space))
            tpl_puts(&text, prefix);
        tpl_printf(&text, upper ? "%02X" : "%02x", (unsigned char)s.ptr[i]);
    }
    tpl_pad(t, spec, tpl_text_str(&text));
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
static coras_str truncated(const struct tpl_spec *spec, coras_str s)
{
    size_t end = 0;
    uint32_t c;

    if (!spec->has_precision)
        return s;
    for (int runes = 0; end < s.len && runes < spec->precision; runes++)
        end += coras_utf8_decode(s.ptr + end, s.len - end, &c);
    return tpl_sub(s, 0, end);
}

static void print_quoted(struct tpl_text *t, const struct tpl_spec *spec, coras_str s)
{
    struct tpl_text text = TPL_TEXT(t->arena);

    s = truncated(spec, s);
    if (spec->sharp && can_backquote(s)) {
        tpl_putc(&text, '`');
        tpl_put_str(&text, s);
        tpl_putc(&text, '`');
    } else {
        tpl_put_quoted(&text, s, '"', spec->plus);
    }
    tpl_pad(t, spec, tpl_text_str(&text));
}

static void print_string(struct tpl_text *t, const struct tpl_spec *spec, tpl_value v,
                         uint32_t verb, int depth)
{
    coras_str s = v.s;

    if (verb == 's' || (verb == 'v' && !spec->sharp_v))
        tpl_pad(t, spec, truncated(spec, s));
    else if (verb == 'q' || verb == 'v')
        print_quoted(t, spec, s);
    else if (verb == 'x' || verb == 'X')
        print_hex(t, spec,
                  tpl_sub(s, 0,
                          spec->has_precision && (size_t)spec->precision < s.len
                              ? (size_t)spec->precision
                              : s.len),
                  verb == 'X');
    else
        bad_verb(t, spec, v, verb, depth);
}

/* %U: at least four digits, and with # the character itself. */
static void print_unicode(struct tpl_text *t, const struct tpl_spec *spec, uint64_t u)
{
    enum { LEAST_DIGITS = 4 };
    struct tpl_text text = TPL_TEXT(t->arena);
    struct tpl_spec blank = *spec;
    bool more = spec->has_precision && spec->precision > LEAST_DIGITS;

    blank.zero = false;
    tpl_printf(&text, "U+%0*llX", more ? spec->precision : LEAST_DIGITS, (unsigned long long)u);
    if (spec->sharp && u <= 0x10ffff && coras_unicode_is_print((uint32_t)u)) {
        tpl_puts(&text, " '");
        tpl_put_rune(&text, (uint32_t)u);
        tpl_putc(&text, '\'');
    }
    tpl_pad(t, &blank, tpl_text_str(&text));
}

static void print_code_point(struct tpl_text *t, const struct tpl_spec *spec, uint64_t u,
                             bool quoted)
{
    struct tpl_text rune = TPL_TEXT(t->arena), text = TPL_TEXT(t->arena);
    uint32_t c = u > 0x10ffff ? 0xfffd : (uint32_t)u;

    tpl_put_rune(&rune, c);
    if (quoted)
        tpl_put_quoted(&text, tpl_text_str(&rune), '\'', spec->plus);
    else
        tpl_put_str(&text, tpl_text_str(&rune));
    tpl_pad(t, spec, tpl_text_str(&text));
}

static void print_integer(struct tpl_text *t, const struct tpl_spec *spec, tpl_value v,
                          uint32_t verb, int depth)
{
    if (verb == 'v' && spec->sharp_v && tpl_is_uint(v)) {
        struct tpl_spec hex = *spec;
        hex.sharp = true;
        tpl_print_int(t, &hex, (uint64_t)v.i, false, 'x');
    } else if (verb == 'v') {
        tpl_print_int(t, spec, (uint64_t)v.i, !tpl_is_uint(v), 'd');
    } else if (verb < 0x80 && verb && strchr("dboOxX", (int)verb)) {
        tpl_print_int(t, spec, (uint64_t)v.i, !tpl_is_uint(v), verb);
    } else if (verb == 'c' || verb == 'q') {
        print_code_point(t, spec, (uint64_t)v.i, verb == 'q');
    } else if (verb == 'U') {
        print_unicode(t, spec, (uint64_t)v.i);
    } else {
        bad_verb(t, spec, v, verb, depth);
    }
}

/* False when there is no such verb for floats. */
static bool put_double(struct tpl_text *t, const struct tpl_spec *spec, double f, uint32_t verb)
{
    switch (verb) {
    case 'v':
        tpl_print_float(t, spec, f, 'g', -1);
        return true;
    case 'b':
    case 'g':
    case 'G':
    case 'x':
    case 'X':
        tpl_print_float(t, spec, f, (char)verb, -1);
        return true;
    case 'f':
    case 'F':
        tpl_print_float(t, spec, f, 'f', 6);
        return true;
    case 'e':
    case 'E':
        tpl_print_float(t, spec, f, (char)verb, 6);
        return true;
    default:
        return false;
    }
}

static void print_double(struct tpl_text *t, const struct tpl_spec *spec, tpl_value v,
                         uint32_t verb, int depth)
{
    if (!put_double(t, spec, v.f, verb))
        bad_verb(t, spec, v, verb, depth);
}

static void print_complex(struct tpl_text *t, const struct tpl_spec *spec, tpl_value v,
                          uint32_t verb, int depth)
{
    struct tpl_text text = TPL_TEXT(t->arena);
    struct tpl_spec with_sign = *spec;

    with_sign.plus = true;
    if (!put_double(&text, spec, v.c.real, verb)) {
        bad_verb(t, spec, v, verb, depth);
        return;
    }
    put_double(&text, &with_sign, v.c.imaginary, verb);
    tpl_putc(t, '(');
    tpl_put_str(t, tpl_text_str(&text));
    tpl_puts(t, "i)");
}

/* Where a container lies in memory is nobody's business: any address stands for it. */
static void print_pointer(struct tpl_text *t, const struct tpl_spec *spec, bool is_nil)
{
    struct tpl_spec hex = *spec;

    hex.sharp = !spec->sharp;
    tpl_print_int(t, &hex, is_nil ? 0 : 0xc000100000, false, 'x');
}

static void print_list(struct tpl_text *t, const struct tpl_spec *spec, tpl_value v, uint32_t verb,
                       int depth)
{
    if (spec->sharp_v) {
        tpl_puts(t, tpl_type_name(v));
        if (v.list->is_nil) {
            tpl_puts(t, "(nil)");
            return;
        }
    }
    tpl_putc(t, spec->sharp_v ? '{' : '[');
    for (size_t i = 0; i < v.list->len; i++) {
        if (i > 0)
            tpl_puts(t, spec->sharp_v ? ", " : " ");
        print_value(t, spec, tpl_list_at(v.list, i), verb, depth + 1);
    }
    tpl_putc(t, spec->sharp_v ? '}' : ']');
}

static void print_map(struct tpl_text *t, const struct tpl_spec *spec, tpl_value v, uint32_t verb,
                      int depth)
{
    if (spec->sharp_v) {
        tpl_puts(t, tpl_type_name(v));
        if (v.map->is_nil) {
            tpl_puts(t, "(nil)");
            return;
        }
        tpl_putc(t, '{');
    } else {
        tpl_puts(t, "map[");
    }
    for (size_t i = 0; i < v.map->len; i++) {
        if (i > 0)
            tpl_puts(t, spec->sharp_v ? ", " : " ");
        print_value(t, spec, tpl_string(v.map->items[i].key), verb, depth + 1);
        tpl_putc(t, ':');
        print_value(t, spec, tpl_map_at(v.map, i), verb, depth + 1);
    }
    tpl_putc(t, spec->sharp_v ? '}' : ']');
}

/* A version where its text is not wanted: the fields of the structure. */
static void print_version(struct tpl_text *t, const struct tpl_spec *spec, tpl_value v,
                          uint32_t verb, int depth)
{
    static const char *const names[] = {"major", "minor", "patch", "pre", "metadata", "original"};
    const struct tpl_semver *s = v.semver;
    const tpl_value fields[] = {
        {.kind = TPL_UINT64, .i = (int64_t)s->major},
        {.kind = TPL_UINT64, .i = (int64_t)s->minor},
        {.kind = TPL_UINT64, .i = (int64_t)s->patch},
        tpl_string(s->pre),
        tpl_string(s->metadata),
        tpl_string(s->original),
    };

    if (!s->is_value)
        tpl_putc(t, '&');
    tpl_puts(t, spec->sharp_v ? "semver.Version{" : "{");
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (i > 0)
            tpl_puts(t, spec->sharp_v ? ", " : " ");
        if (spec->sharp_v || spec->plus_v)
            tpl_printf(t, "%s:", names[i]);
        print_value(t, spec, fields[i], verb, depth + 1);
    }
    tpl_putc(t, '}');
}

/* Inside of a %#v container a nil says its type. */
static void print_nil(struct tpl_text *t, const struct tpl_spec *spec, uint32_t verb, int depth)
{
    if (depth > 0 && spec->sharp_v)
        tpl_puts(t, "interface {}(nil)");
    else if (depth > 0)
        tpl_puts(t, "<nil>");
    else if (verb == 'v')
        tpl_pad(t, spec, CORAS_STR("<nil>"));
    else
        bad_verb(t, spec, tpl_nil(), verb, depth);
}

/* Types with a String method. */
static bool print_stringer(struct tpl_text *t, const struct tpl_spec *spec, tpl_value v,
                           uint32_t verb, int depth)
{
    coras_str s;

    if (spec->erroring || spec->sharp_v || verb >= 0x80 || !verb || !strchr("vsxXq", (int)verb))
        return false;
    if (v.kind == TPL_SEMVER)
        s = tpl_semver_string(t->arena, v.semver);
    else if (v.kind == TPL_TIME || v.kind == TPL_DURATION || v.kind == TPL_MONTH ||
             v.kind == TPL_WEEKDAY)
        s = tpl_time_value_string(t->arena, v);
    else
        return false;
    print_string(t, spec, tpl_string(s), verb, depth);
    return true;
}

/* Verbs that look at the value as a whole. */
static bool print_whole(struct tpl_text *t, const struct tpl_spec *spec, tpl_value v, uint32_t verb,
                        int depth)
{
    bool container = v.kind == TPL_LIST || v.kind == TPL_MAP;

    if (verb == 'T' && (v.kind == TPL_NIL || v.kind == TPL_INVALID))
        tpl_pad(t, spec, CORAS_STR("<nil>"));
    else if (verb == 'T')
        tpl_pad(t, spec, truncated(spec, coras_str_of(tpl_type_name(v))));
    else if (verb == 'p' && container)
        print_pointer(t, spec, v.kind == TPL_LIST ? v.list->is_nil : v.map->is_nil);
    else if (verb == 'p' && v.kind == TPL_SEMVER)
        print_pointer(t, spec, !v.semver);
    else if (verb == 'w' && (container || v.kind == TPL_SEMVER))
        bad_verb(t, spec, v, verb, depth);
    else
        return print_stringer(t, spec, v, verb, depth);
    return true;
}

static void print_value(struct tpl_text *t, const struct tpl_spec *spec, tpl_value v, uint32_t verb,
                        int depth)
{
    tpl_check_nesting(t->arena, depth);
    if (print_whole(t, spec, v, verb, depth))
        return;
    switch ((enum tpl_kind)v.kind) {
    case TPL_INVALID:
    case TPL_NIL:
        print_nil(t, spec, verb, depth);
        break;
    case TPL_BOOL:
        if (verb == 't' || verb == 'v')
            tpl_pad(t, spec, v.b ? CORAS_STR("true") : CORAS_STR("false"));
        else
            bad_verb(t, spec, v, verb, depth);
        break;
    case TPL_FLOAT:
        print_double(t, spec, v, verb, depth);
        break;
    case TPL_STRING:
        print_string(t, spec, v, verb, depth);
        break;
    case TPL_LIST:
        print_list(t, spec, v, verb, depth);
        break;
    case TPL_MAP:
        print_map(t, spec, v, verb, depth);
        break;
    case TPL_COMPLEX:
        print_complex(t, spec, v, verb, depth);
        break;
    case TPL_SEMVER:
        if (v.semver) {
            print_version(t, spec, v, verb, depth);
            break;
        }
        print_nil(t, spec, verb, depth);
        break;
    case TPL_TIME:
        if (verb == 'v' && spec->sharp_v)
            tpl_pad(t, spec, tpl_time_go_string(t->arena, v.time));
        else if (spec->erroring)
            tpl_pad(t, spec, tpl_time_value_string(t->arena, v));
        else
            bad_verb(t, spec, v, verb, depth);
        break;
    default:
        print_integer(t, spec, v, verb, depth);
        break;
    }
}

void tpl_sprint(struct tpl_text *t, size_t argc, const tpl_value *argv)
{
    struct tpl_spec plain = {0};
    bool after_string = false;

    for (size_t i = 0; i < argc; i++) {
        bool string = argv[i].kind == TPL_STRING;
        if (i > 0 && !string && !after_string)
            tpl_putc(t, ' ');
        print_value(t, &plain, argv[i], 'v', 0);
        after_string = string;
    }
}

void tpl_sprintln(struct tpl_text *t, size_t argc, const tpl_value *argv)
{
    struct tpl_spec plain = {0};

    for (size_t i = 0; i < argc; i++) {
        if (i > 0)
            tpl_putc(t, ' ');
        print_value(t, &plain, argv[i], 'v', 0);
    }
    tpl_putc(t, '\n');
}

void tpl_print_value(struct tpl_text *t, const struct tpl_spec *spec, tpl_value v, uint32_t verb)
{
    print_value(t, spec, v, verb, 0);
}
