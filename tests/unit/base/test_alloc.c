/* SPDX-License-Identifier: Apache-2.0 */
/* Where memory lies: large blocks not just behind the start of a page, where copying is slow. */
#include "base/alloc.h"

#include <string.h>
#include "support.h"

static void large_blocks_lie_where_copying_is_fast(void **state)
{
    static const size_t sizes[] = {128 * 1024, 256 * 1024, 512 * 1024 + 1, 4 * 1024 * 1024};

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(sizes); i++) {
        coras_auto_free char *first = coras_malloc(sizes[i]);
        coras_auto_free char *second = coras_malloc(sizes[i]);
        assert_non_null(first);
        assert_non_null(second);
        memset(first, 1, sizes[i]);
        memset(second, 2, sizes[i]);
        assert_int_equal((uintptr_t)first % 1024, 0);
        assert_int_equal((uintptr_t)second % 1024, 0);
        assert_int_equal(first[sizes[i] - 1], 1);
    }
}

static void they_grow_like_others(void **state)
{
    char *block = coras_malloc(128 * 1024);

    (void)state;
    assert_non_null(block);
    memset(block, 7, 128 * 1024);
    coras_auto_free char *grown = coras_realloc_array(block, 3, 128 * 1024);
    assert_non_null(grown);
    assert_int_equal(grown[128 * 1024 - 1], 7);
}

static void large_ones_can_be_made_to_fail(void **state)
{
    (void)state;
    coras_alloc_fail_at(0);
    assert_null(coras_malloc(1024 * 1024));
    assert_true(coras_alloc_fail_reached());
    coras_alloc_fail_at(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_blocks_lie_where_copying_is_fast),
        cmocka_unit_test(they_grow_like_others),
        cmocka_unit_test(large_ones_can_be_made_to_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
