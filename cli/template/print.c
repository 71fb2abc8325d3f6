#include "cli/template/print.h"

#include "cli/template/times.h"
#include "cli/template/semver.h"

/* What %v means for a string nested in a Go-syntax (%#v) container is decided by sharp_v alone. */
static void print_value(struct tpl_text *t, const struct tpl_spec *spec, tpl_value v, uint32_t verb,
                        int depth);

static void bad_verb(struct tpl_text *t, tpl_value v, uint32_t verb, int depth)
{
    struct tpl_spec plain = {0};

    tpl_puts(t, "%!");
    tpl_put_rune(t, verb);
    tpl_putc(t, '(');
    if (v.kind == TPL_INVALID || v.kind == TPL_NIL) {
        tpl_puts(t, "<nil>");
    } else {
        tpl_puts(t, tpl_type_name(v));
        tpl_putc(t, '=');
        print_value(t, &plain, v, 'v', depth + 1);
    }
    tpl_putc(t, ')');
}

static void print_hex(struct tpl_text *t, const struct tpl_spec *spec, coras_str s, bool upper)
{
    struct tpl_text text = TPL_TEXT(t->arena);
    const char *prefix = upper ? "0X" : "0x";
    struct tpl_spec blank = *spec;

    blank.zero = false;
    for (size_t i = 0; i < s.len; i++) {
        if (i > 0 && spec->space)
            tpl_putc(&text, ' ');
        if (spec->sharp && (i == 0 || spec->space))
            tpl_puts(&text, prefix);
        tpl_printf(&text, upper ? "%02X" : "%02x", (unsigned char)s.ptr[i]);
    }
    tpl_pad(t, &blank, tpl_text_str(&text));
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
        bad_verb(t, v, verb, depth);
}

static void print_code_point(struct tpl_text *t, const struct tpl_spec *spec, uint64_t u,
                             uint32_t verb)
{
    struct tpl_text rune = TPL_TEXT(t->arena), text = TPL_TEXT(t->arena);
    uint32_t c = u > 0x10ffff ? 0xfffd : (uint32_t)u;

    tpl_put_rune(&rune, c);
    if (verb == 'q')
        tpl_put_quoted(&text, tpl_text_str(&rune), '\'', spec->plus);
    else if (verb == 'U')
        tpl_printf(&text, "U+%04lX", (unsigned long)u);
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
    } else if (verb == 'c' || verb == 'q' || verb == 'U') {
        print_code_point(t, spec, (uint64_t)v.i, verb);
    } else {
        bad_verb(t, v, verb, depth);
    }
}

static void print_double(struct tpl_text *t, const struct tpl_spec *spec, tpl_value v,
                         uint32_t verb, int depth)
{
    switch (verb) {
    case 'v':
        tpl_print_float(t, spec, v.f, 'g', -1);
        break;
    case 'g':
    case 'G':
    case 'x':
    case 'X':
        tpl_print_float(t, spec, v.f, (char)verb, -1);
        break;
    case 'f':
    case 'F':
        tpl_print_float(t, spec, v.f, 'f', 6);
        break;
    case 'e':
    case 'E':
        tpl_print_float(t, spec, v.f, (char)verb, 6);
        break;
    default:
        bad_verb(t, v, verb, depth);
    }
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
        bad_verb(t, tpl_nil(), verb, depth);
}

