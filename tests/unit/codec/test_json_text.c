/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as text: Go's Indent and Compact, its words for what is wrong, raw slices. */
#include "codec/json.h"

#include "base/limits.h"
#include "support.h"

static void indents_and_compacts_like_go(void **state)
{
    static const struct {
        const char *in, *indented, *compact;
    } cases[] = {
        {"{}", "{}", "{}"},
        {"[ ]", "[]", "[]"},
        {"{ }\n", "{}\n", "{}"},
        {" 1 ", "1 ", "1"},
        {"\"<&>\\u00e9\"", "\"<&>\\u00e9\"", "\"<&>\\u00e9\""},
        {"{\"z\":1.50,\"a\":1E5,\"z\":-0}", "{\n  \"z\": 1.50,\n  \"a\": 1E5,\n  \"z\": -0\n}",
         "{\"z\":1.50,\"a\":1E5,\"z\":-0}"},
        {"[1,\t2 ,{}]", "[\n  1,\n  2,\n  {}\n]", "[1,2,{}]"},
        {"{\"a\":[1,{},[],[2]],\"b\" :{\"c\":\"d\"}} ",
         "{\n  \"a\": [\n    1,\n    {},\n    [],\n    [\n      2\n    ]\n  ],\n"
         "  \"b\": {\n    \"c\": \"d\"\n  }\n} ",
         "{\"a\":[1,{},[],[2]],\"b\":{\"c\":\"d\"}}"},
        {"[[[]]]", "[\n  [\n    []\n  ]\n]", "[[[]]]"},
        {"\"\xff\"", "\"\xff\"", "\"\xff\""},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf indented = CORAS_BUF_UNLIMITED;
        coras_auto_buf compact = CORAS_BUF_UNLIMITED;
        coras_auto(coras_error) err = NULL;
        size_t len = strlen(cases[i].in);
        assert_ok(coras_json_indent(cases[i].in, len, &indented, &err), err);
        assert_string_equal(indented.ptr, cases[i].indented);
        assert_ok(coras_json_compact(cases[i].in, len, &compact, &err), err);
        assert_string_equal(compact.ptr, cases[i].compact);
    }
}

static void says_what_go_says_about_bad_json(void **state)
{
    static const struct {
        coras_str in;
        const char *message;
    } cases[] = {
        {CORAS_STR(""), "unexpected end of JSON input"},
        {CORAS_STR("["), "unexpected end of JSON input"},
        {CORAS_STR("{\"a\":1"), "unexpected end of JSON input"},
        {CORAS_STR("\"abc"), "unexpected end of JSON input"},
        {CORAS_STR("tru"), "invalid character ' ' in literal true (expecting 'e')"},
        {CORAS_STR("trux"), "invalid character 'x' in literal true (expecting 'e')"},
        {CORAS_STR("x"), "invalid character 'x' looking for beginning of value"},
        {CORAS_STR("[1,]"), "invalid character ']' looking for beginning of value"},
        {CORAS_STR("{\"a\":1,}"),
         "invalid character '}' looking for beginning of object key string"},
        {CORAS_STR("{1:2}"), "invalid character '1' looking for beginning of object key string"},
        {CORAS_STR("{}x"), "invalid character 'x' after top-level value"},
        {CORAS_STR("{\"a\" 1}"), "invalid character '1' after object key"},
        {CORAS_STR("{\"a\":1 \"b\"}"), "invalid character '\"' after object key:value pair"},
        {CORAS_STR("[1 2]"), "invalid character '2' after array element"},
        {CORAS_STR("[}"), "invalid character '}' looking for beginning of value"},
        {CORAS_STR("{]"), "invalid character ']' looking for beginning of object key string"},
        {CORAS_STR("\"a\nb\""), "invalid character '\\n' in string literal"},
        {CORAS_STR("\"\\x\""), "invalid character 'x' in string escape code"},
        {CORAS_STR("\"\\u12g4\""), "invalid character 'g' in \\u hexadecimal character escape"},
        {CORAS_STR("-a"), "invalid character 'a' in numeric literal"},
        {CORAS_STR("1.x"), "invalid character 'x' after decimal point in numeric literal"},
        {CORAS_STR("1ex"), "invalid character 'x' in exponent of numeric literal"},
        {CORAS_STR("01"), "invalid character '1' after top-level value"},
        {CORAS_STR("'"), "invalid character '\\'' looking for beginning of value"},
        {CORAS_STR("\xef\xbb\xbf{}"), "invalid character 'ï' looking for beginning of value"},
        {CORAS_STR("\0"), "invalid character '\\x00' looking for beginning of value"},
        {CORAS_STR("\x7f"), "invalid character '\\x7f' looking for beginning of value"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        coras_auto(coras_error) indent = NULL;
        coras_auto(coras_error) compact = NULL;
        coras_buf_puts(&out, "kept");
        assert_failed(coras_json_indent(cases[i].in.ptr, cases[i].in.len, &out, &indent), indent,
                      CORAS_ERR_INVALID_JSON, cases[i].message);
        assert_failed(coras_json_compact(cases[i].in.ptr, cases[i].in.len, &out, &compact), compact,
                      CORAS_ERR_INVALID_JSON, cases[i].message);
        assert_string_equal(out.ptr, "kept");
        assert_int_equal(coras_json_indent(cases[i].in.ptr, cases[i].in.len, &out, NULL),
                         CORAS_ERR_INVALID_JSON);
    }
}

static int compact_nested(size_t depth, coras_error **err)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    char *text = malloc(2 * depth);

    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    int rc = coras_json_compact(text, 2 * depth, &out, err);
    free(text);
    return rc;
}

