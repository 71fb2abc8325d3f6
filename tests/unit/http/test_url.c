/* SPDX-License-Identifier: Apache-2.0 */
/* URLs: parsed, joined, compared by origin. */
#include "rows.h"
#include "client/client.h"
#include "http/url.h"

static void urls_are_parsed(void **state)
{
    static const struct {
        const char *in, *host, *path, *query;
        int port;
        bool https;
    } rows[] = {
        {"https://h/a?b=c", "h", "/a", "b=c", 443, true},
        {"http://h", "h", "", NULL, 80, false},
        {"HTTP://H:5000/x", "H", "/x", NULL, 5000, false},
        {"https://[::1]:5000/x#f", "::1", "/x", NULL, 5000, true},
        {"https://h?x", "h", "", "x", 443, true},
        {"https://h:1/", "h", "/", NULL, 1, true},
        {"https://h:65535/", "h", "/", NULL, 65535, true},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_url u;
        assert_int_equal(coras_url_parse(rows[i].in, &u, NULL), 0);
        assert_true(coras_str_eq(u.host, rows[i].host));
        assert_true(coras_str_eq(u.path, rows[i].path));
        assert_int_equal(u.port, rows[i].port);
        assert_int_equal(u.https, rows[i].https);
        assert_int_equal(u.query.ptr != NULL, rows[i].query != NULL);
        if (rows[i].query)
            assert_true(coras_str_eq(u.query, rows[i].query));
    }
}

static void bad_urls_are_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "h/a",
        "ftp://h/a",
        "file:///etc/passwd",
        "https://",
        "https://user@h/",
        "https://good.example@evil.example/",
        "https://h:0/",
        "https://h:65536/",
        "https://h:-1/",
        "https://h:/",
        "https://h:1x/",
        "https://h /",
        "https://h/a b",
        "https://h/\n",
        "https://h\\@evil/",
        "https://[::1/",
        "https://[zz]/",
        "https://[::1]x/",
        "https://h%00/",
        "https://h\xc3\xa4/",
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_url u;
        coras_auto(coras_error) err = NULL;
        IN_ROW(rows[i]);
        assert_int_equal(coras_url_parse(rows[i], &u, &err), CORAS_ERR_PROTOCOL);
    }
}

static void references_are_resolved(void **state)
{
    /* From RFC 3986 5.4 and from what registries put into Location. */
    static const struct {
        const char *base, *ref, *result;
    } rows[] = {
        {"http://a/b/c/d?q", "g", "http://a/b/c/g"},
        {"http://a/b/c/d?q", "./g", "http://a/b/c/g"},
        {"http://a/b/c/d?q", "g/", "http://a/b/c/g/"},
        {"http://a/b/c/d?q", "/g", "http://a/g"},
        {"http://a/b/c/d?q", "//g/x", "http://g/x"},
        {"http://a/b/c/d?q", "?y", "http://a/b/c/d?y"},
        {"http://a/b/c/d?q", "g?y", "http://a/b/c/g?y"},
        {"http://a/b/c/d?q", "", "http://a/b/c/d?q"},
        {"http://a/b/c/d?q", ".", "http://a/b/c/"},
        {"http://a/b/c/d?q", "..", "http://a/b/"},
        {"http://a/b/c/d?q", "../g", "http://a/b/g"},
        {"http://a/b/c/d?q", "../../../g", "http://a/g"},
        {"http://a/b/c/d?q", "/./g", "http://a/g"},
        {"http://a/b/c/d?q", "g;x=1/../y", "http://a/b/c/y"},
        {"http://a/b/c/d?q", "g?y/../x", "http://a/b/c/g?y/../x"},
        {"http://a", "g", "http://a/g"},
        {"http://a/b", "https://x:5000/y?z#f", "https://x:5000/y?z"},
        {"http://a/b", "https://u:p@x/y@z?q@r", "https://x/y@z?q@r"},
        {"http://a/b", "//good@evil/", "http://evil/"},
        {"http://a/b", " /x y ", "http://a/x%20y"},
        {"http://a/b", "/\xc3\xa4", "http://a/%C3%A4"},
        {"https://h:5000/v2/a/blobs/uploads/", "/v2/a/blobs/uploads/1?_state=x",
         "https://h:5000/v2/a/blobs/uploads/1?_state=x"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_free char *result = NULL;
        IN_ROW(rows[i].ref);
        assert_int_equal(coras_url_resolve(rows[i].base, rows[i].ref, &result, NULL), 0);
        assert_string_equal(result, rows[i].result);
    }
}

static void other_schemes_are_not_resolved(void **state)
{
    static const char *const rows[] = {"file:///etc/passwd", "ftp://h/", "gopher://h/", "g:h",
                                       "javascript:x",       "http:x",   "https:/x",    "//a@b@c/",
                                       "//a\\@b/",           "//@b/"};

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_free char *result = NULL;
        coras_auto(coras_error) err = NULL;
        IN_ROW(rows[i]);
        assert_int_equal(coras_url_resolve("http://a/b", rows[i], &result, &err),
                         CORAS_ERR_PROTOCOL);
        assert_null(result);
    }
}

