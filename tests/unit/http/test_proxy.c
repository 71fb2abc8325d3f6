/* SPDX-License-Identifier: Apache-2.0 */
/* Which proxy serves which host. */
#include "rows.h"
#include "http/proxy.h"

static void targets_are_matched(void **state)
{
    static const struct {
        const char *url, *none;
        bool proxied;
    } rows[] = {
        {"https://a.example/", NULL, true},
        {"https://localhost/", NULL, false},
        {"https://LOCALHOST:5000/", NULL, false},
        {"https://127.0.0.1/", NULL, false},
        {"https://127.9.9.9/", NULL, false},
        {"https://[::1]/", NULL, false},
        {"https://10.0.0.1/", NULL, true},
        {"https://a.example/", "*", false},
        {"https://a.example/", "example", false},
        {"https://a.example/", "a.example", false},
        {"https://b.a.example/", "a.example", false},
        {"https://ba.example/", "a.example", true},
        {"https://a.example/", ".a.example", true},
        {"https://b.a.example/", ".a.example", false},
        {"https://b.a.example/", "*.a.example", false},
        {"https://a.example/", " x , a.example ", false},
        {"https://a.example/", "a.example:443", false},
        {"https://a.example/", "a.example:5000", true},
        {"https://10.1.2.3/", "10.1.2.3", false},
        {"https://10.1.2.3/", "10.0.0.0/8", false},
        {"https://11.1.2.3/", "10.0.0.0/8", true},
        {"https://10.1.2.3/", "10.1.2.0/23", false},
        {"https://10.1.4.3/", "10.1.2.0/23", true},
        {"https://10.1.2.3/", "10.0.0.0/33", true},
        {"https://[fd00::1]/", "fd00::/8", false},
        {"https://[fd00::1]/", "fd00::1", false},
        {"https://[fd00::1]/", "[fd00::1]:443", false},
        {"https://a.example/", ",,", true},
    };
    coras_environment env = {.https_proxy = "http://p:3128"};

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_url url;
        IN_ROW(rows[i].none ? rows[i].none : rows[i].url);
        env.no_proxy = rows[i].none;
        assert_int_equal(coras_url_parse(rows[i].url, &url, NULL), 0);
        assert_int_equal(coras_proxy_for(&env, &url) != NULL, rows[i].proxied);
    }
}

static void schemes_have_their_own_proxy(void **state)
{
    coras_environment env = {.http_proxy = "http://a:1", .https_proxy = "http://b:2"};
    coras_environment none = {.http_proxy = "", .https_proxy = NULL};
    coras_url plain, tls;

    (void)state;
    assert_int_equal(coras_url_parse("http://h/", &plain, NULL), 0);
    assert_int_equal(coras_url_parse("https://h/", &tls, NULL), 0);
    assert_string_equal(coras_proxy_for(&env, &plain), "http://a:1");
    assert_string_equal(coras_proxy_for(&env, &tls), "http://b:2");
    assert_null(coras_proxy_for(&none, &plain));
    assert_null(coras_proxy_for(&none, &tls));
}

static void the_host_of_a_proxy_is_found(void **state)
{
    static const struct {
        const char *proxy, *host;
    } rows[] = {
        {"http://p:3128", "p"},
        {"p:3128", "p"},
        {"p", "p"},
        {"https://u:p@h:1/", "h"},
        {"http://u@p@h:1/x", "h"},
        {"http://[::1]:1", "::1"},
        {"http://u@[fd00::1]/", "fd00::1"},
        {"", ""},
        {"http://", ""},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        IN_ROW(rows[i].proxy);
        assert_true(coras_str_eq(coras_proxy_host(rows[i].proxy), rows[i].host));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_of_a_proxy_is_found),
        cmocka_unit_test(targets_are_matched),
        cmocka_unit_test(schemes_have_their_own_proxy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
