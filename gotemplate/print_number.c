/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of Go's fmt. */
#include "gotemplate/print.h"

#include <math.h>
#include "gospell/float.h"

static size_t count_runes(coras_str s)
{
    size_t runes = 0;
    uint32_t c;

    for (size_t i = 0; i < s.len; runes++)
        i += coras_utf8_decode(s.ptr + i, s.len - i, &c);
    return runes;
}

static void put_padding(struct gotmpl_text *t, size_t count, char c)
{
    memset(gotmpl_reserve(t, count), c, count);
    t->len += count;
}

void gotmpl_pad(struct gotmpl_text *t, const struct gotmpl_spec *spec, coras_str s)
{
    size_t runes = spec->has_width ? count_runes(s) : 0, width = (size_t)spec->width, missing;

    missing = spec->has_width && width > runes ? width - runes : 0;
    if (missing && !spec->minus)
        put_padding(t, missing, spec->zero ? '0' : ' ');
    gotmpl_put_str(t, s);
    if (missing && spec->minus)
        put_padding(t, missing, ' ');
}

static void pad_blank(struct gotmpl_text *t, const struct gotmpl_spec *spec, coras_str s)
{
    struct gotmpl_spec blank = *spec;

    blank.zero = false;
    gotmpl_pad(t, &blank, s);
}

static unsigned base_of(uint32_t verb)
{
    switch (verb) {
    case 'b':
        return 2;
    case 'o':
    case 'O':
        return 8;
    case 'x':
    case 'X':
        return 16;
    default:
        return 10;
    }
}

static void put_int_prefix(struct gotmpl_text *t, const struct gotmpl_spec *spec, uint32_t verb,
                           unsigned base, bool leading_zero)
{
    if (verb == 'O')
        gotmpl_puts(t, "0o");
    if (!spec->sharp)
        return;
    if (base == 2)
        gotmpl_puts(t, "0b");
    else if (base == 8 && !leading_zero)
        gotmpl_puts(t, "0");
    else if (base == 16)
        gotmpl_puts(t, verb == 'X' ? "0X" : "0x");
}

void gotmpl_print_int(struct gotmpl_text *t, const struct gotmpl_spec *spec, uint64_t u,
                      bool is_signed, uint32_t verb)
{
    const char *digits = verb == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    bool negative = is_signed && (int64_t)u < 0;
    unsigned base = base_of(verb);
    struct gotmpl_text text = GOTMPL_TEXT(t->arena);
    char reversed[64];
    int len = 0, zeros = 0;

    if (negative)
        u = 0 - u;
    if (spec->has_precision) {
        zeros = spec->precision;
        if (zeros == 0 && u == 0) { /* nothing but padding */
            pad_blank(t, spec, CORAS_STR(""));
            return;
        }
    } else if (spec->zero && !spec->minus && spec->has_width) {
        zeros = spec->width - (negative || spec->plus || spec->space);
    }
    do
        reversed[len++] = digits[u % base];
    while ((u /= base) != 0);
    if (negative)
        gotmpl_putc(&text, '-');
    else if (spec->plus || spec->space)
        gotmpl_putc(&text, spec->plus ? '+' : ' ');
    put_int_prefix(&text, spec, verb, base, zeros > len || reversed[len - 1] == '0');
    if (zeros > len)
        put_padding(&text, (size_t)(zeros - len), '0');
    while (len > 0)
        gotmpl_putc(&text, reversed[--len]);
    pad_blank(t, spec, gotmpl_text_str(&text));
}

/* %g with as many digits as it takes to read the same number back. */
static void put_shortest(struct gotmpl_text *t, double f, char verb)
{
    size_t from = t->len;

    coras_go_float(&t->arena->scratch, f);
    gotmpl_put_scratch(t);
    for (size_t i = from; verb == 'G' && i < t->len; i++)
        if (t->ptr[i] == 'e')
            t->ptr[i] = 'E';
}

static void put_float(struct gotmpl_text *t, double f, char verb, int precision)
{
    if (precision < 0)
        put_shortest(t, f, verb);
    else if (verb == 'f')
        gotmpl_printf(t, "%.*f", precision, f);
    else if (verb == 'e' || verb == 'E')
        gotmpl_printf(t, verb == 'e' ? "%.*e" : "%.*E", precision, f);
    else
        gotmpl_printf(t, verb == 'g' ? "%.*g" : "%.*G", precision, f);
}

/* The # flag: a point always, and zeros up to the number of digits. */
static coras_str with_point(struct gotmpl_arena *a, coras_str s, int digits)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);
    size_t tail = 0;
    bool point = false, significant = false;

    while (tail < s.len && !strchr("eE", s.ptr[tail]))
        tail++;
    for (size_t i = 0; i < tail; i++) {
        point |= s.ptr[i] == '.';
        if (s.ptr[i] == '.')
            continue;
        significant |= s.ptr[i] != '0';
        digits -= significant;
    }
    gotmpl_put_str(&t, gotmpl_sub(s, 0, tail));
    if (!point) {
        digits -= tail == 1 && s.ptr[0] == '0';
        gotmpl_putc(&t, '.');
    }
    while (digits-- > 0)
        gotmpl_putc(&t, '0');
    gotmpl_put_str(&t, gotmpl_sub(s, tail, s.len));
    return gotmpl_text_str(&t);
}

static int least_digits(char verb, int precision)
{
    enum { USUAL = 6 };

    if (verb != 'g' && verb != 'G')
        return 0;
    return precision < 0 ? USUAL : precision;
}

void gotmpl_print_float(struct gotmpl_text *t, const struct gotmpl_spec *spec, double f, char verb,
                        int precision)
{
    struct gotmpl_text text = GOTMPL_TEXT(t->arena);
    bool negative = signbit(f) && !isnan(f), finite = isfinite(f);
    char sign = negative ? '-' : spec->plus ? '+' : spec->space ? ' ' : '\0';
    coras_str number;

    if (spec->has_precision)
        precision = spec->precision;
    if (finite) {
        put_float(&text, fabs(f), verb, precision);
        number = gotmpl_text_str(&text);
        if (spec->sharp)
            number = with_point(t->arena, number, least_digits(verb, precision));
    } else {
        number = isnan(f) ? CORAS_STR("NaN") : CORAS_STR("Inf");
        sign = isinf(f) && !sign ? '+' : sign;
    }
    text = (struct gotmpl_text)GOTMPL_TEXT(t->arena);
    if (sign)
        gotmpl_putc(&text, sign);
    if (finite && spec->zero && !spec->minus && spec->has_width &&
        (size_t)spec->width > number.len + (sign != 0))
        put_padding(&text, (size_t)spec->width - number.len - (sign != 0), '0');
    gotmpl_put_str(&text, number);
    pad_blank(t, spec, gotmpl_text_str(&text));
}
