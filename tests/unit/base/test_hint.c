/* SPDX-License-Identifier: Apache-2.0 */
/* Hints: how a sentence is filled with arguments, and that every kind has a name and a sentence. */
#include "support.h"

#include "base/hint.h"

static void patterns_are_filled(void **state)
{
    static const struct {
        const char *pattern;
        const char *args[CORAS_HINT_ARGS];
        const char *text;
    } cases[] = {
        {"", {NULL}, ""},
        {"plain", {"unused"}, "plain"},
        {"%1 and %2", {"a", "b"}, "a and b"},
        {"%1-%4", {"a", NULL, NULL, "d"}, "a-d"},
        {"<%1>", {NULL}, "<>"},
        {"x{ in %1}", {"f"}, "x in f"},
        {"x{ in %1}", {NULL}, "x"},
        {"{user %1|nobody} came", {"u"}, "user u came"},
        {"{user %1|nobody} came", {NULL}, "nobody came"},
        {"{%1 %2|none}", {"a", NULL}, "none"},
        {"{%1}{; %2}", {"a", "b"}, "a; b"},
        {"%1", {"{%2}"}, "{%2}"}, /* an argument is no pattern */
        {"%9 %", {"a"}, " "},
        {"{%1", {"a"}, "a"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf text = CORAS_BUF_UNLIMITED;
        coras_hint_put(&text, cases[i].pattern, cases[i].args);
        assert_string_equal(text.ptr, cases[i].text);
    }
}

static void every_kind_has_a_name_and_a_sentence(void **state)
{
    static const enum coras_hint_kind kinds[] = {
#define CORAS_HINT_ID(id, value, name, text) id,
        CORAS_HINT_LIST(CORAS_HINT_ID)
#undef CORAS_HINT_ID
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(kinds); i++) {
        assert_string_not_equal(coras_hint_name(kinds[i]), "UNKNOWN");
        assert_non_null(coras_hint_pattern(kinds[i]));
        /* The library knows no command line. */
        assert_null(strstr(coras_hint_pattern(kinds[i]), "--"));
    }
    assert_string_equal(coras_hint_name(CORAS_HINT_NONE), "NONE");
    assert_null(coras_hint_pattern(CORAS_HINT_NONE));
    assert_string_equal(coras_hint_name((enum coras_hint_kind)9999), "UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_are_filled),
        cmocka_unit_test(every_kind_has_a_name_and_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
