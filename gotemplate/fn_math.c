/* SPDX-License-Identifier: Apache-2.0 */
/* sprig: integers and floats. */
#include "gotemplate/funcs.h"
#include "base/alloc.h"
#include "gotemplate/literal.h"

#include <math.h>
#include "gospell/float.h"

/* ---- integers wrap around, as Go's do ---- */

GOTMPL_FN(fn_add)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < argc; i++)
        sum += (uint64_t)gotmpl_to_int64(v[i]);
    return gotmpl_int64((int64_t)sum);
}

GOTMPL_FN_IS(fn_add1, gotmpl_int64((int64_t)((uint64_t)gotmpl_to_int64(v[0]) + 1)));

GOTMPL_FN(fn_sub)
{
    return gotmpl_int64(
        (int64_t)((uint64_t)gotmpl_to_int64(v[0]) - (uint64_t)gotmpl_to_int64(v[1])));
}

GOTMPL_FN(fn_mul)
{
    uint64_t product = (uint64_t)gotmpl_to_int64(v[0]);

    for (size_t i = 1; i < argc; i++)
        product *= (uint64_t)gotmpl_to_int64(v[i]);
    return gotmpl_int64((int64_t)product);
}

GOTMPL_FN(fn_div)
{
    int64_t x = gotmpl_to_int64(v[0]), y = gotmpl_to_int64(v[1]);

    if (y == 0)
        gotmpl_fail(a, "runtime error: integer divide by zero");
    return gotmpl_int64(y == -1 ? (int64_t)(0 - (uint64_t)x) : x / y);
}

GOTMPL_FN(fn_mod)
{
    int64_t x = gotmpl_to_int64(v[0]), y = gotmpl_to_int64(v[1]);

    if (y == 0)
        gotmpl_fail(a, "runtime error: integer divide by zero");
    return gotmpl_int64(y == -1 ? 0 : x % y);
}

GOTMPL_FN(fn_max)
{
    int64_t best = gotmpl_to_int64(v[0]);

    for (size_t i = 1; i < argc; i++)
        best = gotmpl_to_int64(v[i]) > best ? gotmpl_to_int64(v[i]) : best;
    return gotmpl_int64(best);
}

GOTMPL_FN(fn_min)
{
    int64_t best = gotmpl_to_int64(v[0]);

    for (size_t i = 1; i < argc; i++)
        best = gotmpl_to_int64(v[i]) < best ? gotmpl_to_int64(v[i]) : best;
    return gotmpl_int64(best);
}

GOTMPL_FN_IS(fn_int, gotmpl_int(gotmpl_to_int64(v[0])));
GOTMPL_FN_IS(fn_int64, gotmpl_int64(gotmpl_to_int64(v[0])));
GOTMPL_FN_IS(fn_float64, gotmpl_float(gotmpl_to_float(v[0])));

GOTMPL_FN(fn_atoi)
{
    int64_t n;

    return gotmpl_int(gotmpl_parse_int(v[0].s, 10, &n) == GOTMPL_BAD_SYNTAX ? 0 : n);
}

/* Despite the name: the text of the value read as an octal number. */
GOTMPL_FN(fn_to_decimal)
{
    int64_t n;

    return gotmpl_int64(gotmpl_parse_int(gotmpl_to_text(a, v[0]), 8, &n) == GOTMPL_PARSED ? n : 0);
}

/* ---- rows of integers ---- */

static struct gotmpl_list *count_up(struct gotmpl_arena *a, int64_t start, int64_t stop,
                                    int64_t step)
{
    struct gotmpl_list *l = gotmpl_list_new(a, GOTMPL_OF_INT, 0);
    int64_t i = start;

    if (stop < start ? step >= 0 : step <= 0)
        return l;
    do {
        if (stop < start ? i <= stop : i >= stop)
            break;
        gotmpl_list_add(a, l, gotmpl_int(i));
    } while (coras_add_int64(i, step, &i));
    return l;
}

GOTMPL_FN_IS(fn_until, gotmpl_of_list(count_up(a, 0, v[0].i, v[0].i < 0 ? -1 : 1)));
GOTMPL_FN_IS(fn_until_step, gotmpl_of_list(count_up(a, v[0].i, v[1].i, v[2].i)));

