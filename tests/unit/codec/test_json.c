/* SPDX-License-Identifier: Apache-2.0 */
/* Reading JSON: what is refused, what the accessors give. */
#include "codec/json.h"

#include <locale.h>
#include <math.h>
#include "base/limits.h"
#include "rows.h"

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

/* A list of `count` times the item, of at least a megabyte. */
static char *list_of(const char *item, size_t *ret_len)
{
    size_t each = strlen(item) + 1, count = CORAS_MIB / each + 1;
    char *text = malloc(count * each + 2);

    text[0] = '[';
    for (size_t i = 0; i < count; i++) {
        memcpy(text + 1 + i * each, item, each - 1);
        text[i * each + each] = ',';
    }
    text[count * each] = ']';
    *ret_len = count * each + 1;
    return text;
}

static void memory_is_bounded_by_the_text(void **state)
{
    static const char *const items[] = {
        "{}",           "[]",      "1",        "\"\"",
        "null",         "[[]]",    "{\"\":1}", "{\"a\":[],\"b\":{}}",
        "\"\xc3\xa9\"", "\"\\n\"", "-1.5e3",   "\"\xff\xff\xff\"",
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(items); i++) {
        coras_auto(coras_json) root = NULL;
        size_t len;
        coras_auto_free char *text = list_of(items[i], &len);
        coras_alloc_count_start();
        int rc = coras_json_parse_any(text, len, &root, NULL);
        size_t bytes = coras_alloc_count_stop();
        if (rc < 0 || bytes > 16 * len)
            print_error("%s: %zu bytes for %zu of text\n", items[i], bytes, len);
        assert_ok(rc, NULL);
        assert_true(bytes <= 16 * len);
    }
}

/* Whoever writes the document chooses how many keys it has. */
static void many_keys_are_told_apart_in_bounded_memory(void **state)
{
    enum { KEYS = 200000 };
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_auto(coras_json) root = NULL;
    coras_auto(coras_json) twice = NULL;

    (void)state;
    coras_buf_putc(&text, '{');
    for (int i = 0; i < KEYS; i++)
        coras_buf_printf(&text, "\"%x\":%d,", i, i % 10);
    coras_buf_puts(&text, "\"x\":0}");
    coras_alloc_count_start();
    assert_ok(coras_json_parse(text.ptr, text.len, &root, NULL), NULL);
    assert_true(coras_alloc_count_stop() <= 16 * text.len);
    assert_int_equal(coras_json_len(root), KEYS + 1);

    coras_buf_truncate(&text, text.len - strlen("\"x\":0}"));
    coras_buf_puts(&text, "\"0\":7}");
    assert_int_equal(coras_json_parse(text.ptr, text.len, &twice, NULL), CORAS_ERR_INVALID_JSON);
    assert_ok(coras_json_parse_any(text.ptr, text.len, &twice, NULL), NULL);
    double last = 0;
    assert_true(coras_json_real(coras_json_get(twice, "0"), &last) && fabs(last - 7) < 1e-9);
    assert_int_equal(coras_json_len(twice), KEYS);
}

/* What reads text and what reads values agree on what is JSON. */
static void all_readers_hold_one_grammar(void **state)
{
    static const struct {
        const char *text;
        bool json;
    } rows[] = {
        {"{}", true},       {" [ ] ", true},        {"1", true},       {"-0", true},
        {"1.50e+3", true},  {"\"\\u00e9\"", true},  {"true", true},    {"{\"a\":{}}", true},
        {"01", false},      {"+1", false},          {".5", false},     {"1.", false},
        {"1e", false},      {"tru", false},         {"nul", false},    {"[1,]", false},
        {"{\"a\"}", false}, {"{\"a\":1,}", false},  {"{a:1}", false},  {"[1 2]", false},
        {"\"\\x\"", false}, {"\"\\u12g4\"", false}, {"\"\t\"", false}, {"//", false},
        {"\"", false},      {"]", false},           {"{]", false},     {"1 1", false},
        {"-", false},       {"truefalse", false},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto(coras_json) strict = NULL;
        coras_auto(coras_json) lenient = NULL;
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        coras_auto_buf indented = CORAS_BUF_UNLIMITED;
        size_t len = strlen(rows[i].text);
        IN_ROW(rows[i].text);
        assert_int_equal(coras_json_parse(rows[i].text, len, &strict, NULL) == 0, rows[i].json);
        assert_int_equal(coras_json_parse_any(rows[i].text, len, &lenient, NULL) == 0,
                         rows[i].json);
        assert_int_equal(coras_json_compact(rows[i].text, len, &out, NULL) == 0, rows[i].json);
        assert_int_equal(coras_json_indent(rows[i].text, len, &indented, NULL) == 0, rows[i].json);
    }
}

static void lenient_readers_replace_what_is_no_text(void **state)
{
    static const struct {
        const char *text, *value;
    } rows[] = {
        {"\"a\xff\"", "a\xef\xbf\xbd"},
        {"\"\\ud800\"", "\xef\xbf\xbd"},
        {"\"\\ud800\\u0041\"", "\xef\xbf\xbd\x41"},
        {"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80"},
        {"\"\\\"\\/\\b\"", "\"/\b"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto(coras_json) root = NULL;
        const char *value = "";
        IN_ROW(rows[i].text);
        assert_ok(coras_json_parse_any(rows[i].text, strlen(rows[i].text), &root, NULL), NULL);
        assert_true(coras_json_string(root, &value));
        assert_string_equal(value, rows[i].value);
    }
}

/* A program that has set its own locale reads the same numbers. */
static void numbers_do_not_depend_on_the_locale(void **state)
{
    coras_auto(coras_json) root = NULL;
    double real = 0;

    (void)state;
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8"))
        (void)setlocale(LC_NUMERIC, "fr_FR.UTF-8");
    assert_ok(coras_json_parse("1.5", 3, &root, NULL), NULL);
    (void)setlocale(LC_NUMERIC, "C");
    assert_true(coras_json_real(root, &real) && fabs(real - 1.5) < 1e-9);
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
        cmocka_unit_test(memory_is_bounded_by_the_text),
        cmocka_unit_test(many_keys_are_told_apart_in_bounded_memory),
        cmocka_unit_test(all_readers_hold_one_grammar),
        cmocka_unit_test(lenient_readers_replace_what_is_no_text),
        cmocka_unit_test(numbers_do_not_depend_on_the_locale),
        cmocka_unit_test(members_come_in_document_order),
        cmocka_unit_test(prefix_reads_the_first_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
