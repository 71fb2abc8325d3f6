/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Doubles as text, the way Go prints them.
 */
#include "gospell/float.h"

#include <math.h>
#include "base/str.h"

/* A double as 0.d1d2d3… × 10^point: the shortest digits that read back as the same value. */
struct decimal {
    char digits[18];
    int count;
    int point;
};

enum { SCIENTIFIC_BYTES = 32 }; /* "d.<16 digits>e-308" and some air */

/* Add one to the last digit of the mantissa; false when all are nines. */
static bool round_up(char *text)
{
    for (char *at = strchr(text, 'e'); at-- > text;) {
        if (!coras_is_digit(*at))
            continue;
        if (*at != '9') {
            ++*at;
            return true;
        }
        *at = '0';
    }
    return false;
}

static void split_scientific(const char *text, struct decimal *ret)
{
    ret->count = 0;
    for (; *text != 'e'; text++) {
        if (coras_is_digit(*text)) /* skips the point, whatever the locale writes */
            ret->digits[ret->count++] = *text;
    }
    while (ret->count > 1 && ret->digits[ret->count - 1] == '0')
        ret->count--;
    ret->point = (int)strtol(text + 1, NULL, 10) + 1;
}

/*
 * With n digits the nearest decimal is the one to try. At a power of two the doubles above are
 * twice as far away as those below, so there the next decimal upwards may do when the nearest does
 * not.
 */
static void shortest(double n, struct decimal *ret)
{
    enum { MOST_DIGITS = 17 };
    char text[SCIENTIFIC_BYTES];

    for (int digits = 1; digits <= MOST_DIGITS; digits++) {
        (void)snprintf(text, sizeof(text), "%.*e", digits - 1, n);
        if (strtod(text, NULL) == n)
            break;
        if (digits < MOST_DIGITS && round_up(text) && strtod(text, NULL) == n)
            break;
    }
    split_scientific(text, ret);
}

static void put_exponential(coras_buf *out, const struct decimal *d, int exponent_digits)
{
    int exponent = d->point - 1;

    coras_buf_putc(out, d->digits[0]);
    if (d->count > 1) {
        coras_buf_putc(out, '.');
        coras_buf_put(out, d->digits + 1, (size_t)d->count - 1);
    }
    coras_buf_printf(out, "e%c%0*d", exponent < 0 ? '-' : '+', exponent_digits, abs(exponent));
}

static void put_plain(coras_buf *out, const struct decimal *d)
{
    if (d->point <= 0)
        coras_buf_puts(out, "0");
    for (int i = 0; i < d->point; i++)
        coras_buf_putc(out, i < d->count ? d->digits[i] : '0');
    if (d->count <= d->point)
        return;
    coras_buf_putc(out, '.');
    for (int i = d->point; i < 0; i++)
        coras_buf_putc(out, '0');
    int first = d->point > 0 ? d->point : 0;
    coras_buf_put(out, d->digits + first, (size_t)(d->count - first));
}

/* True when n was no ordinary number and is written. */
static bool put_special(coras_buf *out, double n)
{
    if (isnan(n))
        coras_buf_puts(out, "NaN");
    else if (isinf(n))
        coras_buf_puts(out, n < 0 ? "-Inf" : "+Inf");
    else if (n == 0)
        coras_buf_puts(out, signbit(n) ? "-0" : "0");
    else
        return false;
    return true;
}

void coras_go_float(coras_buf *out, double n)
{
    enum { EXPONENT_FROM = 6, EXPONENT_BELOW = -4 }; /* as %g with the shortest digits */
    struct decimal d;

    if (put_special(out, n))
        return;
    if (n < 0)
        coras_buf_putc(out, '-');
    shortest(fabs(n), &d);
    if (d.point - 1 < EXPONENT_BELOW || d.point - 1 >= EXPONENT_FROM)
        put_exponential(out, &d, 2);
    else
        put_plain(out, &d);
}

void coras_go_float_json(coras_buf *out, double n)
{
    enum { EXPONENT_FROM = 21, EXPONENT_BELOW = -6 };
    struct decimal d;

    if (put_special(out, n))
        return;
    if (n < 0)
        coras_buf_putc(out, '-');
    shortest(fabs(n), &d);
    if (d.point - 1 < EXPONENT_BELOW || d.point - 1 >= EXPONENT_FROM)
        put_exponential(out, &d, 1); /* 1e-7, but e+21 has two digits anyway */
    else
        put_plain(out, &d);
}
