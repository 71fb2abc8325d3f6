/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Option records of programs that were built with an older or a newer header.
 */
#include "support.h"
#include "base/options.h"

struct now {
    size_t size;
    int first, second;
};

struct before {
    size_t size;
    int first;
    int beyond; /* what happens to lie behind an older record */
};

static void nothing_leaves_the_defaults(void **state)
{
    struct now known = {.size = sizeof(known), .first = 7};

    (void)state;
    assert_int_equal(coras_options_read(&known, sizeof(known), NULL, NULL), 0);
    assert_int_equal(known.first, 7);
}

static void an_older_record_has_no_later_members(void **state)
{
    const struct before given = {offsetof(struct before, beyond), 1, 2};
    struct now known = {.size = sizeof(known)};

    (void)state;
    assert_int_equal(coras_options_read(&known, sizeof(known), &given, NULL), 0);
    assert_int_equal(known.first, 1);
    assert_int_equal(known.second, 0);
    assert_int_equal(known.size, sizeof(known));
}

static void a_newer_record_is_read_as_far_as_it_is_known(void **state)
{
    const struct {
        struct now now;
        int later;
    } given = {{sizeof(given), 1, 2}, 3};
    struct now known[2] = {{.size = sizeof(known[0])}, {.size = 99}};

    (void)state;
    assert_int_equal(coras_options_read(&known[0], sizeof(known[0]), &given, NULL), 0);
    assert_int_equal(known[0].second, 2);
    assert_int_equal(known[1].size, 99);
}

static void a_record_without_size_is_refused(void **state)
{
    const struct now given = {0, 1, 2};
    struct now known = {.size = sizeof(known)};
    coras_auto(coras_error) err = NULL;

    (void)state;
    assert_failed(coras_options_read(&known, sizeof(known), &given, &err), err,
                  CORAS_ERR_INVALID_ARGUMENT, NULL);
    assert_int_equal(known.first, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_leaves_the_defaults),
        cmocka_unit_test(an_older_record_has_no_later_members),
        cmocka_unit_test(a_newer_record_is_read_as_far_as_it_is_known),
        cmocka_unit_test(a_record_without_size_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
