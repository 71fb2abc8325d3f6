/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers with units.
 */
#include "cli/options/amounts.h"

#include "base/error.h"
#include "base/str.h"

struct unit {
    const char *name;
    int64_t worth;
};

static const struct unit sizes[] = {
    {"", 1},           {"B", 1},           {"K", 1LL << 10},
    {"KB", 1LL << 10}, {"KiB", 1LL << 10}, {"M", 1LL << 20},
    {"MB", 1LL << 20}, {"MiB", 1LL << 20}, {"G", 1LL << 30},
    {"GB", 1LL << 30}, {"GiB", 1LL << 30}, {"T", 1LL << 40},
    {"TB", 1LL << 40}, {"TiB", 1LL << 40}, {NULL, 0},
};
static const struct unit spans[] = {
    {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 7 * 86400}, {NULL, 0},
};

/* False for what is no number with one of the units, and for what no number holds. */
static bool parse(const char *text, const struct unit *units, int64_t *ret)
{
    size_t digits = strspn(text, "0123456789");
    int64_t number, product;

    if (!coras_parse_int64((coras_str){text, digits}, &number))
        return false;
    while (units->name && !coras_str_ieq(units->name, text + digits))
        units++;
    if (!units->name || __builtin_mul_overflow(number, units->worth, &product))
        return false;
    *ret = product;
    return true;
}

int amount_parse_bytes(const char *text, int64_t *ret, coras_error **err)
{
    if (parse(text, sizes, ret))
        return 0;
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                      "not a size: give bytes, or a number with K, M, G or T");
}

int amount_parse_seconds(const char *text, int64_t *ret, coras_error **err)
{
    if (coras_streq(text, "0"))
        *ret = 0;
    else if (!parse(text, spans, ret))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "not a span of time: give a number with s, m, h, d or w");
    return 0;
}

int amount_check_bytes(const char *text, coras_error **err)
{
    int64_t bytes;

    return amount_parse_bytes(text, &bytes, err);
}

int amount_check_seconds(const char *text, coras_error **err)
{
    int64_t seconds;

    return amount_parse_seconds(text, &seconds, err);
}
