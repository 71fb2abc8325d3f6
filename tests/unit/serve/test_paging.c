/* SPDX-License-Identifier: Apache-2.0 */
/* Paging: n and last, and the link to the next page. */
#include "serve/http/paging.h"

#include "support.h"

static void reads_number_and_place(void **state)
{
    static const struct {
        const char *query;
        bool ok;
        int64_t limit;
        const char *last;
    } cases[] = {
        {"", true, 1000, ""},
        {"n=", true, 1000, ""},
        {"n=0", true, 0, ""},
        {"n=7&last=v1", true, 7, "v1"},
        {"last=a%2Fb", true, 1000, "a/b"},
        {"n=1000", true, 1000, ""},
        {"n=1001", true, 1000, ""},
        {"n=2147483648", true, 1000, ""},
        {"n=99999999999999999999", true, 1000, ""},
        {"n=-1", false, 0, NULL},
        {"n=abc", false, 0, NULL},
        {"n=1.5", false, 0, NULL},
        {"n=+1", false, 0, NULL},
        {"n=%201", false, 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        struct serve_query q = {0};
        struct serve_page page;

        assert_true(serve_query_parse(coras_str_of(cases[i].query), &q));
        assert_int_equal(serve_page_parse(&q, 1000, &page), cases[i].ok);
        if (cases[i].ok) {
            assert_int_equal(page.limit, cases[i].limit);
            assert_string_equal(page.last, cases[i].last);
        }
        serve_query_clear(&q);
    }
}

static void links_to_the_next_page(void **state)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;

    (void)state;
    serve_page_link(&out, "/v2/a/tags/list", NULL, "v1+x", 5);
    assert_string_equal(out.ptr, "</v2/a/tags/list?last=v1%2Bx&n=5>; rel=\"next\"");
    coras_buf_reset(&out);
    serve_page_link(&out, "/v2/a/referrers/d", "artifactType=x", "sha256:0", 2);
    assert_string_equal(out.ptr,
                        "</v2/a/referrers/d?artifactType=x&last=sha256%3A0&n=2>; rel=\"next\"");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_number_and_place),
        cmocka_unit_test(links_to_the_next_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
