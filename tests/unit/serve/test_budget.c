/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that requests share: what is there, what is not, and the order of those who wait. */
#include "serve/api/budget.h"

#include <pthread.h>
#include "support.h"

static void gives_what_is_there(void **state)
{
    coras_auto(serve_budget) b = serve_budget_new(10);

    (void)state;
    assert_true(serve_budget_try(b, 6));
    assert_false(serve_budget_try(b, 5));
    assert_true(serve_budget_try(b, 4));
    serve_budget_give(b, 6);
    assert_true(serve_budget_try(b, 5));
    serve_budget_give(b, 9);
}

static void bounds_a_need_by_all_of_it(void **state)
{
    coras_auto(serve_budget) b = serve_budget_new(10);

    (void)state;
    assert_int_equal(serve_budget_take(b, 1000), 10);
    assert_false(serve_budget_try(b, 1));
    serve_budget_give(b, 10);
    assert_int_equal(serve_budget_take(b, 3), 3);
    serve_budget_give(b, 3);
}

struct race {
    serve_budget *budget;
    int inside, crowded; /* atomic; the budget has room for two */
};

static void *take_and_give(void *user)
{
    struct race *r = user;

    for (int i = 0; i < 200; i++) {
        size_t taken = serve_budget_take(r->budget, 4);
        int inside = __atomic_add_fetch(&r->inside, 1, __ATOMIC_SEQ_CST);
        if (inside > 2)
            __atomic_add_fetch(&r->crowded, 1, __ATOMIC_SEQ_CST);
        __atomic_sub_fetch(&r->inside, 1, __ATOMIC_SEQ_CST);
        serve_budget_give(r->budget, taken);
    }
    return NULL;
}

static void lets_in_no_more_than_fit(void **state)
{
    coras_auto(serve_budget) b = serve_budget_new(10);
    struct race race = {.budget = b};
    pthread_t threads[8];

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &race), 0);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(race.crowded, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_what_is_there),
        cmocka_unit_test(bounds_a_need_by_all_of_it),
        cmocka_unit_test(lets_in_no_more_than_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
