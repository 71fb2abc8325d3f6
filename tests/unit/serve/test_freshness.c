/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered of references and for how long, rings of caches, what failures mean. */
#include "serve/proxy/freshness.h"

#include <stdio.h>
#include "base/error.h"
#include "base/limits.h"
#include "serve/proxy/ring.h"
#include "serve/proxy/said.h"
#include "support.h"

static coras_descriptor describe(const char *content)
{
    coras_descriptor d = CORAS_DESCRIPTOR_INIT;
    coras_digest digest;

    assert_int_equal(coras_digest_of(CORAS_SHA256, content, strlen(content), &digest, NULL), 0);
    assert_int_equal(coras_descriptor_set(&d, "application/x.test", &digest, 7, NULL), 0);
    return d;
}

static void forgets_in_time(void **state)
{
    coras_auto(serve_freshness) f = serve_freshness_new(60000);
    coras_auto_value(coras_descriptor) d = describe("a");
    struct serve_fresh fresh;

    (void)state;
    assert_int_equal(serve_freshness_get(f, "r", "t", 1000).kind, SERVE_FRESH_UNKNOWN);
    serve_freshness_told(f, "r", "t", &d, 1000);
    fresh = serve_freshness_get(f, "r", "t", 60999);
    assert_int_equal(fresh.kind, SERVE_FRESH_NOW);
    assert_int_equal(fresh.size, 7);
    assert_string_equal(fresh.media_type, "application/x.test");
    assert_int_equal(serve_freshness_get(f, "r", "t", 61000).kind, SERVE_FRESH_OLD);
    assert_int_equal(serve_freshness_get(f, "r2", "t", 1000).kind, SERVE_FRESH_UNKNOWN);
    serve_freshness_absent(f, "r", "t", 70000);
    assert_int_equal(serve_freshness_get(f, "r", "t", 74999).kind, SERVE_FRESH_ABSENT);
    assert_int_equal(serve_freshness_get(f, "r", "t", 75000).kind, SERVE_FRESH_UNKNOWN);
    serve_freshness_told(f, "r", "t", &d, 80000);
    serve_freshness_forget(f, "r", "t");
    assert_int_equal(serve_freshness_get(f, "r", "t", 80000).kind, SERVE_FRESH_UNKNOWN);
}

static void knows_the_tags_of_a_manifest(void **state)
{
    coras_auto(serve_freshness) f = serve_freshness_new(0);
    coras_auto_value(coras_descriptor) a = describe("a"), b = describe("b");
    coras_auto_value(coras_strlist) tags = {0};

    (void)state;
    serve_freshness_told(f, "r", "t1", &a, 1000);
    serve_freshness_told(f, "r", "t2", &a, 1000);
    serve_freshness_told(f, "r", "t3", &b, 1000);
    serve_freshness_told(f, "s", "t4", &a, 1000);
    assert_int_equal(serve_freshness_get(f, "r", "t1", 1000).kind, SERVE_FRESH_OLD);
    assert_int_equal(serve_freshness_tags_of(f, "r", &a.digest, &tags, NULL), 0);
    coras_strlist_sort(&tags);
    assert_int_equal(tags.len, 2);
    assert_string_equal(tags.items[1], "t2");
}

static void remembers_a_bounded_number(void **state)
{
    coras_auto(serve_freshness) f = serve_freshness_new(60000);
    coras_auto_value(coras_descriptor) d = describe("a");
    coras_auto_value(coras_strlist) tags = {0};
    char tag[32];

    (void)state;
    for (int i = 0; i < 20000; i++) {
        snprintf(tag, sizeof(tag), "t%d", i);
        serve_freshness_absent(f, "r", tag, i);
    }
    serve_freshness_told(f, "r", "last", &d, 20000);
    assert_int_equal(serve_freshness_get(f, "r", "last", 20000).kind, SERVE_FRESH_NOW);
    assert_int_equal(serve_freshness_get(f, "r", "t19999", 20000).kind, SERVE_FRESH_ABSENT);
    assert_int_equal(serve_freshness_get(f, "r", "t1", 2).kind, SERVE_FRESH_UNKNOWN);
}

