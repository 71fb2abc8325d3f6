/* SPDX-License-Identifier: Apache-2.0 */
/* Sprintf: the format's verbs, flags, widths and argument indices. */
#include "gotemplate/print.h"

struct format {
    struct gotmpl_text *t;
    coras_str text;
    size_t pos;
    size_t argc;
    const gotmpl_value *argv;
    size_t arg;
    bool good_index, reordered, after_index;
    struct gotmpl_spec spec;
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
        if (*ret > GOTMPL_LIMIT_WIDTH) {
            *ret = 0; /* overflow: nothing that follows is read */
            f->pos = f->text.len;
            return false;
        }
        *ret = *ret * 10 + (f->text.ptr[f->pos] - '0');
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
    if (!close || f->text.len - f->pos < 3) {
        f->good_index = false;
        f->pos++;
        return;
    }
    end = (size_t)(close - f->text.ptr);
    f->pos = start;
    f->after_index = scan_number(f, &number) && f->pos == end;
    if (f->after_index && number >= 1 && (size_t)number <= f->argc)
        f->arg = (size_t)number - 1;
    else
        f->good_index = false;
    f->pos = end + 1;
}

/* The value of a * width or precision. */
static bool int_argument(struct format *f, int *ret)
{
    gotmpl_value v;

    *ret = 0;
    if (f->arg >= f->argc)
        return false;
    v = f->argv[f->arg++];
    if (!gotmpl_is_int(v) || v.i > GOTMPL_LIMIT_WIDTH || v.i < -GOTMPL_LIMIT_WIDTH)
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
        gotmpl_puts(f->t, "%!(BADWIDTH)");
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
        gotmpl_puts(f->t, "%!(BADPREC)");
    f->after_index = false;
}

static void print_verb(struct format *f, uint32_t verb)
{
    if (verb == '%') {
        gotmpl_putc(f->t, '%');
        return;
    }
    if (!f->good_index || f->arg >= f->argc) {
        gotmpl_puts(f->t, "%!");
        gotmpl_put_rune(f->t, verb);
        gotmpl_puts(f->t, f->good_index ? "(MISSING)" : "(BADINDEX)");
        return;
    }
    if (verb == 'v' || verb == 'w') {
        f->spec.sharp_v = f->spec.sharp;
        f->spec.sharp = false;
        f->spec.plus = false;
    }
    gotmpl_print_value(f->t, &f->spec, f->argv[f->arg++], verb);
}

static void print_extra(struct format *f)
{
    struct gotmpl_spec plain = {0};

    gotmpl_puts(f->t, "%!(EXTRA ");
    for (size_t i = f->arg; i < f->argc; i++) {
        if (i > f->arg)
            gotmpl_puts(f->t, ", ");
        if (f->argv[i].kind != GOTMPL_NIL && f->argv[i].kind != GOTMPL_INVALID)
            gotmpl_printf(f->t, "%s=", gotmpl_type_name(f->argv[i]));
        gotmpl_print_value(f->t, &plain, f->argv[i], 'v');
    }
    gotmpl_putc(f->t, ')');
}

/* After the percent sign; false when the format ends within a verb. */
static bool format_verb(struct format *f)
{
    uint32_t verb;

    f->spec = (struct gotmpl_spec){0};
    f->good_index = true;
    scan_flags(f);
    scan_index(f);
    scan_width(f);
    scan_precision(f);
    if (!f->after_index)
        scan_index(f);
    if (f->pos >= f->text.len) {
        gotmpl_puts(f->t, "%!(NOVERB)");
        return false;
    }
    f->pos += coras_utf8_decode(f->text.ptr + f->pos, f->text.len - f->pos, &verb);
    print_verb(f, verb);
    return true;
}

void gotmpl_sprintf(struct gotmpl_text *t, coras_str format, size_t argc, const gotmpl_value *argv)
{
    struct format f = {.t = t, .text = format, .argc = argc, .argv = argv};

    while (f.pos < format.len) {
        const char *percent = memchr(format.ptr + f.pos, '%', format.len - f.pos);
        size_t end = percent ? (size_t)(percent - format.ptr) : format.len;
        gotmpl_put_str(t, gotmpl_sub(format, f.pos, end));
        f.pos = end + 1;
        if (!percent || !format_verb(&f))
            break;
    }
    if (!f.reordered && f.arg < argc)
        print_extra(&f);
}
