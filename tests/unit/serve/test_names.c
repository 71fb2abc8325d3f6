/* SPDX-License-Identifier: Apache-2.0 */
/* What --proxy may say, and where a name leads with it. */
#include "serve/proxy/names.h"

#include <string.h>
#include "support.h"

static void reads_settings(void **state)
{
    static const struct {
        const char *text, *name, *host, *path;
        bool https;
    } cases[] = {
        {"https://ghcr.io", "", "ghcr.io", "", true},
        {"https://ghcr.io/", "", "ghcr.io", "", true},
        {"http://127.0.0.1:5001", "", "127.0.0.1:5001", "", false},
        {"https://harbor.example/dockerhub/", "", "harbor.example", "dockerhub", true},
        {"ghcr.io=https://parent:5000", "ghcr.io", "parent:5000", "", true},
        {"GHCR.io:443=https://ghcr.io", "ghcr.io", "ghcr.io", "", true},
        {"hub=https://docker.io", "hub", "registry-1.docker.io", "", true},
        {"index.docker.io=https://registry-1.docker.io", "docker.io", "registry-1.docker.io", "",
         true},
        {"host:5001=http://h/a/b", "host:5001", "h", "a/b", false},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_value(serve_proxy_setting) s = {0};
        assert_int_equal(serve_proxy_setting_parse(cases[i].text, &s, NULL), 0);
        assert_string_equal(s.name, cases[i].name);
        assert_string_equal(s.host, cases[i].host);
        assert_string_equal(s.path, cases[i].path);
        assert_int_equal(s.https, cases[i].https);
    }
}

static void refuses_settings(void **state)
{
    static const char *const cases[] = {
        "",
        "ghcr.io",
        "ftp://ghcr.io",
        "https://",
        "https:///x",
        "=https://ghcr.io",
        "a_b=https://ghcr.io",
        "-a=https://ghcr.io",
        "a/b=https://ghcr.io",
        "a=ghcr.io",
        "https://user:hunter2@ghcr.io",
        "hunter2@ghcr.io",
        "a=https://hunter2@ghcr.io",
        "https://ghcr.io?hunter2=1",
        "https://ghcr.io/#x",
        "https://ghcr.io/A/B",
        "https://ghcr.io/a//b",
        "https://ghcr.io/../x",
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_value(serve_proxy_setting) s = {0};
        coras_auto(coras_error) err = NULL;
        assert_int_equal(serve_proxy_setting_parse(cases[i], &s, &err), CORAS_ERR_INVALID_ARGUMENT);
        assert_non_null(strstr(coras_error_message(err), "--proxy"));
        assert_null(strstr(coras_error_message(err), "hunter2"));
    }
}

static void open_upstreams(serve_upstreams **ret, const char *const *settings)
{
    struct serve_options options = SERVE_OPTIONS_INIT;

    for (; *settings; settings++)
        assert_int_equal(coras_strlist_add(&options.proxies, *settings, NULL), 0);
    assert_int_equal(serve_upstreams_open(&options, ret, NULL), 0);
    serve_options_clear(&options);
}

struct place_case {
    const char *repository, *ns;
    enum serve_place_verdict verdict;
    const char *upstream, *local, *remote; /* upstream NULL: here alone */
};

static void check_place(const serve_upstreams *all, const struct place_case *c)
{
    struct serve_query query = {0};
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    serve_place place;

    if (c->ns) {
        coras_buf_printf(&text, "ns=%s", c->ns);
        assert_true(serve_query_parse(coras_str_of(text.ptr), &query));
    }
    assert_int_equal(serve_place_find(all, c->repository, &query, &place), c->verdict);
    if (c->verdict == SERVE_PLACE_OK) {
        assert_string_equal(place.local, c->local);
        if (c->upstream) {
            assert_string_equal(place.upstream->label, c->upstream);
            assert_string_equal(place.remote, c->remote);
        } else {
            assert_null(place.upstream);
        }
    }
    serve_place_clear(&place);
    serve_query_clear(&query);
}

#define U SERVE_PLACE_UNKNOWN
#define B SERVE_PLACE_BAD_NAME