static void says_once_a_minute_that_a_tag_is_stale(void **state)
{
    coras_auto(serve_freshness) f = serve_freshness_new(0);

    (void)state;
    assert_true(serve_freshness_says_stale(f, "r", "t", 100000));
    assert_false(serve_freshness_says_stale(f, "r", "t", 159999));
    assert_true(serve_freshness_says_stale(f, "r", "t", 160000));
    assert_int_equal(serve_freshness_get(f, "r", "t", 160000).kind, SERVE_FRESH_UNKNOWN);
}

static void notices_rings(void **state)
{
    static const struct {
        const char *via;
        bool closed;
    } cases[] = {
        {NULL, false},
        {"", false},
        {"1.1 nginx", false},
        {"1.1 me", true},
        {"1.0 a, 1.1 me ,1.1 b", true},
        {"1.1 me2,1.1 notme", false},
        {"1 a,1 b,1 c,1 d,1 e,1 f,1 g,1 h", false},
        {"1 a,1 b,1 c,1 d,1 e,1 f,1 g,1 h,1 i", true},
    };
    char way[CORAS_LIMIT_REQUEST_VIA + 2] = {0};
    coras_auto_free char *first = serve_ring_extend("1.1 me", NULL);
    coras_auto_free char *second = serve_ring_extend("1.1 me", "1.1 you");

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++)
        assert_int_equal(serve_ring_is_closed("1.1 me", cases[i].via), cases[i].closed);
    memset(way, 'a', CORAS_LIMIT_REQUEST_VIA);
    assert_false(serve_ring_is_closed("1.1 me", way));
    way[CORAS_LIMIT_REQUEST_VIA] = 'a';
    assert_true(serve_ring_is_closed("1.1 me", way));
    assert_string_equal(first, "1.1 me");
    assert_string_equal(second, "1.1 you, 1.1 me");
}

static void tells_failures_apart(void **state)
{
    static const struct {
        int rc, status, asked_s;
        enum serve_said_kind kind;
        bool stale;
    } cases[] = {
        {CORAS_ERR_NOT_FOUND, 404, 0, SERVE_SAID_ABSENT, false},
        {CORAS_ERR_HTTP, 410, 0, SERVE_SAID_ABSENT, false},
        {CORAS_ERR_UNAUTHORIZED, 401, 0, SERVE_SAID_DENIED, false},
        {CORAS_ERR_DENIED, 403, 0, SERVE_SAID_DENIED, false},
        {CORAS_ERR_RATE_LIMITED, 429, 7, SERVE_SAID_BUSY, true},
        {CORAS_ERR_HTTP, 503, 7, SERVE_SAID_BUSY, true},
        {CORAS_ERR_HTTP, 503, 0, SERVE_SAID_NOTHING, true},
        {CORAS_ERR_HTTP, 500, 0, SERVE_SAID_NOTHING, true},
        {CORAS_ERR_HTTP, 504, 0, SERVE_SAID_LATE, true},
        {CORAS_ERR_HTTP, 418, 0, SERVE_SAID_NONSENSE, true},
        {CORAS_ERR_CONNECT, 0, 0, SERVE_SAID_NOTHING, true},
        {CORAS_ERR_TIMEOUT, 0, 0, SERVE_SAID_LATE, true},
        {CORAS_ERR_DIGEST_MISMATCH, 0, 0, SERVE_SAID_NONSENSE, true},
        {CORAS_ERR_NO_MEMORY, 0, 0, SERVE_SAID_FAILED, true},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_error) err = NULL;
        struct serve_said said;
        coras_fail(&err, cases[i].rc, "no");
        if (cases[i].status)
            coras_error_set_http(&err, cases[i].status, "host", "no", NULL);
        coras_error_set_retry_after_s(&err, cases[i].asked_s);
        said = serve_said_of(cases[i].rc, err);
        assert_int_equal(said.kind, cases[i].kind);
        assert_int_equal(said.wait_ms, cases[i].asked_s * 1000);
        assert_int_equal(serve_said_allows_stale(said), cases[i].stale);
    }
    assert_int_equal(serve_said_of(0, NULL).kind, SERVE_SAID_YES);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(forgets_in_time),
        cmocka_unit_test(knows_the_tags_of_a_manifest),
        cmocka_unit_test(remembers_a_bounded_number),
        cmocka_unit_test(says_once_a_minute_that_a_tag_is_stale),
        cmocka_unit_test(notices_rings),
        cmocka_unit_test(tells_failures_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