/* As the program of that name: seq END, seq START END, seq START STEP END. */
GOTMPL_FN(fn_seq)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);
    int64_t start = argc > 1 ? v[0].i : 1, end, step, past;
    const struct gotmpl_list *l;

    if (argc == 0 || argc > 3)
        return gotmpl_string(CORAS_STR(""));
    end = v[argc - 1].i;
    past = end < start ? -1 : 1;
    step = argc == 3 ? v[1].i : past;
    if (argc == 3 && end < start && step > 0)
        return gotmpl_string(CORAS_STR(""));
    l = count_up(a, start, (int64_t)((uint64_t)end + (uint64_t)past), step);
    for (size_t i = 0; i < l->len; i++)
        gotmpl_printf(&t, i ? " %lld" : "%lld", (long long)l->items[i].i);
    return gotmpl_string(gotmpl_text_str(&t));
}

/* ---- floats ---- */

/* The number that people see, 0.1 and not the double beside it, with some digits to spare. */
static long double as_written(struct gotmpl_arena *a, double f)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);

    coras_go_float(&a->scratch, f);
    gotmpl_put_scratch(&t);
    return strtold(gotmpl_text_str(&t).ptr, NULL);
}

/* sprig computes in decimal, where 0.1 + 0.2 is 0.3: so does this, to the digits of a double. */
static double compute(struct gotmpl_arena *a, double x, char operation, double y)
{
    long double dx = as_written(a, x), dy = as_written(a, y);

    switch (operation) {
    case '+':
        return (double)(dx + dy);
    case '-':
        return (double)(dx - dy);
    case '*':
        return (double)(dx * dy);
    default:
        if (y == 0)
            gotmpl_fail(a, "decimal division by 0");
        dx /= dy;
        /* sprig's quotient has 16 decimals; larger ones have fewer in a double anyway. */
        return (double)(fabsl(dx) < 100 ? roundl(dx * 1e16L) / 1e16L : dx);
    }
}

static gotmpl_value fold(struct gotmpl_arena *a, size_t argc, const gotmpl_value *v, char operation)
{
    double x = gotmpl_to_float(v[0]);

    for (size_t i = 1; i < argc; i++)
        x = compute(a, x, operation, gotmpl_to_float(v[i]));
    return gotmpl_float(x);
}

GOTMPL_FN_IS(fn_addf, argc ? fold(a, argc, v, '+') : gotmpl_float(0));
GOTMPL_FN_IS(fn_add1f, gotmpl_float(compute(a, gotmpl_to_float(v[0]), '+', 1)));
GOTMPL_FN_IS(fn_subf, fold(a, argc, v, '-'));
GOTMPL_FN_IS(fn_mulf, fold(a, argc, v, '*'));
GOTMPL_FN_IS(fn_divf, fold(a, argc, v, '/'));

GOTMPL_FN(fn_maxf)
{
    double best = gotmpl_to_float(v[0]);

    for (size_t i = 1; i < argc; i++)
        best = fmax(best, gotmpl_to_float(v[i]));
    return gotmpl_float(best);
}

GOTMPL_FN(fn_minf)
{
    double best = gotmpl_to_float(v[0]);

    for (size_t i = 1; i < argc; i++)
        best = fmin(best, gotmpl_to_float(v[i]));
    return gotmpl_float(best);
}

GOTMPL_FN_IS(fn_floor, gotmpl_float(floor(gotmpl_to_float(v[0]))));
GOTMPL_FN_IS(fn_ceil, gotmpl_float(ceil(gotmpl_to_float(v[0]))));

GOTMPL_FN(fn_round)
{
    double from = argc > 2 ? v[2].f : 0.5, power = pow(10, (double)v[1].i), whole;
    double scaled = power * gotmpl_to_float(v[0]);

    return gotmpl_float((modf(scaled, &whole) >= from ? ceil(scaled) : floor(scaled)) / power);
}

const struct gotmpl_function gotmpl_math_functions[] = {
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