/* Types with a String method. */
static bool print_stringer(struct tpl_text *t, const struct tpl_spec *spec, tpl_value v,
                           uint32_t verb, int depth)
{
    coras_str s;

    if (spec->sharp_v || verb >= 0x80 || !verb || !strchr("vsxXq", (int)verb))
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

static void print_value(struct tpl_text *t, const struct tpl_spec *spec, tpl_value v, uint32_t verb,
                        int depth)
{
    tpl_check_nesting(t->arena, depth);
    if (verb == 'T') {
        tpl_pad(t, spec, coras_str_of(tpl_type_name(v)));
        return;
    }
    if (print_stringer(t, spec, v, verb, depth))
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
            bad_verb(t, v, verb, depth);
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
    case TPL_TIME:
    case TPL_SEMVER:
        bad_verb(t, v, verb, depth);
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

/* ---- Sprintf ---- */

struct format {
    struct tpl_text *t;
    coras_str text;
    size_t pos;
    size_t argc;
    const tpl_value *argv;
    size_t arg;
    bool good_index, reordered, after_index;
    struct tpl_spec spec;
};

static bool at(const struct format *f, char c)
{
    return f->pos < f->text.len && f->text.ptr[f->pos] == c;
}

static void scan_flags(struct format *f)
{
    for (; f->pos < f->text.len; f->pos++)
        switch (f->text.ptr[f->pos]) {
        case '#':
            f->spec.sharp = true;
            break;
        case '0':
            f->spec.zero = true;
            break;
        case '+':
            f->spec.plus = true;
            break;
        case '-':
            f->spec.minus = true;
            break;
        case ' ':
            f->spec.space = true;
            break;
        default:
            return;
        }
}

static bool scan_number(struct format *f, int *ret)
{
    bool any = false;

    *ret = 0;
    for (; f->pos < f->text.len && coras_is_digit(f->text.ptr[f->pos]); f->pos++) {
        any = true;
        *ret = *ret * 10 + (f->text.ptr[f->pos] - '0');
        if (*ret > TPL_WIDTH_LIMIT) {
            *ret = 0; /* overflow: the number counts as absent, the rest is read as the verb */
            return false;
        }
    }
    return any;
}

/* An explicit argument index: [2]. */
static void scan_index(struct format *f)
{
    const char *close;
    size_t start = f->pos + 1, end;
    int number;

    f->after_index = false;
    if (!at(f, '['))
        return;
    f->reordered = true;
    close = memchr(f->text.ptr + f->pos, ']', f->text.len - f->pos);
    if (!close) {
        f->good_index = false;
        f->pos++;
        return;
    }
    end = (size_t)(close - f->text.ptr);
    f->pos = start;
    if (!scan_number(f, &number) || f->pos != end || number < 1 || (size_t)number > f->argc) {
        f->good_index = false;
    } else {
        f->arg = (size_t)number - 1;
        f->after_index = true;
    }
    f->pos = end + 1;
}

/* The value of a * width or precision. */
static bool int_argument(struct format *f, int *ret)
{
    tpl_value v;

    *ret = 0;
    if (f->arg >= f->argc)
        return false;
    v = f->argv[f->arg++];
    if (!tpl_is_int(v) || v.i > TPL_WIDTH_LIMIT || v.i < -TPL_WIDTH_LIMIT)
        return false;
    *ret = (int)v.i;
    return true;
}

static void scan_width(struct format *f)
{
    if (!at(f, '*')) {
        f->spec.has_width = scan_number(f, &f->spec.width);
        if (f->after_index && f->spec.has_width)
            f->good_index = false;
        return;
    }
    f->pos++;
    f->spec.has_width = int_argument(f, &f->spec.width);
    if (!f->spec.has_width)
        tpl_puts(f->t, "%!(BADWIDTH)");
    if (f->spec.width < 0) {
        f->spec.width = -f->spec.width;
        f->spec.minus = true;
        f->spec.zero = false;
    }
    f->after_index = false;
}

static void scan_precision(struct format *f)
{
    if (!at(f, '.') || f->pos + 1 >= f->text.len)
        return;
    f->pos++;
    if (f->after_index)
        f->good_index = false;
    scan_index(f);
    if (!at(f, '*')) {
        scan_number(f, &f->spec.precision);
        f->spec.has_precision = true;
        return;
    }
    f->pos++;
    f->spec.has_precision = int_argument(f, &f->spec.precision);
    if (f->spec.precision < 0) {
        f->spec.precision = 0;
        f->spec.has_precision = false;
    }
    if (!f->spec.has_precision)
        tpl_puts(f->t, "%!(BADPREC)");
    f->after_index = false;
}

static void print_verb(struct format *f, uint32_t verb)
{
    if (verb == '%') {
        tpl_putc(f->t, '%');
        return;
    }
    if (!f->good_index || f->arg >= f->argc) {
        tpl_puts(f->t, "%!");
        tpl_put_rune(f->t, verb);
        tpl_puts(f->t, f->good_index ? "(MISSING)" : "(BADINDEX)");
        return;
    }
    if (verb == 'v') {
        f->spec.sharp_v = f->spec.sharp;
        f->spec.sharp = false;
        f->spec.plus_v = f->spec.plus;
        f->spec.plus = false;
    }
    print_value(f->t, &f->spec, f->argv[f->arg++], verb, 0);
}

static void print_extra(struct format *f)
{
    struct tpl_spec plain = {0};

    tpl_puts(f->t, "%!(EXTRA ");
    for (size_t i = f->arg; i < f->argc; i++) {
        if (i > f->arg)
            tpl_puts(f->t, ", ");
        if (f->argv[i].kind != TPL_NIL && f->argv[i].kind != TPL_INVALID)
            tpl_printf(f->t, "%s=", tpl_type_name(f->argv[i]));
        print_value(f->t, &plain, f->argv[i], 'v', 0);
    }
    tpl_putc(f->t, ')');
}

/* After the percent sign; false when the format ends within a verb. */
static bool format_verb(struct format *f)
{
    uint32_t verb;

    f->spec = (struct tpl_spec){0};
    f->good_index = true;
    scan_flags(f);
    scan_index(f);
    scan_width(f);
    scan_precision(f);
    if (!f->after_index)
        scan_index(f);
    if (f->pos >= f->text.len) {
        tpl_puts(f->t, "%!(NOVERB)");
        return false;
    }
    f->pos += coras_utf8_decode(f->text.ptr + f->pos, f->text.len - f->pos, &verb);
    print_verb(f, verb);
    return true;
}

void tpl_sprintf(struct tpl_text *t, coras_str format, size_t argc, const tpl_value *argv)
{
    struct format f = {.t = t, .text = format, .argc = argc, .argv = argv};

    while (f.pos < format.len) {
        const char *percent = memchr(format.ptr + f.pos, '%', format.len - f.pos);
        size_t end = percent ? (size_t)(percent - format.ptr) : format.len;
        tpl_put_str(t, tpl_sub(format, f.pos, end));
        f.pos = end + 1;
        if (!percent || !format_verb(&f))
            break;
    }
    if (!f.reordered && f.arg < argc)
        print_extra(&f);
}
