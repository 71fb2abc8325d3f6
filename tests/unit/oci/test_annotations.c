/* SPDX-License-Identifier: Apache-2.0 */
/* Annotations: insertion order inside, byte order when written. */
#include "oci/descriptor.h"

#include "support.h"

static void set_replaces_in_place(void **state)
{
    coras_auto_value(coras_annotations) a = {0};

    (void)state;
    assert_null(coras_annotations_get(&a, "k"));
    coras_annotations_remove(&a, "k");
    assert_ok(coras_annotations_set(&a, "b", "1", NULL), NULL);
    assert_ok(coras_annotations_set(&a, "a", "", NULL), NULL);
    assert_ok(coras_annotations_set(&a, "b", "2", NULL), NULL);
    assert_int_equal(a.len, 2);
    assert_string_equal(a.items[0].key, "b");
    assert_string_equal(coras_annotations_get(&a, "b"), "2");
    assert_string_equal(coras_annotations_get(&a, "a"), "");
    coras_annotations_remove(&a, "b");
    assert_int_equal(a.len, 1);
    assert_null(coras_annotations_get(&a, "b"));
    assert_string_equal(coras_annotations_get(&a, "a"), "");
}

static void merge_lets_the_later_win(void **state)
{
    coras_auto_value(coras_annotations) a = {0};
    coras_auto_value(coras_annotations) b = {0};
    coras_auto_value(coras_annotations) copy = {0};

    (void)state;
    assert_ok(coras_annotations_set(&a, "x", "1", NULL), NULL);
    assert_ok(coras_annotations_set(&b, "x", "2", NULL), NULL);
    assert_ok(coras_annotations_set(&b, "y", "3", NULL), NULL);
    assert_ok(coras_annotations_merge(&a, &b, NULL), NULL);
    assert_ok(coras_annotations_set(&copy, "gone", "1", NULL), NULL);
    assert_ok(coras_annotations_copy(&copy, &a, NULL), NULL);
    assert_int_equal(copy.len, 2);
    assert_string_equal(coras_annotations_get(&copy, "x"), "2");
    assert_string_equal(coras_annotations_get(&copy, "y"), "3");
    coras_annotations_clear(&copy);
    assert_int_equal(copy.len, 0);
}

static void writes_sorted_by_bytes(void **state)
{
    static const char *const keys[] = {"b", "B", "é", "a.b", "a", "a-b"};
    coras_auto_value(coras_annotations) a = {0};
    coras_auto_buf b = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&b, 0);

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(keys); i++)
        assert_ok(coras_annotations_set(&a, keys[i], "<v>", NULL), NULL);
    coras_annotations_write(&w, &a);
    assert_string_equal(b.ptr,
                        "{\"B\":\"\\u003cv\\u003e\",\"a\":\"\\u003cv\\u003e\",\"a-b\":\"\\u003cv"
                        "\\u003e\",\"a.b\":\"\\u003cv\\u003e\",\"b\":\"\\u003cv\\u003e\",\"é\":"
                        "\"\\u003cv\\u003e\"}");
    assert_string_equal(a.items[0].key, "b");
}

static void reads_strings_only(void **state)
{
    static const struct {
        const char *in, *message; /* NULL: accepted */
        size_t len;
    } cases[] = {
        {"{}", NULL, 0},
        {"null", NULL, 0},
        {"{\"a\":\"1\",\"b\":null}", NULL, 2},
        {"[]", "annotations: not a JSON object", 0},
        {"\"a\"", "annotations: not a JSON object", 0},
        {"{\"a\":1}", "annotations: value of \"a\" is no string", 0},
        {"{\"\\u001b[m\":{}}", "annotations: value of \"\\x1b[m\" is no string", 0},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_value(coras_annotations) a = {0};
        coras_auto(coras_error) err = NULL;
        coras_auto(coras_json) v = NULL;
        assert_ok(coras_json_parse(cases[i].in, strlen(cases[i].in), &v, NULL), NULL);
        int rc = coras_annotations_from_json(v, "annotations", &a, &err);
        if (cases[i].message)
            assert_failed(rc, err, CORAS_ERR_INVALID_MANIFEST, cases[i].message);
        else
            assert_ok(rc, err);
        assert_int_equal(a.len, cases[i].len);
    }
    coras_auto_value(coras_annotations) none = {0};
    assert_ok(coras_annotations_from_json(NULL, "annotations", &none, NULL), NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_replaces_in_place),
        cmocka_unit_test(merge_lets_the_later_win),
        cmocka_unit_test(writes_sorted_by_bytes),
        cmocka_unit_test(reads_strings_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
