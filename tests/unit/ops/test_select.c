/* SPDX-License-Identifier: Apache-2.0 */
/* Selections: by path, by media type, and both. */
#include "rows.h"

#include "ops/select.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void paths_and_types_are_chosen(void **state)
{
    const struct {
        const char *name;
        const char *const *include, *const *exclude, *const *types;
        const char *path, *type;
        bool taken;
    } cases[] = {
        {"nothing said", NULL, NULL, NULL, "a.bin", "t/x", true},
        {"empty lists", LIST(), LIST(), LIST(), "a.bin", "t/x", true},
        {"included", LIST("*.json", "*.bin"), NULL, NULL, "a.bin", "t/x", true},
        {"not included", LIST("*.json"), NULL, NULL, "a.bin", "t/x", false},
        {"excluded", NULL, LIST("*.bin"), NULL, "a.bin", "t/x", false},
        {"not excluded", NULL, LIST("*.json"), NULL, "a.bin", "t/x", true},
        {"excluding is stronger", LIST("*"), LIST("a.*"), NULL, "a.bin", "t/x", false},
        {"of the type", NULL, NULL, LIST("t/y", "T/x"), "a.bin", "t/x", true},
        {"of another type", NULL, NULL, LIST("t/*"), "a.bin", "t/x", false},
        {"type and path", LIST("*.json"), NULL, LIST("t/x"), "a.bin", "t/x", false},
        {"no path, included", LIST("**"), NULL, NULL, NULL, "t/x", false},
        {"no path, excluded", NULL, LIST("**"), NULL, NULL, "t/x", true},
        {"no type", NULL, NULL, LIST("t/x"), "a.bin", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_selection sel = CORAS_SELECTION_INIT;
        sel.include = cases[i].include;
        sel.exclude = cases[i].exclude;
        sel.media_types = cases[i].types;
        IN_ROW(cases[i].name);
        assert_int_equal(coras_selection_matches(&sel, cases[i].path, cases[i].type),
                         cases[i].taken);
    }
    assert_true(coras_selection_matches(NULL, NULL, NULL));
}

static void a_selection_is_checked_when_it_is_read(void **state)
{
    coras_selection given = CORAS_SELECTION_INIT, ret = {0};
    coras_auto(coras_error) err = NULL;

    (void)state;
    assert_ok(coras_selection_read(NULL, &ret, &err), err);
    assert_false(coras_selection_is_choosy(&ret));
    given.exclude = LIST("*.bin");
    assert_ok(coras_selection_read(&given, &ret, &err), err);
    assert_true(coras_selection_is_choosy(&ret));
    given.include = LIST("a", "[b");
    assert_failed(coras_selection_read(&given, &ret, &err), err, CORAS_ERR_INVALID_ARGUMENT,
                  "invalid pattern \"[b\": a class without its end \"]\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_and_types_are_chosen),
        cmocka_unit_test(a_selection_is_checked_when_it_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
