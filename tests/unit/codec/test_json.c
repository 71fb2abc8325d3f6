/* Reading JSON: what is refused, what the accessors give. */
#include "codec/json.h"

#include <math.h>
#include "support.h"

static void refuses_what_is_not_exactly_one_document(void **state)
{
    static const struct {
        const char *name;
        coras_str text;
    } cases[] = {
        {"nothing", CORAS_STR("")},
        {"blanks", CORAS_STR(" \n")},
        {"duplicate key", CORAS_STR("{\"a\":1,\"a\":2}")},
        {"duplicate key, deep", CORAS_STR("[{\"b\":{\"a\":1,\"a\":1}}]")},
        {"bytes after the document", CORAS_STR("{} x")},
        {"second document", CORAS_STR("{}{}")},
        {"byte order mark", CORAS_STR("\xef\xbb\xbf{}")},
        {"NUL after the document", CORAS_STR("{}\0")},
        {"NUL inside", CORAS_STR("{\0}")},
        {"NUL behind a number", CORAS_STR("[1\0]")},
        {"NUL behind a document that is a number", CORAS_STR("1\0")},
        {"NUL in a string", CORAS_STR("\"a\0b\"")},
        {"escaped NUL", CORAS_STR("\"a\\u0000b\"")},
        {"escaped NUL in a key", CORAS_STR("{\"a\\u0000b\":1}")},
        {"invalid UTF-8", CORAS_STR("\"\xff\"")},
        {"overlong UTF-8", CORAS_STR("\"\xc0\x80\"")},
        {"UTF-8 surrogate", CORAS_STR("\"\xed\xa0\x80\"")},
        {"lone high surrogate", CORAS_STR("\"\\ud800\"")},
        {"lone low surrogate", CORAS_STR("\"\\udc00\"")},
        {"2^63", CORAS_STR("9223372036854775808")},
        {"below -2^63", CORAS_STR("-9223372036854775809")},
        {"2^64 + 1", CORAS_STR("[18446744073709551617]")},
        {"too large a real", CORAS_STR("1e400")},
        {"leading zero", CORAS_STR("01")},
        {"trailing comma", CORAS_STR("[1,]")},
        {"comment", CORAS_STR("{}//")},
        {"single quotes", CORAS_STR("{'a':1}")},
        {"control character in a string", CORAS_STR("\"\n\"")},
        {"NaN", CORAS_STR("NaN")},
        {"cut", CORAS_STR("{\"a\":")},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_error) err = NULL;
        coras_auto(coras_json) root = NULL;
        if (coras_json_parse(cases[i].text.ptr, cases[i].text.len, &root, &err) == 0)
            print_error("accepted: %s\n", cases[i].name);
        assert_null(root);
        assert_failed(coras_error_code(err), err, CORAS_ERR_INVALID_JSON, NULL);
    }
}

static coras_json *nested(size_t depth, coras_error **err)
{
    coras_json *root = NULL;
    char *text = malloc(2 * depth + 1);

    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    int rc = coras_json_parse(text, 2 * depth, &root, err);
    free(text);
    assert_true(rc == 0 ? root != NULL : root == NULL);
    return root;
}

static void nesting_is_bounded(void **state)
{
    static const size_t refused[] = {2049, 100000, 5000000};
    coras_auto(coras_json) deepest = nested(2048, NULL);

    (void)state;
    assert_non_null(deepest);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(refused); i++) {
        coras_auto(coras_error) err = NULL;
        assert_null(nested(refused[i], &err));
        assert_int_equal(coras_error_code(err), CORAS_ERR_INVALID_JSON);
    }
}

static void messages_name_the_line_and_escape_the_text(void **state)
{
    coras_auto(coras_error) err = NULL;
    coras_json *root;
    static const char text[] = "{\n\"a\": \x1b[31m}";

    (void)state;
    assert_int_equal(coras_json_parse(text, sizeof(text) - 1, &root, &err), CORAS_ERR_INVALID_JSON);
    assert_non_null(strstr(coras_error_message(err), "line 2: "));
    assert_null(strchr(coras_error_message(err), '\x1b'));
}

