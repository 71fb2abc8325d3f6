/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes and durations in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "cli/output/text.h"

#define NS_US 1000LL
#define NS_MS (1000 * NS_US)
#define NS_S  (1000 * NS_MS)

struct text_case {
    int64_t value;
    const char *text;
};

static void sizes(void **state)
{
    static const struct text_case cases[] = {
        {0, "0  B"},
        {11, "11  B"},
        {1023, "1023  B"},
        {1024, "1 KB"},
        {1536, "1.5 KB"},
        {10 * 1024, "10 KB"},
        {23040, "22.5 KB"},
        {29989274, "28.6 MB"},
        {1LL << 30, "1 GB"},
        {1234567890123LL, "1.12 TB"},
        {INT64_MAX, "8388608 TB"},
    };
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        put_size(&out, cases[i].value);
        assert_string_equal(out.ptr, cases[i].text);
    }
}

static void durations(void **state)
{
    static const struct text_case cases[] = {
        {0, "0s"},
        {400, "0s"},
        {592 * NS_US, "592µs"},
        {NS_MS, "1ms"},
        {16 * NS_MS + 400 * NS_US, "16ms"},
        {999 * NS_MS, "999ms"},
        {NS_S, "1s"},
        {NS_S + 500 * NS_MS, "2s"},
        {65 * NS_S, "1m5s"},
        {3600 * NS_S, "1h0m0s"},
        {(2 * 3600 + 3 * 60 + 5) * NS_S, "2h3m5s"},
    };
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        put_duration(&out, cases[i].value);
        assert_string_equal(out.ptr, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sizes), cmocka_unit_test(durations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
