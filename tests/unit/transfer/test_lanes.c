/* SPDX-License-Identifier: Apache-2.0 */
/* Whether downloads leave a processor free, and what is measured of them. */
#include "transfer/lanes.h"

#include "base/processor.h"
#include "support.h"

static void downloads_fill_processors(void **state)
{
    coras_lanes lanes;

    (void)state;
    coras_lanes_init(&lanes, 8);
    for (unsigned i = 0; i < coras_processors(); i++) {
        assert_false(coras_lanes_fill_processors(&lanes));
        coras_lanes_enter(&lanes);
    }
    assert_true(coras_lanes_fill_processors(&lanes));
    coras_lanes_leave(&lanes, false);
    assert_false(coras_lanes_fill_processors(&lanes));
    coras_lanes_clear(&lanes);
}

static void who_sends_from_here_needs_one_too(void **state)
{
    coras_lanes lanes;

    (void)state;
    coras_lanes_init(&lanes, 8);
    coras_lanes_share_processors(&lanes);
    for (unsigned i = 1; i < coras_processors(); i++)
        coras_lanes_enter(&lanes);
    if (coras_processors() > 1)
        assert_true(coras_lanes_fill_processors(&lanes));
    coras_lanes_clear(&lanes);
}

/* A server has the lanes of an upstream for as long as it runs. */
static void a_rest_does_not_count(void **state)
{
    coras_lanes lanes;

    (void)state;
    coras_lanes_init(&lanes, 8);
    coras_lanes_enter(&lanes);
    coras_lanes_opened(&lanes, 1);
    assert_int_equal(coras_lanes_look(&lanes, 1 << 30), 0);
    lanes.growth.measuring = true;
    coras_lanes_leave(&lanes, true);
    lanes.growth.since_ms -= 3600 * 1000; /* an hour later */
    coras_lanes_enter(&lanes);
    coras_lanes_opened(&lanes, 1);
    coras_lanes_arrived(&lanes, 1 << 20);
    assert_int_equal(coras_lanes_look(&lanes, 1 << 30), 0);
    coras_lanes_clear(&lanes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(downloads_fill_processors),
        cmocka_unit_test(who_sends_from_here_needs_one_too),
        cmocka_unit_test(a_rest_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
