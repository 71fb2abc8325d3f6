/* SPDX-License-Identifier: Apache-2.0 */
/* What counts as waiting for an answer. */
#include "support.h"
#include "transfer/stint.h"

enum { MS = 1000000 };

static void waiting_is_told_from_working(void **state)
{
    static const struct {
        const char *name;
        int64_t wall_ns, ready_ns;
        bool is_wait;
    } rows[] = {
        {"a registry far away", 20 * MS, MS, true},
        {"one in this data centre", 2 * MS, MS / 10, false},
        {"hashing", 200 * MS, 190 * MS, false},
        {"a busy machine", 20 * MS, 10 * MS, false},
        {"busy, and far away", 200 * MS, 40 * MS, true},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++)
        if (coras_stint_is_wait(rows[i].wall_ns, rows[i].ready_ns) != rows[i].is_wait)
            fail_msg("%s", rows[i].name);
}

static void time_passes(void **state)
{
    coras_pace pace = {false};
    coras_stint begun = coras_stint_begin(&pace);

    (void)state;
    assert_true(begun.wall_ns > 0);
    assert_true(begun.ready_ns >= 0);
    begun.ready_ns -= 1000LL * MS;
    assert_false(coras_stint_waited(&begun, &pace));
}

/* A look costs, so short pieces of work are not looked at; of a long one after them nothing is
 * known, but of the next. */
static void after_a_short_one_there_is_no_look(void **state)
{
    coras_pace pace = {false};
    coras_stint begun = coras_stint_begin(&pace);

    (void)state;
    assert_false(coras_stint_waited(&begun, &pace));
    begun = coras_stint_begin(&pace);
    assert_true(begun.ready_ns < 0);
    begun.wall_ns -= 1000LL * MS;
    assert_false(coras_stint_waited(&begun, &pace));
    begun = coras_stint_begin(&pace);
    assert_true(begun.ready_ns >= 0);
    begun.wall_ns -= 1000LL * MS;
    assert_true(coras_stint_waited(&begun, &pace));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waiting_is_told_from_working),
        cmocka_unit_test(time_passes),
        cmocka_unit_test(after_a_short_one_there_is_no_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
