/* Numbers of Go's fmt. */
#include "gotemplate/print.h"

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

/* Mantissa as a whole number and a power of two. */
static uint64_t split_double(double f, int *ret_exponent)
{
    enum { MANTISSA_BITS = 52, BIAS = 1023 + MANTISSA_BITS, EXPONENT_MASK = 0x7ff };
    uint64_t bits;
    int exponent;

    memcpy(&bits, &f, sizeof(bits));
    exponent = (int)(bits >> MANTISSA_BITS) & EXPONENT_MASK;
    bits &= ((uint64_t)1 << MANTISSA_BITS) - 1;
    if (exponent == 0)
        exponent++; /* denormal */
    else
        bits |= (uint64_t)1 << MANTISSA_BITS;
    *ret_exponent = exponent - BIAS;
    return bits;
}

static void put_binary(struct tpl_text *t, double f)
{
    int exponent;
    uint64_t mantissa = split_double(f, &exponent);

    tpl_printf(t, "%llup%+d", (unsigned long long)mantissa, exponent);
}

/* One digit before the point, 1 but for zero, and rounding to even. */
static void put_hex(struct tpl_text *t, double f, bool upper, int precision)
{
    enum { POINT = 60, DIGITS = POINT / 4 };
    int exponent, digits = DIGITS;
    uint64_t m = split_double(f, &exponent), lost;

    for (exponent += POINT; m && !(m >> POINT); exponent--)
        m <<= 1;
    if (precision >= 0 && precision < DIGITS) {
        int shift = POINT - precision * 4;
        lost = m & (((uint64_t)1 << shift) - 1);
        m >>= shift;
        m += lost + (m & 1) > (uint64_t)1 << (shift - 1);
        m <<= shift;
        if (m >> (POINT + 1)) {
            m >>= 1;
            exponent++;
        }
    }
    for (; digits > 0 && !(m >> (POINT - digits * 4) & 15); digits--)
        ;
    tpl_printf(t, upper ? "0X%d" : "0x%d", (int)(m >> POINT));
    if (precision < 0)
        precision = digits;
    if (precision > 0)
        tpl_putc(t, '.');
    for (int i = 1; i <= precision; i++)
        tpl_putc(t, (upper ? "0123456789ABCDEF"
                           : "0123456789abcdef")[i <= DIGITS ? m >> (POINT - i * 4) & 15 : 0]);
    tpl_printf(t, upper ? "P%+03d" : "p%+03d", m ? exponent : 0);
}

static void put_float(struct tpl_text *t, double f, char verb, int precision)
{
    if (verb == 'b')
        put_binary(t, f);
    else if (verb == 'x' || verb == 'X')
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

/* The # flag: a point always, and zeros up to the number of digits. */
static coras_str with_point(struct tpl_arena *a, coras_str s, char verb, int digits)
{
    const char *marks = verb == 'x' || verb == 'X' ? "pP" : "pPeE";
    struct tpl_text t = TPL_TEXT(a);
    size_t tail = 0;
    bool point = false, significant = false;

    while (tail < s.len && !strchr(marks, s.ptr[tail]))
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

static int least_digits(char verb, int precision)
{
    enum { USUAL = 6 };

    if (verb != 'g' && verb != 'G' && verb != 'x')
        return 0;
    return precision < 0 ? USUAL : precision;
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
        if (spec->sharp && verb != 'b')
            number = with_point(t->arena, number, verb, least_digits(verb, precision));
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
