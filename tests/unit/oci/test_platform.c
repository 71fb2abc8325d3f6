/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms: upstream's errors, matching, JSON. */
#include "oci/platform.h"

#include "support.h"

static void parses_what_users_write(void **state)
{
    static const struct {
        const char *in, *shown;
    } cases[] = {
        {"linux/amd64", "linux/amd64"},
        {"linux/arm/v7", "linux/arm/v7"},
        {"linux/arm/v7:10.0", "linux/arm/v7:10.0"},
        {"windows/amd64:10.0.1:2", "windows/amd64:10.0.1:2"},
        {"linux/arm/", "linux/arm"},
        {"linux/amd64:", "linux/amd64"},
        {"linux/amd64:a/b", "linux/amd64:a/b"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_value(coras_platform) p = {0};
        coras_auto(coras_error) err = NULL;
        coras_auto_buf b = CORAS_BUF_UNLIMITED;
        assert_ok(coras_platform_parse(cases[i].in, &p, &err), err);
        coras_platform_put(&b, &p);
        assert_string_equal(b.ptr, cases[i].shown);
    }
}

static void the_architecture_defaults_to_this_machine(void **state)
{
    coras_auto_value(coras_platform) p = {0};

    (void)state;
    assert_ok(coras_platform_parse("linux:1", &p, NULL), NULL);
    assert_string_equal(p.architecture, coras_host_arch());
    assert_string_equal(p.os_version, "1");
    assert_null(p.variant);
    assert_string_not_equal(coras_host_arch(), "unknown");
    assert_string_not_equal(coras_host_os(), "unknown");
}

static void says_what_upstream_says(void **state)
{
    static const struct {
        const char *in, *message;
    } cases[] = {
        {"a/b/c/d", "failed to parse platform \"a/b/c/d\": expected format os[/arch[/variant]]"},
        {"a/b/c/d:1",
         "failed to parse platform \"a/b/c/d:1\": expected format os[/arch[/variant]]"},
        {"", "invalid platform: OS cannot be empty"},
        {"/amd64", "invalid platform: OS cannot be empty"},
        {":1", "invalid platform: OS cannot be empty"},
        {"linux/", "invalid platform: Architecture cannot be empty"},
        {"linux//v7", "invalid platform: Architecture cannot be empty"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_value(coras_platform) p = {0};
        coras_auto(coras_error) err = NULL;
        assert_failed(coras_platform_parse(cases[i].in, &p, &err), err, CORAS_ERR_INVALID_ARGUMENT,
                      cases[i].message);
    }
}

struct words {
    const char *os, *architecture, *variant, *os_version;
};

static void fill(coras_platform *p, const struct words *from)
{
    p->os = from->os ? coras_strdup(from->os) : NULL;
    p->architecture = from->architecture ? coras_strdup(from->architecture) : NULL;
    p->variant = from->variant ? coras_strdup(from->variant) : NULL;
    p->os_version = from->os_version ? coras_strdup(from->os_version) : NULL;
}

static void matches_what_was_asked(void **state)
{
    static const struct {
        struct words have, want;
        bool matches;
    } cases[] = {
        {{.os = "linux", .architecture = "arm"}, {.os = "linux", .architecture = "arm"}, true},
        {{.os = "linux", .architecture = "arm", .variant = "v7", .os_version = "1"},
         {.os = "linux", .architecture = "arm"},
         true},
        {{.os = "linux", .architecture = "arm", .variant = "v7"},
         {.os = "linux", .architecture = "arm", .variant = "v7"},
         true},
        {{.os = "linux", .architecture = "arm", .variant = "v6"},
         {.os = "linux", .architecture = "arm", .variant = "v7"},
         false},
        {{.os = "linux", .architecture = "arm"},
         {.os = "linux", .architecture = "arm", .variant = "v7"},
         false},
        {{.os = "linux", .architecture = "arm"},
         {.os = "linux", .architecture = "arm", .variant = ""},
         true},
        {{.os = "linux", .architecture = "arm"},
         {.os = "linux", .architecture = "arm", .os_version = "1"},
         false},
        {{.os = "linux", .architecture = "amd64"}, {.os = "linux", .architecture = "arm"}, false},
        {{.os = "windows", .architecture = "arm"}, {.os = "linux", .architecture = "arm"}, false},
        {{NULL}, {.os = "linux", .architecture = "arm"}, false},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_value(coras_platform) have = {0};
        coras_auto_value(coras_platform) want = {0};
        fill(&have, &cases[i].have);
        fill(&want, &cases[i].want);
        assert_int_equal(coras_platform_matches(&have, &want), cases[i].matches);
    }
}

static void json_comes_back(void **state)
{
    static const struct {
        const char *in, *out; /* out NULL: refused */
    } cases[] = {
        {"{\"variant\":\"v7\",\"os.features\":[\"a\",\"b\"],\"os.version\":\"1\",\"os\":\"linux\","
         "\"architecture\":\"arm\"}",
         "{\"architecture\":\"arm\",\"os\":\"linux\",\"os.version\":\"1\","
         "\"os.features\":[\"a\",\"b\"],\"variant\":\"v7\"}"},
        {"{}", "{\"architecture\":\"\",\"os\":\"\"}"},
        {"{\"os\":\"linux\",\"architecture\":\"arm\",\"os.features\":[],\"variant\":null,\"x\":1}",
         "{\"architecture\":\"arm\",\"os\":\"linux\"}"},
        {"[]", NULL},
        {"{\"os\":1}", NULL},
        {"{\"os.features\":\"a\"}", NULL},
        {"{\"os.features\":[1]}", NULL},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_value(coras_platform) p = {0};
        coras_auto_value(coras_platform) copy = {0};
        coras_auto(coras_json) v = NULL;
        coras_auto_buf b = CORAS_BUF_UNLIMITED;
        coras_json_writer w = CORAS_JSON_WRITER(&b, 0);
        assert_ok(coras_json_parse(cases[i].in, strlen(cases[i].in), &v, NULL), NULL);
        int rc = coras_platform_from_json(v, "platform", &p, NULL);
        assert_int_equal(rc, cases[i].out ? 0 : CORAS_ERR_INVALID_MANIFEST);
        if (rc < 0)
            continue;
        assert_ok(coras_platform_copy(&copy, &p, NULL), NULL);
        coras_platform_write(&w, &copy);
        assert_string_equal(b.ptr, cases[i].out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_what_users_write),
        cmocka_unit_test(the_architecture_defaults_to_this_machine),
        cmocka_unit_test(says_what_upstream_says),
        cmocka_unit_test(matches_what_was_asked),
        cmocka_unit_test(json_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
