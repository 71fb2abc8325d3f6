/* sprig: integers and floats. */
#include "gotemplate/funcs.h"
#include "base/alloc.h"
#include "gotemplate/literal.h"

#include <math.h>

#define FN(name) static tpl_value name(struct tpl_arena *a, size_t argc, const tpl_value *v)

/* ---- integers wrap around, as Go's do ---- */

FN(fn_add)
{
    uint64_t sum = 0;

    (void)a;
    for (size_t i = 0; i < argc; i++)
        sum += (uint64_t)tpl_to_int64(v[i]);
    return tpl_int64((int64_t)sum);
}

FN(fn_add1)
{
    (void)a, (void)argc;
    return tpl_int64((int64_t)((uint64_t)tpl_to_int64(v[0]) + 1));
}

FN(fn_sub)
{
    (void)a, (void)argc;
    return tpl_int64((int64_t)((uint64_t)tpl_to_int64(v[0]) - (uint64_t)tpl_to_int64(v[1])));
}

FN(fn_mul)
{
    uint64_t product = (uint64_t)tpl_to_int64(v[0]);

    (void)a;
    for (size_t i = 1; i < argc; i++)
        product *= (uint64_t)tpl_to_int64(v[i]);
    return tpl_int64((int64_t)product);
}

FN(fn_div)
{
    int64_t x = tpl_to_int64(v[0]), y = tpl_to_int64(v[1]);

    (void)argc;
    if (y == 0)
        tpl_fail(a, "runtime error: integer divide by zero");
    return tpl_int64(y == -1 ? (int64_t)(0 - (uint64_t)x) : x / y);
}

FN(fn_mod)
{
    int64_t x = tpl_to_int64(v[0]), y = tpl_to_int64(v[1]);

    (void)argc;
    if (y == 0)
        tpl_fail(a, "runtime error: integer divide by zero");
    return tpl_int64(y == -1 ? 0 : x % y);
}

FN(fn_max)
{
    int64_t best = tpl_to_int64(v[0]);

    (void)a;
    for (size_t i = 1; i < argc; i++)
        best = tpl_to_int64(v[i]) > best ? tpl_to_int64(v[i]) : best;
    return tpl_int64(best);
}

FN(fn_min)
{
    int64_t best = tpl_to_int64(v[0]);

    (void)a;
    for (size_t i = 1; i < argc; i++)
        best = tpl_to_int64(v[i]) < best ? tpl_to_int64(v[i]) : best;
    return tpl_int64(best);
}

FN(fn_int)
{
    (void)a, (void)argc;
    return tpl_int(tpl_to_int64(v[0]));
}

FN(fn_int64)
{
    (void)a, (void)argc;
    return tpl_int64(tpl_to_int64(v[0]));
}

FN(fn_float64)
{
    (void)a, (void)argc;
    return tpl_float(tpl_to_float(v[0]));
}

FN(fn_atoi)
{
    int64_t n;

    (void)a, (void)argc;
    return tpl_int(tpl_parse_int(v[0].s, 10, &n) == TPL_BAD_SYNTAX ? 0 : n);
}

/* Despite the name: the text of the value read as an octal number. */
FN(fn_to_decimal)
{
    int64_t n;

    (void)argc;
    return tpl_int64(tpl_parse_int(tpl_to_text(a, v[0]), 8, &n) == TPL_PARSED ? n : 0);
}

/* ---- rows of integers ---- */

static struct tpl_list *count_up(struct tpl_arena *a, int64_t start, int64_t stop, int64_t step)
{
    struct tpl_list *l = tpl_list_new(a, TPL_OF_INT, 0);
    int64_t i = start;

    if (stop < start ? step >= 0 : step <= 0)
        return l;
    do {
        if (stop < start ? i <= stop : i >= stop)
            break;
        tpl_list_add(a, l, tpl_int(i));
    } while (coras_add_int64(i, step, &i));
    return l;
}

FN(fn_until)
{
    (void)argc;
    return tpl_of_list(count_up(a, 0, v[0].i, v[0].i < 0 ? -1 : 1));
}

