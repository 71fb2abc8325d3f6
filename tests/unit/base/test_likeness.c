/* SPDX-License-Identifier: Apache-2.0 */
/* How many letters two words differ in. */
#include "support.h"

#include "base/likeness.h"

static void edits_are_counted(void **state)
{
    static const struct {
        const char *a, *b;
        size_t edits;
    } cases[] = {
        {"", "", 0},         {"abc", "", 3},      {"", "abc", 3},         {"pull", "pull", 0},
        {"pull", "PULL", 0}, {"pull", "push", 2}, {"latst", "latest", 1}, {"kitten", "sitting", 3},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++)
        assert_int_equal(coras_count_edits(cases[i].a, cases[i].b), cases[i].edits);
}

static void of_long_words_the_beginning_decides(void **state)
{
    char a[4 * CORAS_LIKENESS_MAX_BYTES], b[4 * CORAS_LIKENESS_MAX_BYTES];

    (void)state;
    memset(a, 'x', sizeof(a));
    memset(b, 'x', sizeof(b));
    a[sizeof(a) - 1] = '\0';
    b[sizeof(b) / 2] = '\0';
    assert_int_equal(coras_count_edits(a, b), 0);
    assert_int_equal(coras_count_edits(a, ""), CORAS_LIKENESS_MAX_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_are_counted),
        cmocka_unit_test(of_long_words_the_beginning_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
