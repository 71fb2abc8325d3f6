/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON: Go's layout, escapes and numbers. */
#include "codec/json.h"

#include <math.h>
#include "support.h"
#include "gospell/float.h"

static void write_sample(coras_json_writer *w)
{
    coras_jw_object(w);
    coras_jw_member(w, "s", "<x>");
    coras_jw_member_opt(w, "absent", NULL);
    coras_jw_member_opt(w, "empty", "");
    coras_jw_member_int(w, "n", -9223372036854775807 - 1);
    coras_jw_key(w, "l");
    coras_jw_array(w);
    coras_jw_bool(w, true);
    coras_jw_null(w);
    coras_jw_array(w);
    coras_jw_end_array(w);
    coras_jw_object(w);
    coras_jw_end_object(w);
    coras_jw_real(w, 0.5);
    coras_jw_end_array(w);
    coras_jw_end_object(w);
}

static void lays_out_like_go(void **state)
{
    static const struct {
        int indent;
        const char *out;
    } cases[] = {
        {0, "{\"s\":\"\\u003cx\\u003e\",\"n\":-9223372036854775808,\"l\":[true,null,[],{},0.5]}"},
        {2, "{\n  \"s\": \"\\u003cx\\u003e\",\n  \"n\": -9223372036854775808,\n  \"l\": [\n"
            "    true,\n    null,\n    [],\n    {},\n    0.5\n  ]\n}"},
        {-1, "{\n\t\"s\": \"\\u003cx\\u003e\",\n\t\"n\": -9223372036854775808,\n\t\"l\": [\n"
             "\t\ttrue,\n\t\tnull,\n\t\t[],\n\t\t{},\n\t\t0.5\n\t]\n}"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        coras_json_writer w = CORAS_JSON_WRITER(&out, cases[i].indent);
        write_sample(&w);
        assert_ok(coras_buf_done(&out, NULL), NULL);
        assert_string_equal(out.ptr, cases[i].out);
    }
}

static void writes_parsed_values_in_either_order(void **state)
{
    static const char text[] = "{\"b\":[1,2.5,\"x\",null,false],\"a\":{\"d\":{},\"c\":[]}}";
    coras_auto_buf kept = CORAS_BUF_UNLIMITED;
    coras_auto_buf sorted = CORAS_BUF_UNLIMITED;
    coras_auto(coras_json) root = NULL;
    coras_json_writer w1 = CORAS_JSON_WRITER(&kept, 0);
    coras_json_writer w2 = CORAS_JSON_WRITER(&sorted, 0);

    (void)state;
    assert_ok(coras_json_parse(text, sizeof(text) - 1, &root, NULL), NULL);
    coras_jw_value(&w1, root, false);
    assert_string_equal(kept.ptr, text);
    coras_jw_value(&w2, root, true);
    assert_string_equal(sorted.ptr, "{\"a\":{\"c\":[],\"d\":{}},\"b\":[1,2.5,\"x\",null,false]}");
}

static void escapes_like_go(void **state)
{
    static const struct {
        coras_str in;
        const char *html, *plain;
    } cases[] = {
        {CORAS_STR(""), "\"\"", "\"\""},
        {CORAS_STR("a/b"), "\"a/b\"", "\"a/b\""},
        {CORAS_STR("\"\\"), "\"\\\"\\\\\"", "\"\\\"\\\\\""},
        {CORAS_STR("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"", "\"\\b\\f\\n\\r\\t\""},
        {CORAS_STR("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\"",
         "\"\\u0000\\u0001\\u001f\x7f\""},
        {CORAS_STR("<a>&b"), "\"\\u003ca\\u003e\\u0026b\"", "\"<a>&b\""},
        {CORAS_STR("é😀"), "\"é😀\"", "\"é😀\""},
        {CORAS_STR("\xe2\x80\xa8\xe2\x80\xa9"), "\"\\u2028\\u2029\"", "\"\\u2028\\u2029\""},
        {CORAS_STR("a\xff\xc3"), "\"a\\ufffd\\ufffd\"", "\"a\\ufffd\\ufffd\""},
        {CORAS_STR("\xef\xbf\xbd"), "\"\xef\xbf\xbd\"", "\"\xef\xbf\xbd\""},
        {CORAS_STR("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"", "\"\\ufffd\\ufffd\\ufffd\""},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        coras_json_escape(&out, cases[i].in.ptr, cases[i].in.len, false);
        assert_string_equal(out.ptr, cases[i].html);
        coras_buf_reset(&out);
        coras_json_escape(&out, cases[i].in.ptr, cases[i].in.len, true);
        assert_string_equal(out.ptr, cases[i].plain);
    }
}

static void prints_numbers_like_go(void **state)
{
    static const struct {
        double n;
        const char *v, *json;
    } cases[] = {
        {0, "0", "0"},
        {585, "585", "585"},
        {-1.5, "-1.5", "-1.5"},
        {999999, "999999", "999999"},
        {1000000, "1e+06", "1000000"},
        {12345678, "1.2345678e+07", "12345678"},
        {1.2345678901234568e17, "1.2345678901234568e+17", "123456789012345680"},
        {1e20, "1e+20", "100000000000000000000"},
        {1e21, "1e+21", "1e+21"},
        {0.1, "0.1", "0.1"},
        {0.0001, "0.0001", "0.0001"},
        {0.00001, "1e-05", "0.00001"},
        {0.000001, "1e-06", "0.000001"},
        {1e-7, "1e-07", "1e-7"},
        {5e-324, "5e-324", "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308", "1.7976931348623157e+308"},
        /* a power of two, where the shortest decimal is not the nearest of its length */
        {0x1p-1017, "7.120236347223045e-307", "7.120236347223045e-307"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        coras_go_float(&out, cases[i].n);
        assert_string_equal(out.ptr, cases[i].v);
        coras_buf_reset(&out);
        coras_go_float_json(&out, cases[i].n);
        assert_string_equal(out.ptr, cases[i].json);
    }
}

static void prints_what_is_no_number(void **state)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;

    (void)state;
    coras_go_float(&out, (double)NAN);
    coras_go_float(&out, (double)INFINITY);
    coras_go_float(&out, -(double)INFINITY);
    coras_go_float(&out, -0.0);
    assert_string_equal(out.ptr, "NaN+Inf-Inf-0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lays_out_like_go),
        cmocka_unit_test(writes_parsed_values_in_either_order),
        cmocka_unit_test(escapes_like_go),
        cmocka_unit_test(prints_numbers_like_go),
        cmocka_unit_test(prints_what_is_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