FN(fn_until_step)
{
    (void)argc;
    return tpl_of_list(count_up(a, v[0].i, v[1].i, v[2].i));
}

/* As the program of that name: seq END, seq START END, seq START STEP END. */
FN(fn_seq)
{
    struct tpl_text t = TPL_TEXT(a);
    int64_t start = argc > 1 ? v[0].i : 1, end, step, past;
    const struct tpl_list *l;

    if (argc == 0 || argc > 3)
        return tpl_string(CORAS_STR(""));
    end = v[argc - 1].i;
    past = end < start ? -1 : 1;
    step = argc == 3 ? v[1].i : past;
    if (argc == 3 && end < start && step > 0)
        return tpl_string(CORAS_STR(""));
    l = count_up(a, start, (int64_t)((uint64_t)end + (uint64_t)past), step);
    for (size_t i = 0; i < l->len; i++)
        tpl_printf(&t, i ? " %lld" : "%lld", (long long)l->items[i].i);
    return tpl_string(tpl_text_str(&t));
}

/* ---- floats, computed in decimal so that 0.1 + 0.2 is 0.3 ---- */

struct decimal {
    __int128 digits;
    int exponent; /* value = digits * 10^exponent */
};

static bool decimal_of(double f, struct decimal *ret)
{
    char text[40], *end;
    int places = 0;
    int64_t digits;

    if (!isfinite(f))
        return false;
    for (; places < 17; places++) {
        snprintf(text, sizeof(text), "%.*e", places, f);
        if (strtod(text, NULL) == f)
            break;
    }
    end = strchr(text, 'e');
    ret->exponent = (int)strtol(end + 1, NULL, 10) - places;
    *end = '\0';
    end = strchr(text, '.');
    if (end)
        memmove(end, end + 1, strlen(end));
    digits = strtoll(text, NULL, 10);
    ret->digits = digits;
    return true;
}

static double decimal_value(struct decimal d)
{
    char text[64];
    size_t at = sizeof(text);
    bool negative = d.digits < 0;
    unsigned __int128 n = negative ? -(unsigned __int128)d.digits : (unsigned __int128)d.digits;
    int len = snprintf(text, sizeof(text), "e%d", d.exponent);
    char tail[24];

    memcpy(tail, text, (size_t)len + 1);
    at -= (size_t)len + 1;
    memcpy(text + at, tail, (size_t)len + 1);
    do
        text[--at] = (char)('0' + (int)(n % 10));
    while ((n /= 10) != 0);
    if (negative)
        text[--at] = '-';
    return strtod(text + at, NULL);
}

/* digits * 10^shift; false when it does not fit. */
static bool scale(__int128 *digits, int shift)
{
    for (; shift > 0; shift--)
        if (__builtin_mul_overflow(*digits, (__int128)10, digits))
            return false;
    return true;
}

static bool decimal_add(struct decimal *x, struct decimal y)
{
    if (x->digits == 0)
        x->exponent = y.exponent;
    if (y.digits == 0)
        y.exponent = x->exponent;
    if (x->exponent > y.exponent) {
        if (!scale(&x->digits, x->exponent - y.exponent))
            return false;
        x->exponent = y.exponent;
    } else if (!scale(&y.digits, y.exponent - x->exponent)) {
        return false;
    }
    return !__builtin_add_overflow(x->digits, y.digits, &x->digits);
}

static bool decimal_multiply(struct decimal *x, struct decimal y)
{
    x->exponent += y.exponent;
    return !__builtin_mul_overflow(x->digits, y.digits, &x->digits);
}

/* To 16 decimals, halves away from zero. */
static bool decimal_divide(struct decimal *x, struct decimal y)
{
    enum { DECIMALS = 16 };
    int shift = x->exponent - y.exponent + DECIMALS;
    __int128 quotient, left;

    if (shift >= 0 ? !scale(&x->digits, shift) : !scale(&y.digits, -shift))
        return false;
    quotient = x->digits / y.digits;
    left = x->digits % y.digits;
    left = left < 0 ? -left : left;
    if (left >= (y.digits < 0 ? -y.digits : y.digits) - left)
        quotient += (x->digits < 0) == (y.digits < 0) ? 1 : -1;
    x->digits = quotient;
    x->exponent = -DECIMALS;
    return true;
}

