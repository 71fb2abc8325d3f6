/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes and spans of time with units. */
#include "rows.h"

#include "cli/options/amounts.h"

static void sizes_have_units(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes; /* -1: refused */
    } cases[] = {
        {"0", 0},
        {"1", 1},
        {"12B", 12},
        {"2k", 2048},
        {"2KiB", 2048},
        {"3MB", 3 << 20},
        {"1g", 1LL << 30},
        {"2TB", 2LL << 40},
        {"8388607T", 8388607LL << 40},
        {"8388608T", -1},
        {"", -1},
        {"GB", -1},
        {"-1", -1},
        {"1.5G", -1},
        {"1 G", -1},
        {"1P", -1},
        {"99999999999999999999", -1},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        int64_t bytes = -1;
        IN_ROW(cases[i].text);
        int rc = amount_parse_bytes(cases[i].text, &bytes, NULL);
        assert_int_equal(rc, cases[i].bytes < 0 ? CORAS_ERR_INVALID_ARGUMENT : 0);
        assert_int_equal(bytes, cases[i].bytes);
    }
}

static void spans_need_a_unit(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"0", 0},           {"90s", 90}, {"2m", 120}, {"1h", 3600}, {"30d", 30 * 86400},
        {"2W", 14 * 86400}, {"12", -1},  {"d", -1},   {"1y", -1},   {"9223372036854775807w", -1},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        int64_t seconds = -1;
        IN_ROW(cases[i].text);
        int rc = amount_parse_seconds(cases[i].text, &seconds, NULL);
        assert_int_equal(rc, cases[i].seconds < 0 ? CORAS_ERR_INVALID_ARGUMENT : 0);
        assert_int_equal(seconds, cases[i].seconds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_have_units),
        cmocka_unit_test(spans_need_a_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
