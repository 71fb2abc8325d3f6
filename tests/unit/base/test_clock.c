/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers, cancelled sleeps. */
#include "base/cancel.h"
#include "base/clock.h"
#include "base/random.h"
#include "support.h"

static void random_numbers_stay_below_their_bound(void **state)
{
    bool seen[3] = {false};

    (void)state;
    assert_int_equal(coras_random_below(0), 0);
    assert_int_equal(coras_random_below(1), 0);
    for (int i = 0; i < 1000; i++) {
        uint32_t n = coras_random_below(3);
        assert_true(n < 3);
        seen[n] = true;
    }
    assert_true(seen[0] && seen[1] && seen[2]);
}

static void a_cancelled_sleep_ends_at_once(void **state)
{
    coras_cancel cancel = {0};
    coras_auto(coras_error) err = NULL;
    int64_t start = coras_now_ms();

    (void)state;
    assert_ok(coras_cancel_check(&cancel, NULL), NULL);
    assert_ok(coras_cancel_check(NULL, NULL), NULL);
    assert_ok(coras_cancel_sleep_ms(&cancel, 0, NULL), NULL);
    assert_ok(coras_cancel_sleep_ms(NULL, -5, NULL), NULL);
    atomic_store(&cancel.requested, true);
    assert_failed(coras_cancel_sleep_ms(&cancel, 3600000, &err), err, CORAS_ERR_CANCELLED,
                  "interrupt signal received");
    assert_true(coras_now_ms() - start < 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_numbers_stay_below_their_bound),
        cmocka_unit_test(a_cancelled_sleep_ends_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