static void accessors_know_their_types(void **state)
{
    static const char text[] = "{\"z\":\"text\",\"i\":-5,\"r\":1.5,\"b\":true,\"n\":null,"
                               "\"l\":[1,\"x\"],\"o\":{},\"max\":9223372036854775807}";
    coras_auto(coras_json) root = NULL;
    const char *s = NULL;
    double real = 0;
    int64_t n = 7;
    bool b = false;

    (void)state;
    assert_ok(coras_json_parse(text, sizeof(text) - 1, &root, NULL), NULL);
    assert_true(coras_json_string(coras_json_get(root, "z"), &s));
    assert_string_equal(s, "text");
    assert_string_equal(coras_json_get_string(root, "z"), "text");
    assert_null(coras_json_get_string(root, "i"));
    assert_null(coras_json_get_string(root, "absent"));
    assert_null(coras_json_get_string(NULL, "z"));
    assert_false(coras_json_int(coras_json_get(root, "r"), &n));
    assert_false(coras_json_int(coras_json_get(root, "z"), &n));
    assert_false(coras_json_int(NULL, &n));
    assert_int_equal(n, 7);
    assert_true(coras_json_int(coras_json_get(root, "i"), &n));
    assert_int_equal(n, -5);
    assert_true(coras_json_int(coras_json_get(root, "max"), &n));
    assert_true(n == INT64_MAX);
    assert_true(coras_json_real(coras_json_get(root, "r"), &real) && fabs(real - 1.5) < 1e-9);
    assert_true(coras_json_real(coras_json_get(root, "i"), &real) && fabs(real + 5) < 1e-9);
    assert_false(coras_json_real(coras_json_get(root, "b"), &real));
    assert_true(coras_json_bool(coras_json_get(root, "b"), &b) && b);
    assert_false(coras_json_bool(coras_json_get(root, "n"), &b));
    assert_int_equal(coras_json_type_of(coras_json_get(root, "n")), CORAS_JSON_NULL);
    assert_int_equal(coras_json_type_of(NULL), CORAS_JSON_NULL);
    assert_int_equal(coras_json_len(root), 8);
    assert_int_equal(coras_json_len(coras_json_get(root, "l")), 2);
    assert_int_equal(coras_json_len(coras_json_get(root, "z")), 0);
    assert_int_equal(coras_json_len(NULL), 0);
    assert_null(coras_json_at(coras_json_get(root, "l"), 2));
    assert_null(coras_json_at(root, 0));
    assert_null(coras_json_get(coras_json_get(root, "l"), "x"));
}

static void members_come_in_document_order(void **state)
{
    static const char text[] = "{\"z\":0,\"a\":1,\"m\":2}";
    static const char *const keys[] = {"z", "a", "m"};
    coras_auto(coras_json) root = NULL;
    const coras_json *value;
    const char *key;
    void *iter = NULL;
    int64_t n;
    size_t seen = 0;

    (void)state;
    assert_ok(coras_json_parse(text, sizeof(text) - 1, &root, NULL), NULL);
    for (; coras_json_next(root, &iter, &key, &value); seen++) {
        assert_string_equal(key, keys[seen]);
        assert_true(coras_json_int(value, &n) && (size_t)n == seen);
    }
    assert_int_equal(seen, 3);
    iter = NULL;
    assert_false(coras_json_next(coras_json_get(root, "z"), &iter, &key, &value));
}

static void prefix_reads_the_first_document(void **state)
{
    static const char *const cases[] = {"{\"a\":1} trailing", "{\"a\":1}{\"b\":", "{\"a\":1}\xff"};

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_json) root = NULL;
        assert_ok(coras_json_parse_prefix(cases[i], strlen(cases[i]), &root, NULL), NULL);
        assert_int_equal(coras_json_len(root), 1);
    }
    static const char twice[] = "{\"a\":1,\"a\":2}";
    coras_auto(coras_json) last = NULL;
    int64_t n = 0;
    assert_ok(coras_json_parse_prefix(twice, sizeof(twice) - 1, &last, NULL), NULL);
    assert_true(coras_json_int(coras_json_get(last, "a"), &n));
    assert_int_equal(n, 2);
    coras_json *none = NULL;
    assert_int_equal(coras_json_parse_prefix("{\"a\":1", 6, &none, NULL), CORAS_ERR_INVALID_JSON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_not_exactly_one_document),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(messages_name_the_line_and_escape_the_text),
        cmocka_unit_test(accessors_know_their_types),
        cmocka_unit_test(members_come_in_document_order),
        cmocka_unit_test(prefix_reads_the_first_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
