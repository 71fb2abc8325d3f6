/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: decoding once, refusing what is broken, encoding, queries. */
#include "serve/http/uri.h"

#include <string.h>
#include "support.h"

static void decodes_each_escape_once(void **state)
{
    static const struct {
        const char *in, *out; /* out NULL: refused */
    } cases[] = {
        {"", ""},
        {"abc", "abc"},
        {"sha256%3Aab", "sha256:ab"},
        {"sha256%3aab", "sha256:ab"},
        {"a%252e", "a%2e"},
        {"a+b", "a+b"},
        {"%2F", "/"},
        {"%c3%a9", "\xc3\xa9"},
        {"%", NULL},
        {"%4", NULL},
        {"%4g", NULL},
        {"%g4", NULL},
        {"a%00b", NULL},
        {"a%0d%0ab", NULL},
        {"a%7f", NULL},
        {"a\tb", NULL},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_free char *out = serve_uri_decode(coras_str_of(cases[i].in));
        if (cases[i].out)
            assert_string_equal(out, cases[i].out);
        else
            assert_null(out);
    }
}

static void looks_no_further_than_the_piece(void **state)
{
    (void)state;
    assert_null(serve_uri_decode((coras_str){"%41", 2}));
    assert_null(serve_uri_decode((coras_str){"%41", 1}));
}

static void encodes_all_but_unreserved(void **state)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;

    (void)state;
    serve_uri_encode(&out, "aZ09-._~ /+:&=\"\xc3");
    assert_string_equal(out.ptr, "aZ09-._~%20%2F%2B%3A%26%3D%22%C3");
}

static void splits_queries(void **state)
{
    struct serve_query q = {0};

    (void)state;
    assert_true(serve_query_parse(coras_str_of("a=1&&b&c=x%26y=z&a=2&=5"), &q));
    assert_int_equal(q.len, 5);
    assert_string_equal(serve_query_get(&q, "a"), "1");
    assert_string_equal(serve_query_get(&q, "b"), "");
    assert_string_equal(serve_query_get(&q, "c"), "x&y=z");
    assert_string_equal(serve_query_get(&q, ""), "5");
    assert_null(serve_query_get(&q, "d"));
    serve_query_clear(&q);
    assert_true(serve_query_parse(coras_str_of(""), &q));
    assert_int_equal(q.len, 0);
    assert_false(serve_query_parse(coras_str_of("a=%zz"), &q));
    assert_false(serve_query_parse(coras_str_of("a=b%00"), &q));
}

static void bounds_the_number_of_parameters(void **state)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    struct serve_query q = {0};

    (void)state;
    for (int i = 0; i < SERVE_URI_PARAMS_MAX; i++)
        coras_buf_puts(&text, "a=b&");
    assert_true(serve_query_parse((coras_str){text.ptr, text.len}, &q));
    serve_query_clear(&q);
    coras_buf_puts(&text, "a=b");
    assert_false(serve_query_parse((coras_str){text.ptr, text.len}, &q));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_each_escape_once),
        cmocka_unit_test(looks_no_further_than_the_piece),
        cmocka_unit_test(encodes_all_but_unreserved),
        cmocka_unit_test(splits_queries),
        cmocka_unit_test(bounds_the_number_of_parameters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