static void origins_are_compared_with_default_ports(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"https://h/x", "https://h:443/y", true},   {"http://h:80", "http://H/", true},
        {"https://h/", "http://h/", false},         {"https://h/", "https://h:8443/", false},
        {"https://h/", "https://h.evil/", false},   {"https://[::1]/", "https://[::1]:443/", true},
        {"https://h:443/", "http://h:443/", false},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_url a, b;
        IN_ROW(rows[i].b);
        assert_int_equal(coras_url_parse(rows[i].a, &a, NULL), 0);
        assert_int_equal(coras_url_parse(rows[i].b, &b, NULL), 0);
        assert_int_equal(coras_url_origin_equal(&a, &b), rows[i].same);
    }
}

static void assert_part(coras_str part, const char *in, const char *text)
{
    assert_true(coras_str_eq(part, text));
    assert_true(part.ptr >= in && part.ptr + part.len <= in + strlen(in));
}

/* The parts are those of the copy, which lives longer than the text that was parsed. */
static void copies_have_parts_of_their_own(void **state)
{
    coras_auto_free char *first = coras_strdup("https://h:5000/v2/?n=1");
    coras_auto_free char *copy = NULL;
    coras_auto_free char *joined = NULL;
    coras_url url, copied, other;

    (void)state;
    assert_int_equal(coras_url_parse(first, &url, NULL), 0);
    assert_ptr_equal(url.text, first);
    assert_int_equal(coras_url_copy(&url, &copy, &copied, NULL), 0);
    memset(first, 'x', strlen(first));
    assert_string_equal(copied.text, "https://h:5000/v2/?n=1");
    assert_part(copied.host, copy, "h");
    assert_part(copied.authority, copy, "h:5000");
    assert_part(copied.path, copy, "/v2/");
    assert_part(copied.query, copy, "n=1");
    assert_int_equal(coras_url_join(&copied, "a/b", &joined, &other, NULL), 0);
    assert_string_equal(other.text, "https://h:5000/v2/a/b");
    assert_part(other.path, joined, "/v2/a/b");
    assert_null(other.query.ptr);
}

static void secrets_in_urls_are_masked(void **state)
{
    static const struct {
        const char *in, *message, *log;
    } rows[] = {
        {"https://h/a", "https://h/a", "https://h/a"},
        {"https://h/a?n=2&last=x", "https://h/a?n=2&last=x",
         "https://h/a?last=REDACTED&n=REDACTED"},
        {"https://s3/b?X-Amz-Signature=abc&digest=sha256:1",
         "https://s3/b?X-Amz-Signature=REDACTED&digest=sha256:1",
         "https://s3/b?X-Amz-Signature=REDACTED&digest=REDACTED"},
        {"https://u:p@h/a", "https://REDACTED@h/a", "https://REDACTED@h/a"},
        {"?u=x://y", "?u=REDACTED", "?u=REDACTED"},
        {"#://", "", ""},
        {"https://h/a?sig", "https://h/a?sig", "https://h/a?sig=REDACTED"},
        {"/v2/x?_state=s", "/v2/x?_state=REDACTED", "/v2/x?_state=REDACTED"},
        {"https://h/\x1b[2J", "https://h/\\x1b[2J", "https://h/\\x1b[2J"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_buf message = CORAS_BUF_UNLIMITED;
        coras_auto_buf log = CORAS_BUF_UNLIMITED;
        coras_url_put_for_message(&message, rows[i].in);
        coras_url_put_for_log(&log, rows[i].in);
        assert_string_equal(message.ptr, rows[i].message);
        assert_string_equal(log.ptr, rows[i].log);
    }
}

static void query_values_are_encoded(void **state)
{
    coras_auto_buf b = CORAS_BUF_UNLIMITED;

    (void)state;
    coras_url_put_query(&b, "a b&c=d/e:f,\xc3\xa4~._-");
    assert_string_equal(b.ptr, "a%20b%26c%3Dd%2Fe%3Af%2C%C3%A4~._-");
}

static int resolve_some(coras_error **err)
{
    coras_auto_free char *result = NULL;

    return coras_url_resolve("http://h/a/b?c", "../x?y", &result, err);
}

static void lack_of_memory_is_reported(void **state)
{
    (void)state;
    fail_each_allocation(resolve_some);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lack_of_memory_is_reported),
        cmocka_unit_test(urls_are_parsed),
        cmocka_unit_test(bad_urls_are_refused),
        cmocka_unit_test(references_are_resolved),
        cmocka_unit_test(copies_have_parts_of_their_own),
        cmocka_unit_test(other_schemes_are_not_resolved),
        cmocka_unit_test(origins_are_compared_with_default_ports),
        cmocka_unit_test(secrets_in_urls_are_masked),
        cmocka_unit_test(query_values_are_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