/* Exact while 38 digits suffice, else in binary. */
static double compute(struct tpl_arena *a, double x, char operation, double y)
{
    struct decimal dx, dy;
    bool exact = decimal_of(x, &dx) && decimal_of(y, &dy);

    switch (operation) {
    case '+':
        return exact && decimal_add(&dx, dy) ? decimal_value(dx) : x + y;
    case '-':
        if (exact)
            dy.digits = -dy.digits;
        return exact && decimal_add(&dx, dy) ? decimal_value(dx) : x - y;
    case '*':
        return exact && decimal_multiply(&dx, dy) ? decimal_value(dx) : x * y;
    default:
        if (y == 0)
            tpl_fail(a, "decimal division by 0");
        return exact && decimal_divide(&dx, dy) ? decimal_value(dx) : x / y;
    }
}

static tpl_value fold(struct tpl_arena *a, size_t argc, const tpl_value *v, char operation)
{
    double x = tpl_to_float(v[0]);

    for (size_t i = 1; i < argc; i++)
        x = compute(a, x, operation, tpl_to_float(v[i]));
    return tpl_float(x);
}

FN(fn_addf)
{
    return argc ? fold(a, argc, v, '+') : tpl_float(0);
}

FN(fn_add1f)
{
    (void)argc;
    return tpl_float(compute(a, tpl_to_float(v[0]), '+', 1));
}

FN(fn_subf)
{
    return fold(a, argc, v, '-');
}

FN(fn_mulf)
{
    return fold(a, argc, v, '*');
}

FN(fn_divf)
{
    return fold(a, argc, v, '/');
}

FN(fn_maxf)
{
    double best = tpl_to_float(v[0]);

    (void)a;
    for (size_t i = 1; i < argc; i++)
        best = fmax(best, tpl_to_float(v[i]));
    return tpl_float(best);
}

FN(fn_minf)
{
    double best = tpl_to_float(v[0]);

    (void)a;
    for (size_t i = 1; i < argc; i++)
        best = fmin(best, tpl_to_float(v[i]));
    return tpl_float(best);
}

FN(fn_floor)
{
    (void)a, (void)argc;
    return tpl_float(floor(tpl_to_float(v[0])));
}

FN(fn_ceil)
{
    (void)a, (void)argc;
    return tpl_float(ceil(tpl_to_float(v[0])));
}

FN(fn_round)
{
    double from = argc > 2 ? v[2].f : 0.5, power = pow(10, (double)v[1].i), whole;
    double scaled = power * tpl_to_float(v[0]);

    (void)a;
    return tpl_float((modf(scaled, &whole) >= from ? ceil(scaled) : floor(scaled)) / power);
}

const struct tpl_function tpl_math_functions[] = {
    {"add", "a*", fn_add},
    {"add1", "a", fn_add1},
    {"add1f", "a", fn_add1f},
    {"addf", "a*", fn_addf},
    {"atoi", "s", fn_atoi},
    {"biggest", "aa*", fn_max},
    {"ceil", "a", fn_ceil},
    {"div", "aa", fn_div},
    {"divf", "aa*", fn_divf},
    {"float64", "a", fn_float64},
    {"floor", "a", fn_floor},
    {"int", "a", fn_int},
    {"int64", "a", fn_int64},
    {"max", "aa*", fn_max},
    {"maxf", "aa*", fn_maxf},
    {"min", "aa*", fn_min},
    {"minf", "aa*", fn_minf},
    {"mod", "aa", fn_mod},
    {"mul", "aa*", fn_mul},
    {"mulf", "aa*", fn_mulf},
    {"round", "aif*", fn_round},
    {"seq", "i*", fn_seq},
    {"sub", "aa", fn_sub},
    {"subf", "aa*", fn_subf},
    {"toDecimal", "a", fn_to_decimal},
    {"until", "i", fn_until},
    {"untilStep", "iii", fn_until_step},
    {NULL, NULL, NULL},
};