static void nesting_is_bounded(void **state)
{
    coras_auto(coras_error) beyond = NULL;
    coras_auto(coras_error) far_beyond = NULL;

    (void)state;
    assert_int_equal(compact_nested(CORAS_LIMIT_JSON_DEPTH, NULL), 0);
    assert_failed(compact_nested(CORAS_LIMIT_JSON_DEPTH + 1, &beyond), beyond,
                  CORAS_ERR_INVALID_JSON, "exceeded max depth");
    assert_failed(compact_nested(5000000, &far_beyond), far_beyond, CORAS_ERR_INVALID_JSON,
                  "exceeded max depth");
}

struct collected {
    coras_buf text;
    size_t stop_after;
};

static bool collect_member(const char *key, coras_str value, void *user)
{
    struct collected *c = user;

    coras_buf_printf(&c->text, "%s=%.*s|", key, (int)value.len, value.ptr);
    return --c->stop_after > 0;
}

static bool collect_element(size_t i, coras_str value, void *user)
{
    struct collected *c = user;

    coras_buf_printf(&c->text, "%zu=%.*s|", i, (int)value.len, value.ptr);
    return --c->stop_after > 0;
}

static void slices_members_raw(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"{}", ""},
        {" { } ", ""},
        {"{\"a\":1}", "a=1|"},
        {" { \"b\" : [1, {\"x\":2}] , \"a\" : \"s,}\" , \"c\":{ } }\n",
         "b=[1, {\"x\":2}]|a=\"s,}\"|c={ }|"},
        {"{\"n\":1.50,\"n\":-0}", "n=1.50|n=-0|"},
        {"{\"\":null}", "=null|"},
        {"{\"\\u00e9\\n\\\"\\/\":1}", "é\n\"/=1|"},
        {"{\"\\ud83d\\ude00\":1}", "😀=1|"},
        {"{\"\\ud83d\":1}", "\xef\xbf\xbd=1|"},
        {"{\"\xff\":1}", "\xef\xbf\xbd=1|"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        struct collected c = {CORAS_BUF_UNLIMITED, 100};
        coras_auto(coras_error) err = NULL;
        assert_ok(
            coras_json_raw_members(cases[i].in, strlen(cases[i].in), collect_member, &c, &err),
            err);
        assert_string_equal(c.text.ptr, cases[i].out);
        coras_buf_clear(&c.text);
    }
}

static void slices_elements_raw(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"[]", ""},
        {"[ ]", ""},
        {"[1]", "0=1|"},
        {" [ 1.50 , [2,3] , {\"a\":[]} , \"]\" ] ", "0=1.50|1=[2,3]|2={\"a\":[]}|3=\"]\"|"},
        {"[[]]", "0=[]|"},
        {"[{}]", "0={}|"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        struct collected c = {CORAS_BUF_UNLIMITED, 100};
        coras_auto(coras_error) err = NULL;
        assert_ok(
            coras_json_raw_elements(cases[i].in, strlen(cases[i].in), collect_element, &c, &err),
            err);
        assert_string_equal(c.text.ptr, cases[i].out);
        coras_buf_clear(&c.text);
    }
}

static void slicing_ends_when_told_and_refuses_the_rest(void **state)
{
    struct collected c = {CORAS_BUF_UNLIMITED, 1};
    coras_auto(coras_error) type = NULL;
    coras_auto(coras_error) bad = NULL;
    coras_auto(coras_error) nul = NULL;

    (void)state;
    assert_ok(coras_json_raw_elements("[1,2,3]", 7, collect_element, &c, NULL), NULL);
    assert_string_equal(c.text.ptr, "0=1|");
    coras_buf_reset(&c.text);
    c.stop_after = 100;
    assert_failed(coras_json_raw_members("[1]", 3, collect_member, &c, &type), type,
                  CORAS_ERR_INVALID_JSON, "not a JSON object");
    assert_failed(coras_json_raw_members("{\"a\":1,\"b\"", 10, collect_member, &c, &bad), bad,
                  CORAS_ERR_INVALID_JSON, "unexpected end of JSON input");
    assert_failed(coras_json_raw_members("{\"\\u0000\":1}", 12, collect_member, &c, &nul), nul,
                  CORAS_ERR_INVALID_JSON, "NUL character in an object key");
    assert_string_equal(c.text.ptr, "");
    coras_buf_clear(&c.text);
}

static void texts_are_judged_as_a_decoder_does(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{}", NULL},
        {" [1, null] ", NULL},
        {"", "EOF"},
        {" \n", "EOF"},
        {"{\"a\":", "unexpected EOF"},
        {"\"a", "unexpected EOF"},
        {"<html>", "invalid character '<' looking for beginning of value"},
        {"{} x", "invalid character 'x' after top-level value"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_error) err = NULL;
        int rc = coras_json_check(cases[i].text, strlen(cases[i].text), &err);
        if (cases[i].message)
            assert_failed(rc, err, CORAS_ERR_INVALID_JSON, cases[i].message);
        else
            assert_ok(rc, err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_judged_as_a_decoder_does),
        cmocka_unit_test(indents_and_compacts_like_go),
        cmocka_unit_test(says_what_go_says_about_bad_json),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(slices_members_raw),
        cmocka_unit_test(slices_elements_raw),
        cmocka_unit_test(slicing_ends_when_told_and_refuses_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
