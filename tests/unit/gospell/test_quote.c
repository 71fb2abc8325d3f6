/* SPDX-License-Identifier: Apache-2.0 */
/* Text in Go's quotes. */
#include "gospell/quote.h"

#include "support.h"

static void quotes_like_go(void **state)
{
    static const char *const cases[][2] = {
        {"", "\"\""},
        {"hello", "\"hello\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\a\b\f\n\r\t\v", "\"\\a\\b\\f\\n\\r\\t\\v\""},
        {"\x01\x1b\x7f", "\"\\x01\\x1b\\x7f\""},
        {"é世😀", "\"é世😀\""},
        {"\xc2\xa0", "\"\\u00a0\""},
        {"\xc2\xad", "\"\\u00ad\""},
        {"\xe2\x80\xae", "\"\\u202e\""},
        {"\xef\xbf\xbd", "\"\xef\xbf\xbd\""},
        {"\xf4\x8f\xbf\xbf", "\"\\U0010ffff\""},
        {"\xff\xc3", "\"\\xff\\xc3\""},
        {"\xed\xa0\x80", "\"\\xed\\xa0\\x80\""},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_free char *got = coras_go_quote_dup(cases[i][0]);
        assert_string_equal(got, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_like_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
