/* SPDX-License-Identifier: Apache-2.0 */
/* What of a file is missing, as parts. */
#include "support.h"
#include "transfer/gaps.h"

static void assert_gaps(const coras_gaps *g, const coras_gap *want, size_t count)
{
    assert_int_equal(g->len, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(g->items[i].start, want[i].start);
        assert_int_equal(g->items[i].end, want[i].end);
    }
}
#define ASSERT_GAPS(g, ...)                                                                        \
    assert_gaps((g), (const coras_gap[]){__VA_ARGS__},                                             \
                sizeof((coras_gap[]){__VA_ARGS__}) / sizeof(coras_gap))

static void parts_are_kept_in_order_and_joined(void **state)
{
    coras_gaps g = {0};

    (void)state;
    coras_gaps_add(&g, 50, 60);
    coras_gaps_add(&g, 10, 20);
    coras_gaps_add(&g, 30, 30);
    ASSERT_GAPS(&g, {10, 20}, {50, 60});
    coras_gaps_add(&g, 20, 25);
    ASSERT_GAPS(&g, {10, 25}, {50, 60});
    coras_gaps_add(&g, 45, 50);
    ASSERT_GAPS(&g, {10, 25}, {45, 60});
    coras_gaps_add(&g, 0, 5);
    coras_gaps_add(&g, 70, 80);
    ASSERT_GAPS(&g, {0, 5}, {10, 25}, {45, 60}, {70, 80});
    assert_int_equal(coras_gaps_sum(&g), 5 + 15 + 15 + 10);
    coras_gaps_add(&g, 3, 75);
    ASSERT_GAPS(&g, {0, 80});
}

static void pieces_are_taken_from_the_front(void **state)
{
    coras_gaps g = {0};
    coras_gap piece;

    (void)state;
    assert_false(coras_gaps_take(&g, 0, &piece));
    coras_gaps_add(&g, 0, 10);
    coras_gaps_add(&g, 20, 100);
    assert_true(coras_gaps_take(&g, 15, &piece));
    assert_gaps(&(coras_gaps){{piece}, 1}, (coras_gap[]){{0, 10}}, 1);
    assert_true(coras_gaps_take(&g, 15, &piece));
    assert_gaps(&(coras_gaps){{piece}, 1}, (coras_gap[]){{20, 35}}, 1);
    assert_true(coras_gaps_take(&g, 0, &piece));
    assert_gaps(&(coras_gaps){{piece}, 1}, (coras_gap[]){{35, 100}}, 1);
    assert_false(coras_gaps_take(&g, 15, &piece));
}

static void too_many_parts_cost_bytes_and_lose_none(void **state)
{
    coras_gaps g = {0};

    (void)state;
    for (int64_t i = 0; i < CORAS_GAPS_MAX; i++)
        coras_gaps_add(&g, i * 100, i * 100 + (i == 7 ? 95 : 10));
    coras_gaps_add(&g, 5000, 5010);
    assert_int_equal(g.len, CORAS_GAPS_MAX);
    assert_true(coras_gaps_are_valid(&g, 5010));
    assert_int_equal(g.items[7].start, 700);
    assert_int_equal(g.items[7].end, 810); /* the nearest neighbours became one */
    assert_int_equal(g.items[CORAS_GAPS_MAX - 1].start, 5000);
}

static void what_no_file_can_miss_is_refused(void **state)
{
    static const struct {
        coras_gaps gaps;
        bool valid;
    } rows[] = {
        {{{{0}}, 0}, true},
        {{{{0, 100}}, 1}, true},
        {{{{0, 10}, {20, 100}}, 2}, true},
        {{{{0, 101}}, 1}, false},
        {{{{-1, 10}}, 1}, false},
        {{{{5, 5}}, 1}, false},
        {{{{20, 30}, {0, 10}}, 2}, false},
        {{{{0, 30}, {20, 40}}, 2}, false},
        {{{{0, 30}, {30, 40}}, 2}, false},
        {{{{0, 10}}, CORAS_GAPS_MAX + 1}, false},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++)
        if (coras_gaps_are_valid(&rows[i].gaps, 100) != rows[i].valid)
            fail_msg("row %zu", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_kept_in_order_and_joined),
        cmocka_unit_test(pieces_are_taken_from_the_front),
        cmocka_unit_test(too_many_parts_cost_bytes_and_lose_none),
        cmocka_unit_test(what_no_file_can_miss_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
