/* SPDX-License-Identifier: Apache-2.0 */
/* Text helpers: classes, integers, trimming, lists. */
#include "base/str.h"

#include "support.h"

static void classes_are_ascii_only(void **state)
{
    (void)state;
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        bool digit = i >= '0' && i <= '9', low = i >= 'a' && i <= 'z', up = i >= 'A' && i <= 'Z';
        assert_int_equal(coras_is_digit(c), digit);
        assert_int_equal(coras_is_lower(c), low);
        assert_int_equal(coras_is_upper(c), up);
        assert_int_equal(coras_is_alnum(c), digit || low || up);
        assert_int_equal(coras_is_hex_lower(c), digit || (i >= 'a' && i <= 'f'));
        assert_int_equal(coras_is_space(c), i == ' ' || (i >= 9 && i <= 13));
    }
}

static void integers_are_whole_and_bounded(void **state)
{
    static const struct {
        const char *in;
        bool ok;
        int64_t n;
    } cases[] = {
        {"0", true, 0},
        {"007", true, 7},
        {"9223372036854775807", true, INT64_MAX},
        {"9223372036854775808", false, 0},
        {"18446744073709551617", false, 0},
        {"99999999999999999999999999", false, 0},
        {"", false, 0},
        {"-1", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1e3", false, 0},
        {"0x1", false, 0},
        {"1.0", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        int64_t n = -7;
        assert_int_equal(coras_parse_int64(coras_str_of(cases[i].in), &n), cases[i].ok);
        assert_int_equal(n, cases[i].ok ? cases[i].n : -7);
    }
}

static void compares(void **state)
{
    (void)state;
    assert_true(coras_str_eq(CORAS_STR("ab"), "ab"));
    assert_false(coras_str_eq(CORAS_STR("ab"), "abc"));
    assert_false(coras_str_eq(CORAS_STR("ab"), "a"));
    assert_false(coras_str_eq(CORAS_STR("a\0b"), "a"));
    assert_true(coras_str_eq((coras_str){NULL, 0}, ""));
    assert_true(coras_str_starts("abc", "ab") && coras_str_starts("abc", ""));
    assert_false(coras_str_starts("a", "ab"));
    assert_true(coras_str_ends("abc", "bc") && coras_str_ends("abc", ""));
    assert_false(coras_str_ends("c", "bc"));
    assert_true(coras_str_ieq("Bearer", "bEARER") && coras_str_ieq("", ""));
    assert_false(coras_str_ieq("a", "ab"));
    assert_false(coras_str_ieq("ab", "a"));
    assert_false(coras_str_ieq("[", "{"));
}

static void trims_blanks(void **state)
{
    static const char *const cases[][2] = {
        {"", ""}, {" ", ""}, {"\t a b\r\n", "a b"}, {"a", "a"}, {"\va\f", "a"}, {"\xa0x", "\xa0x"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++)
        assert_true(coras_str_eq(coras_str_trim(coras_str_of(cases[i][0])), cases[i][1]));
}

static void lists_own_and_sort_by_bytes(void **state)
{
    static const char *const words[] = {"b", "a", "\xc3\xa9", "B", "ab", ""};
    static const char *const sorted[] = {"", "B", "a", "ab", "b", "\xc3\xa9"};
    coras_auto_value(coras_strlist) l = {0};

    (void)state;
    coras_strlist_sort(&l);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(words); i++)
        assert_ok(coras_strlist_add(&l, words[i], NULL), NULL);
    coras_strlist_sort(&l);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(words); i++)
        assert_string_equal(l.items[i], sorted[i]);
    assert_ok(coras_strlist_addn(&l, "xyz", 2, NULL), NULL);
    assert_true(coras_strlist_has(&l, "xy"));
    assert_false(coras_strlist_has(&l, "xyz"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_ascii_only),
        cmocka_unit_test(integers_are_whole_and_bounded),
        cmocka_unit_test(compares),
        cmocka_unit_test(trims_blanks),
        cmocka_unit_test(lists_own_and_sort_by_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
