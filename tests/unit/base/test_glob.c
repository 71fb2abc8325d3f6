/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns for paths. What a case expects is what doublestar 4.10 says, but for classes, which
 * match no "/" here, as its documentation has it.
 */
#include "rows.h"

#include "base/glob.h"
#include "base/limits.h"

static void patterns_match_whole_paths(void **state)
{
    static const struct {
        const char *pattern, *path;
        bool matches;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"a.bin", "a.bin", true},
        {"a.bin", "A.bin", false},
        {"a.bin", "x/a.bin", false},
        {"a", "ab", false},
        {"ab", "a", false},
        {"*", "a.bin", true},
        {"*", "x/a.bin", false},
        {"*.bin", ".bin", true},
        {"*a*b*", "xxaxxbxx", true},
        {"*a*b*", "xxbxxaxx", false},
        {"x/*/a", "x/y/a", true},
        {"x/*/a", "x/a", false},
        {"?.bin", "a.bin", true},
        {"?.bin", "\xc3\xa9.bin", true},
        {"??.bin", "\xc3\xa9.bin", false},
        {"x?a", "x/a", false},
        {"\xc3\xa9*", "\xc3\xa9t\xc3\xa9", true},
        {"\xc3\xa9", "\xc3\xa8", false},
        /* trees */
        {"**", "a/b/c", true},
        {"**/a", "a", true},
        {"**/a", "x/y/a", true},
        {"**/a", "x/ya", false},
        {"**/*.json", "config.json", true},
        {"**/*.json", "x/y/config.json", true},
        {"x/**", "x", true},
        {"x/**/", "x", true},
        {"x/**", "x/y/z", true},
        {"x/**", "xy", false},
        {"x/**/y", "x/y", true},
        {"x/**/y", "x/a/b/y", true},
        {"x/**/y", "x/a/by", false},
        {"x/**/*", "x", false},
        {"**/x/**/y", "a/x/b/x/c/y", true},
        {"**.bin", "a.bin", true}, /* no component of its own: a star */
        {"**.bin", "x/a.bin", false},
        {"x**/a", "x/a", true},
        {"x**/a", "xy/z/a", false},
        /* classes */
        {"[abc]", "b", true},
        {"[abc]", "d", false},
        {"[a-c]x", "bx", true},
        {"[^a-c]x", "bx", false},
        {"[!a-c]x", "dx", true},
        {"x[^a]y", "x/y", false},
        {"[a\\]b]", "]", true},
        {"[a-]", "-", true},
        {"[-a]", "-", true},
        {"[\xc3\xa0-\xc3\xaf]", "\xc3\xa9", true},
        {"[a-c-e]", "d", false},
        /* choices */
        {"{a,b}", "b", true},
        {"{a,b}", "c", false},
        {"{a,b}", "a,b", false},
        {"*.{json,txt}", "a.txt", true},
        {"a{,b}", "a", true},
        {"a{b,{c,d}e}f", "adef", true},
        {"a{b,{c,d}e}f", "adf", false},
        {"{**,x}/a", "y/z/a", true},
        {"{x/**,y}", "x/1/2", true},
        {"{a/,**}b", "a/b", true},
        {"a,b", "a,b", true},
        /* escapes */
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"a\\{b", "a{b", true},
        {"\\\\", "\\", true},
        {"{a\\,b,c}", "a,b", true},
        {"\\\xc3\xa9", "\xc3\xa9", true},
        /* none */
        {"[a", "a", false},
        {"a}", "a}", false},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        IN_ROW(cases[i].pattern);
        assert_int_equal(coras_glob_match(cases[i].pattern, cases[i].path), cases[i].matches);
    }
}

static void what_is_no_pattern_is_told(void **state)
{
    static const struct {
        const char *pattern, *message;
    } cases[] = {
        {"a[", "invalid pattern \"a[\": a class without its end \"]\""},
        {"[a", "invalid pattern \"[a\": a class without its end \"]\""},
        {"[a\\", "invalid pattern \"[a\\\": a class without its end \"]\""},
        {"[]", "invalid pattern \"[]\": a class without characters"},
        {"[^]a]", "invalid pattern \"[^]a]\": a class without characters"},
        {"{a", "invalid pattern \"{a\": a \"{\" without its \"}\""},
        {"a}", "invalid pattern \"a}\": a \"}\" without its \"{\""},
        {"a\\", "invalid pattern \"a\\\": a \"\\\" at the end"},
        {"{\x1b", "invalid pattern \"{\\x1b\": a \"{\" without its \"}\""},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_error) err = NULL;
        assert_failed(coras_glob_check(cases[i].pattern, &err), err, CORAS_ERR_INVALID_ARGUMENT,
                      cases[i].message);
    }
}

static void length_and_depth_have_limits(void **state)
{
    char text[CORAS_LIMIT_GLOB + 2];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[CORAS_LIMIT_GLOB] = '\0';
    assert_int_equal(coras_glob_check(text, NULL), 0);
    assert_true(coras_glob_match(text, text));
    text[CORAS_LIMIT_GLOB] = 'a';
    text[CORAS_LIMIT_GLOB + 1] = '\0';
    assert_int_equal(coras_glob_check(text, NULL), CORAS_ERR_INVALID_ARGUMENT);
    memset(text, '{', CORAS_LIMIT_GLOB_DEPTH + 1);
    memset(text + CORAS_LIMIT_GLOB_DEPTH + 1, '}', CORAS_LIMIT_GLOB_DEPTH + 1);
    text[2 * CORAS_LIMIT_GLOB_DEPTH + 2] = '\0';
    assert_int_equal(coras_glob_check(text, NULL), CORAS_ERR_INVALID_ARGUMENT);
    text[2 * CORAS_LIMIT_GLOB_DEPTH + 1] = '\0';
    assert_int_equal(coras_glob_check(text + 1, NULL), 0);
}

/* What takes a matcher that goes back ages: this one needs the product of the lengths. */
static void no_pattern_takes_ages(void **state)
{
    static const char *const pieces[] = {"*a", "**/", "{a,*}", "{**/,*}", "[^b]*"};
    char pattern[CORAS_LIMIT_GLOB + 1], path[CORAS_LIMIT_PATH];

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(pieces); i++) {
        size_t len = strlen(pieces[i]);
        for (size_t at = 0; at + 1 < sizeof(pattern); at++)
            pattern[at] = at < (CORAS_LIMIT_GLOB - 1) / len * len ? pieces[i][at % len] : 'b';
        pattern[CORAS_LIMIT_GLOB] = '\0';
        for (size_t at = 0; at + 1 < sizeof(path); at++)
            path[at] = at % 2 ? '/' : 'a';
        path[sizeof(path) - 1] = '\0';
        assert_false(coras_glob_match(pattern, path));
        memset(path, 'a', sizeof(path) - 1);
        assert_false(coras_glob_match(pattern, path));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_whole_paths),
        cmocka_unit_test(what_is_no_pattern_is_told),
        cmocka_unit_test(length_and_depth_have_limits),
        cmocka_unit_test(no_pattern_takes_ages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
