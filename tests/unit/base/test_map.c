/* SPDX-License-Identifier: Apache-2.0 */
/* Hash maps and growing arrays. */
#include "base/map.h"

#include "base/vec.h"
#include "support.h"

static void keeps_what_was_set(void **state)
{
    enum { COUNT = 1000 };
    coras_auto(coras_map) m = coras_map_new(NULL);
    int values[COUNT];

    (void)state;
    assert_null(coras_map_get(m, "absent"));
    assert_false(coras_map_remove(m, "absent"));
    for (int i = 0; i < COUNT; i++) {
        coras_auto_free char *key = coras_asprintf("key-%d", i);
        assert_ok(coras_map_set(m, key, &values[i], NULL), NULL);
    }
    assert_int_equal(coras_map_len(m), COUNT);
    for (int i = 0; i < COUNT; i += 2) {
        coras_auto_free char *key = coras_asprintf("key-%d", i);
        assert_true(coras_map_remove(m, key));
        assert_false(coras_map_has(m, key));
    }
    for (int i = 0; i < COUNT; i++) {
        coras_auto_free char *key = coras_asprintf("key-%d", i);
        assert_ptr_equal(coras_map_get(m, key), i % 2 ? &values[i] : NULL);
    }
    assert_int_equal(coras_map_len(m), COUNT / 2);
}

static void knows_null_values_and_odd_keys(void **state)
{
    static const char *const keys[] = {"", "a", "1234567", "12345678", "123456789", "\xff"};
    coras_auto(coras_map) m = coras_map_new(NULL);

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(keys); i++) {
        assert_false(coras_map_has(m, keys[i]));
        assert_ok(coras_map_set(m, keys[i], NULL, NULL), NULL);
        assert_true(coras_map_has(m, keys[i]));
        assert_null(coras_map_get(m, keys[i]));
    }
}

static void releases_each_value_once(void **state)
{
    coras_auto(coras_map) m = coras_map_new(free);

    (void)state; /* the sanitizer counts */
    assert_ok(coras_map_set(m, "a", coras_strdup("1"), NULL), NULL);
    assert_ok(coras_map_set(m, "a", coras_strdup("2"), NULL), NULL);
    assert_string_equal(coras_map_get(m, "a"), "2");
    assert_ok(coras_map_set(m, "b", coras_strdup("3"), NULL), NULL);
    assert_true(coras_map_remove(m, "b"));
    coras_map_free(NULL);
}

static bool remove_or_stop(const char *key, void *value, void *user)
{
    coras_map *m = user;

    (void)value;
    assert_true(coras_map_remove(m, key));
    return coras_map_len(m) > 1;
}

static void a_visit_may_remove_and_stop(void **state)
{
    static const char *const keys[] = {"a", "b", "c", "d"};
    coras_auto(coras_map) m = coras_map_new(NULL);

    (void)state;
    coras_map_each(m, remove_or_stop, m); /* nothing to visit */
    for (size_t i = 0; i < CORAS_ARRAY_LEN(keys); i++)
        assert_ok(coras_map_set(m, keys[i], NULL, NULL), NULL);
    coras_map_each(m, remove_or_stop, m);
    assert_int_equal(coras_map_len(m), 1);
}

static bool is_even(const void *value)
{
    return *(const int *)value % 2 == 0;
}

static void drops_what_is_chosen(void **state)
{
    static const int numbers[100] = {[1] = 2, [3] = 4, [50] = 1, [99] = 5};
    coras_auto(coras_map) m = coras_map_new(NULL);
    char key[16];

    (void)state;
    coras_map_drop(m, NULL); /* nothing to drop */
    for (size_t i = 0; i < CORAS_ARRAY_LEN(numbers); i++) {
        snprintf(key, sizeof(key), "%zu", i);
        assert_ok(coras_map_set(m, key, (void *)(uintptr_t)&numbers[i], NULL), NULL);
    }
    coras_map_drop(m, is_even);
    assert_int_equal(coras_map_len(m), 2);
    assert_ptr_equal(coras_map_get(m, "50"), &numbers[50]);
    assert_ptr_equal(coras_map_get(m, "99"), &numbers[99]);
    assert_null(coras_map_get(m, "3"));
    coras_map_drop(m, NULL);
    assert_int_equal(coras_map_len(m), 0);
    assert_null(coras_map_get(m, "99"));
}

static void arrays_grow_without_overflow(void **state)
{
    struct {
        uint64_t *items;
        size_t len, cap;
    } v = {0};

    (void)state;
    for (uint64_t i = 0; i < 100; i++) {
        assert_int_equal(coras_vec_grow(&v, 1), 0);
        v.items[v.len++] = i;
    }
    coras_vec_foreach (at, &v)
        assert_int_equal(*at, (uint64_t)(at - v.items));
    size_t cap = v.cap;
    assert_int_equal(coras_vec_grow(&v, SIZE_MAX), CORAS_ERR_NO_MEMORY);
    assert_int_equal(coras_vec_grow(&v, SIZE_MAX / 8), CORAS_ERR_NO_MEMORY);
    assert_int_equal(v.cap, cap);
    free(v.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_was_set),
        cmocka_unit_test(knows_null_values_and_odd_keys),
        cmocka_unit_test(releases_each_value_once),
        cmocka_unit_test(a_visit_may_remove_and_stop),
        cmocka_unit_test(drops_what_is_chosen),
        cmocka_unit_test(arrays_grow_without_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
