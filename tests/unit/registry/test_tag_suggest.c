/* SPDX-License-Identifier: Apache-2.0 */
/* Which tags are offered in place of a missing one. */
#include "support.h"
#include "base/str.h"
#include "registry/tag_suggest.h"

static void closest_names_come_first(void **state)
{
    static const struct {
        const char *wanted;
        const char *names[6];
        const char *first;
    } rows[] = {
        {"v1", {"latest", "v2", "v1.0", "main"}, "v1.0"},
        {"lastest", {"v1", "latest", "stable"}, "latest"},
        {"LATEST", {"v1", "latest"}, "latest"},
        {"2.0.1", {"3.0.0", "2.0.0", "1.9"}, "2.0.0"},
        {"x", {"b", "a"}, "a"}, /* equally far: by name */
        {"", {"b", "a"}, "a"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_value(coras_strlist) names = {0};
        size_t n = 0;
        for (; rows[i].names[n]; n++)
            assert_int_equal(coras_strlist_add(&names, rows[i].names[n], NULL), 0);
        coras_names_sort_by_likeness(&names, rows[i].wanted);
        assert_int_equal(names.len, n);
        assert_string_equal(names.items[0], rows[i].first);
    }
}

static void long_names_are_compared_by_their_beginning(void **state)
{
    coras_auto_value(coras_strlist) names = {0};
    char name[1000];

    (void)state;
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(coras_strlist_add(&names, name, NULL), 0);
    assert_int_equal(coras_strlist_add(&names, "y", NULL), 0);
    coras_names_sort_by_likeness(&names, "z");
    assert_string_equal(names.items[0], "y");
    name[500] = '\0';
    coras_names_sort_by_likeness(&names, name);
    assert_int_equal(strlen(names.items[0]), sizeof(name) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closest_names_come_first),
        cmocka_unit_test(long_names_are_compared_by_their_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
