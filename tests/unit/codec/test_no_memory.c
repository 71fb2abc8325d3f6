/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of a typical use may fail; sizes from outside do not wrap. */
#include "codec/json.h"
#include "base/map.h"
#include "support.h"

static bool add_key(const char *key, coras_str value, void *user)
{
    (void)value;
    return coras_strlist_add(user, key, NULL) == 0;
}

static int parse_and_write(coras_error **err)
{
    static const char text[] =
        "{\"name\":\"a\\u00e9\",\"list\":[1,2.5,{\"k\":\"v\"},[]],\"n\":null}";
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    coras_auto_buf indented = CORAS_BUF_UNLIMITED;
    coras_auto(coras_json) root = NULL;
    coras_json_writer w = CORAS_JSON_WRITER(&out, 2);

    CORAS_TRY(coras_json_parse(text, sizeof(text) - 1, &root, err));
    coras_jw_value(&w, root, true);
    CORAS_TRY(coras_buf_done(&out, err));
    return coras_json_indent(text, sizeof(text) - 1, &indented, err);
}

static int collect(coras_error **err)
{
    static const char text[] =
        "{\"b\":1,\"a\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9}";
    coras_auto_value(coras_strlist) keys = {0};
    coras_auto(coras_map) m = coras_map_new(NULL);

    if (!m)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_json_raw_members(text, sizeof(text) - 1, add_key, &keys, err));
    if (keys.len != 9)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < keys.len; i++)
        CORAS_TRY(coras_map_set(m, keys.items[i], NULL, err));
    return 0;
}

static void json_survives_every_failed_allocation(void **state)
{
    (void)state;
    fail_each_allocation(parse_and_write);
}

static void collections_survive_every_failed_allocation(void **state)
{
    (void)state;
    fail_each_allocation(collect);
}

static void sizes_do_not_wrap(void **state)
{
    int64_t sum;
    size_t size;
    volatile size_t half = SIZE_MAX / 2; /* volatile: the compiler knows this cannot work */

    (void)state;
    assert_null(coras_realloc_array(NULL, half, 3));
    assert_null(coras_calloc(half, 3));
    assert_null(coras_strndup("x", SIZE_MAX));
    assert_false(coras_add_size(SIZE_MAX, 1, &size));
    assert_true(coras_add_size(SIZE_MAX - 1, 1, &size) && size == SIZE_MAX);
    assert_false(coras_mul_size(SIZE_MAX / 2 + 1, 2, &size));
    assert_false(coras_add_int64(INT64_MAX, 1, &sum));
    assert_true(coras_add_int64(INT64_MAX - 1, 1, &sum) && sum == INT64_MAX);
}

static void nothing_is_still_something(void **state)
{
    coras_auto_free void *none = coras_malloc(0);
    coras_auto_free void *no_items = coras_calloc(0, 8);
    coras_auto_free char *text = coras_asprintf("%s-%d", "a", 1);
    char secret[] = "secret";

    (void)state;
    assert_non_null(none);
    assert_non_null(no_items);
    assert_string_equal(text, "a-1");
    coras_wipe(secret, 6);
    assert_memory_equal(secret, "\0\0\0\0\0\0", 6);
    coras_wipe(NULL, 0);
    coras_free_secret(NULL);
    coras_free_secret(coras_strdup("s"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_survives_every_failed_allocation),
        cmocka_unit_test(collections_survive_every_failed_allocation),
        cmocka_unit_test(sizes_do_not_wrap),
        cmocka_unit_test(nothing_is_still_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