static void places_names(void **state)
{
    static const char *const settings[] = {"docker.io=https://registry-1.docker.io",
                                           "ghcr.io=http://parent:5000/mirror",
                                           "host:5001=http://10.0.0.1", "hub=http://h", NULL};
    static const struct place_case cases[] = {
        {"org/x", "ghcr.io", 0, "ghcr.io", "ghcr.io/org/x", "mirror/org/x"},
        {"ghcr.io/org/x", NULL, 0, "ghcr.io", "ghcr.io/org/x", "mirror/org/x"},
        {"org/x", "GHCR.IO:443", 0, "ghcr.io", "ghcr.io/org/x", "mirror/org/x"},
        {"alpine", "docker.io", 0, "docker.io", "docker.io/library/alpine", "library/alpine"},
        {"docker.io/alpine", NULL, 0, "docker.io", "docker.io/library/alpine", "library/alpine"},
        {"library/alpine", "index.docker.io", 0, "docker.io", "docker.io/library/alpine",
         "library/alpine"},
        {"host:5001/x", NULL, 0, "host:5001", "host:5001/x", "x"},
        {"x", "host%3A5001", 0, "host:5001", "host:5001/x", "x"},
        {"hub/x", NULL, 0, "hub", "hub/x", "x"},
        {"org/x", NULL, 0, NULL, "org/x", NULL},
        {"ghcr.io", NULL, 0, NULL, "ghcr.io", NULL},
        {"org/x", "quay.io", U, NULL, NULL, NULL},
        {"org/x", "ghcr.io%2Forg", U, NULL, NULL, NULL},
        {"org/x", "a@ghcr.io", U, NULL, NULL, NULL},
        {"org/x", "ghcr.io%23", U, NULL, NULL, NULL},
        {"org/x", "", U, NULL, NULL, NULL},
        {"host:5002/x", NULL, B, NULL, NULL, NULL},
        {"host:5001/X", NULL, B, NULL, NULL, NULL},
        {"host:5001/x", "ghcr.io", B, NULL, NULL, NULL},
    };
    coras_auto(serve_upstreams) all = NULL;

    (void)state;
    open_upstreams(&all, settings);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++)
        check_place(all, &cases[i]);
}

static void places_everything(void **state)
{
    static const char *const settings[] = {"https://registry-1.docker.io",
                                           "ghcr.io=https://ghcr.io", NULL};
    static const struct place_case cases[] = {
        {"org/x", NULL, 0, "default", "org/x", "org/x"},
        {"alpine", NULL, 0, "default", "alpine", "library/alpine"},
        {"org/x", "docker.io", 0, "default", "org/x", "org/x"},
        {"org/x", "registry-1.docker.io", 0, "default", "org/x", "org/x"},
        {"org/x", "ghcr.io", 0, "ghcr.io", "ghcr.io/org/x", "org/x"},
        {"ghcr.io/org/x", NULL, 0, "ghcr.io", "ghcr.io/org/x", "org/x"},
        {"quay.io/org/x", NULL, 0, "default", "quay.io/org/x", "quay.io/org/x"},
        {"org/x", "quay.io", U, NULL, NULL, NULL},
    };
    static const char *const none[] = {NULL};
    static const struct place_case alone = {"org/x", "ghcr.io", 0, NULL, "org/x", NULL};
    coras_auto(serve_upstreams) all = NULL;
    coras_auto(serve_upstreams) empty = NULL;

    (void)state;
    open_upstreams(&all, settings);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++)
        check_place(all, &cases[i]);
    open_upstreams(&empty, none);
    check_place(empty, &alone); /* a registry without upstreams is the one that was asked */
}

static void refuses_two_of_a_name(void **state)
{
    struct serve_options options = SERVE_OPTIONS_INIT;
    serve_upstreams *all = NULL;

    (void)state;
    assert_int_equal(coras_strlist_add(&options.proxies, "docker.io=https://a.example", NULL), 0);
    assert_int_equal(coras_strlist_add(&options.proxies, "index.docker.io=https://b.example", NULL),
                     0);
    assert_int_equal(serve_upstreams_open(&options, &all, NULL), CORAS_ERR_INVALID_ARGUMENT);
    serve_options_clear(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_settings),        cmocka_unit_test(refuses_settings),
        cmocka_unit_test(places_names),          cmocka_unit_test(places_everything),
        cmocka_unit_test(refuses_two_of_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
