/* Numbers of Go's fmt. */
#include "cli/template/print.h"

#include <math.h>

static size_t count_runes(coras_str s)
{
    size_t runes = 0;
    uint32_t c;

    for (size_t i = 0; i < s.len; runes++)
        i += coras_utf8_decode(s.ptr + i, s.len - i, &c);
    return runes;
}

static void put_padding(struct tpl_text *t, size_t count, char c)
{
    memset(tpl_reserve(t, count), c, count);
    t->len += count;
}

void tpl_pad(struct tpl_text *t, const struct tpl_spec *spec, coras_str s)
{
    size_t runes = spec->has_width ? count_runes(s) : 0, width = (size_t)spec->width, missing;

    missing = spec->has_width && width > runes ? width - runes : 0;
    if (missing && !spec->minus)
        put_padding(t, missing, spec->zero ? '0' : ' ');
    tpl_put_str(t, s);
    if (missing && spec->minus)
        put_padding(t, missing, ' ');
}

static void pad_blank(struct tpl_text *t, const struct tpl_spec *spec, coras_str s)
{
    struct tpl_spec blank = *spec;

    blank.zero = false;
    tpl_pad(t, &blank, s);
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

static void put_int_prefix(struct tpl_text *t, const struct tpl_spec *spec, uint32_t verb,
                           unsigned base, bool leading_zero)
{
    if (verb == 'O')
        tpl_puts(t, "0o");
    if (!spec->sharp)
        return;
    if (base == 2)
        tpl_puts(t, "0b");
    else if (base == 8 && !leading_zero)
        tpl_puts(t, "0");
    else if (base == 16)
        tpl_puts(t, verb == 'X' ? "0X" : "0x");
}

void tpl_print_int(struct tpl_text *t, const struct tpl_spec *spec, uint64_t u, bool is_signed,
                   uint32_t verb)
{
    const char *digits = verb == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    bool negative = is_signed && (int64_t)u < 0;
    unsigned base = base_of(verb);
    struct tpl_text text = TPL_TEXT(t->arena);
    char reversed[64];
    int len = 0, zeros = 0;

    if (negative)
        u = 0 - u;
    if (spec->has_precision) {
        zeros = spec->precision;
        if (zeros == 0 && u == 0) {
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
        tpl_putc(&text, '-');
    else if (spec->plus || spec->space)
        tpl_putc(&text, spec->plus ? '+' : ' ');
    put_int_prefix(&text, spec, verb, base, zeros > len || reversed[len - 1] == '0');
    if (zeros > len)
        put_padding(&text, (size_t)(zeros - len), '0');
    while (len > 0)
        tpl_putc(&text, reversed[--len]);
    pad_blank(t, spec, tpl_text_str(&text));
}

/* Digits needed to read the same number back. */
static int shortest_digits(double f)
{
    char text[40];
    int digits = 1;

    for (; digits < 17; digits++) {
        snprintf(text, sizeof(text), "%.*e", digits - 1, f);
        if (strtod(text, NULL) == f)
            break;
    }
    return digits;
}

static int exponent_of(double f, int digits)
{
    char text[40];

    snprintf(text, sizeof(text), "%.*e", digits - 1, f);
    return (int)strtol(strchr(text, 'e') + 1, NULL, 10);
}

static void put_shortest(struct tpl_text *t, double f, char verb)
{
    enum { PLAIN_FROM = -4, PLAIN_BELOW = 6 }; /* exponents that %g shows without one */
    int digits = f == 0 ? 1 : shortest_digits(f);
    int exponent = f == 0 ? 0 : exponent_of(f, digits);
    int decimals = digits - 1 - exponent;
    bool general = verb == 'g' || verb == 'G';

    if (verb == 'f' || (general && exponent >= PLAIN_FROM && exponent < PLAIN_BELOW))
        tpl_printf(t, "%.*f", decimals > 0 ? decimals : 0, f);
    else
        tpl_printf(t, verb == 'e' || verb == 'g' ? "%.*e" : "%.*E", digits - 1, f);
}

/* C's hexadecimal form, but with two digits of exponent at least. */
static void put_hex(struct tpl_text *t, double f, bool upper, int precision)
{
    char text[64];
    char *exponent;

    if (precision > 30)
        precision = 30;
    if (precision < 0)
        snprintf(text, sizeof(text), upper ? "%A" : "%a", f);
    else
        snprintf(text, sizeof(text), upper ? "%.*A" : "%.*a", precision, f);
    exponent = strpbrk(text, "pP") + 2;
    tpl_put(t, text, (size_t)(exponent - text));
    tpl_printf(t, strlen(exponent) < 2 ? "0%s" : "%s", exponent);
}

static void put_float(struct tpl_text *t, double f, char verb, int precision)
{
    if (verb == 'x' || verb == 'X')
        put_hex(t, f, verb == 'X', precision);
    else if (precision < 0)
        put_shortest(t, f, verb);
    else if (verb == 'f')
        tpl_printf(t, "%.*f", precision, f);
    else if (verb == 'e' || verb == 'E')
        tpl_printf(t, verb == 'e' ? "%.*e" : "%.*E", precision, f);
    else
        tpl_printf(t, verb == 'g' ? "%.*g" : "%.*G", precision, f);
}

/* The # flag of %g: a point always, and zeros up to the precision. */
static coras_str with_point(struct tpl_arena *a, coras_str s, int digits)
{
    struct tpl_text t = TPL_TEXT(a);
    size_t tail = 0;
    bool point = false, significant = false;

    while (tail < s.len && s.ptr[tail] != 'e' && s.ptr[tail] != 'E')
        tail++;
    for (size_t i = 0; i < tail; i++) {
        point |= s.ptr[i] == '.';
        if (s.ptr[i] == '.')
            continue;
        significant |= s.ptr[i] != '0';
        digits -= significant;
    }
    tpl_put_str(&t, tpl_sub(s, 0, tail));
    if (!point) {
        digits -= tail == 1 && s.ptr[0] == '0';
        tpl_putc(&t, '.');
    }
    while (digits-- > 0)
        tpl_putc(&t, '0');
    tpl_put_str(&t, tpl_sub(s, tail, s.len));
    return tpl_text_str(&t);
}

void tpl_print_float(struct tpl_text *t, const struct tpl_spec *spec, double f, char verb,
                     int precision)
{
    struct tpl_text text = TPL_TEXT(t->arena);
    bool negative = signbit(f) && !isnan(f), finite = isfinite(f);
    char sign = negative ? '-' : spec->plus ? '+' : spec->space ? ' ' : '\0';
    coras_str number;

    if (spec->has_precision)
        precision = spec->precision;
    if (finite) {
        put_float(&text, fabs(f), verb, precision);
        number = tpl_text_str(&text);
        if (spec->sharp)
            number = with_point(t->arena, number,
                                verb == 'g' || verb == 'G' ? (precision < 0 ? 6 : precision) : 0);
    } else {
        number = isnan(f) ? CORAS_STR("NaN") : CORAS_STR("Inf");
        sign = isinf(f) && !sign ? '+' : sign;
    }
    text = (struct tpl_text)TPL_TEXT(t->arena);
    if (sign)
        tpl_putc(&text, sign);
    if (finite && spec->zero && !spec->minus && spec->has_width &&
        (size_t)spec->width > number.len + (sign != 0))
        put_padding(&text, (size_t)spec->width - number.len - (sign != 0), '0');
    tpl_put_str(&text, number);
    pad_blank(t, spec, tpl_text_str(&text));
}
