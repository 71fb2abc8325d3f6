/* SPDX-License-Identifier: Apache-2.0 */
/* References: the grammar and the exact words for what is wrong. */
#include "coras/reference.h"

#include <string.h>
#include "support.h"

#define HEX64 "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"
#define INV   "invalid reference: invalid "
#define TAG128                                                                                     \
    "tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt" \
    "ttttttttttttttttttttttttttttttttttttt"

static void splits_what_is_valid(void **state)
{
    static const struct {
        const char *in, *registry, *repository, *reference;
        bool is_digest;
    } cases[] = {
        {"localhost:5000/hello:v1", "localhost:5000", "hello", "v1", false},
        {"docker.io/library/alpine", "docker.io", "library/alpine", NULL, false},
        {"r/a@sha256:" HEX64, "r", "a", "sha256:" HEX64, true},
        {"r/a:tag@sha256:" HEX64, "r", "a", "sha256:" HEX64, true},
        {"r/a:!bad!@sha256:" HEX64, "r", "a", "sha256:" HEX64, true},
        {"r/a:", "r", "a", NULL, false},
        {"r/a@", "r", "a", NULL, false},
        {"r/a:t@", "r", "a", NULL, false},
        {"r/a__b.c-d---e/f:_", "r", "a__b.c-d---e/f", "_", false},
        {"[::1]:5/a:t", "[::1]:5", "a", "t", false},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_error) err = NULL;
        coras_reference r = {0};
        assert_ok(coras_reference_parse(cases[i].in, &r, &err), err);
        assert_string_equal(r.registry, cases[i].registry);
        assert_string_equal(r.repository, cases[i].repository);
        if (cases[i].reference)
            assert_string_equal(r.reference, cases[i].reference);
        else
            assert_null(r.reference);
        assert_int_equal(r.is_digest, cases[i].is_digest);
        coras_reference_clear(&r);
        assert_null(r.registry);
    }
}

static void names_the_first_part_that_is_wrong(void **state)
{
    static const struct {
        const char *in, *message;
    } cases[] = {
        {"", "invalid reference: missing registry or repository"},
        {"hello", "invalid reference: missing registry or repository"},
        {"hello:v1", "invalid reference: missing registry or repository"},
        {"/a:t", INV "registry \"\""},
        {"bad host/Bad:-t", INV "registry \"bad host\""},
        {"r/Hello:-t", INV "repository \"Hello\""},
        {"r/:t", INV "repository \"\""},
        {"r/a/", INV "repository \"a/\""},
        {"r//a", INV "repository \"/a\""},
        {"r/a:-a", INV "tag \"-a\""},
        {"r/a:v1:v2", INV "tag \"v1:v2\""},
        {"r/a:v/1", INV "tag \"v/1\""},
        {"r/a:\x1b[31m", INV "tag \"\\x1b[31m\""},
        {"r/a:caf\xc3\xa9", INV "tag \"café\""},
        {"r/a@foo", INV "digest \"foo\": invalid checksum digest format"},
        {"r/a@sha256:abc", INV "digest \"sha256:abc\": invalid checksum digest length"},
        {"r/a@md5:abc", INV "digest \"md5:abc\": unsupported digest algorithm"},
        {"r/a@sha256:" HEX64 "@x",
         INV "digest \"sha256:" HEX64 "@x\": invalid checksum digest length"},
        {"r/a@:tag", INV "digest \":tag\": invalid checksum digest format"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_error) err = NULL;
        coras_reference r = {0};
        assert_failed(coras_reference_parse(cases[i].in, &r, &err), err,
                      CORAS_ERR_INVALID_REFERENCE, cases[i].message);
        assert_null(r.registry);
    }
}

static void registries_are_hosts_of_urls(void **state)
{
    static const struct {
        const char *in;
        bool ok;
    } cases[] = {
        {"localhost", true},
        {"localhost:5000", true},
        {"127.0.0.1:5000", true},
        {"a-b.c_d~e", true},
        {"UPPER.example", true},
        {"a:", true},
        {"[::1]", true},
        {"[::1]:5000", true},
        {"[::1]:", true},
        {"[fe80::1:2]:1", true},
        {"\xc3\xa9:1", true},
        {"a!$&'()*+,;=\"<>:1", true},
        {"a:1:2", true},
        {"::1", true},
        {"a]:5", true},
        {"", false},
        {"bad host", false},
        {"a/b", false},
        {"a?b", false},
        {"a#b", false},
        {"a%41", false},
        {"a\\b", false},
        {"user@host", false},
        {"user:pw@host:1", false},
        {"a:b", false},
        {"a:5000x", false},
        {"a:b:c", false},
        {"[::1", false},
        {"[::1]x", false},
        {"[::1]:x", false},
        {"[]", false},
        {"[]:5", false},
        {"[foo]:5", false},
        {"[1.2.3.4]:5", false},
        {"[::1%25lo]:5", false},
        {"[fe80::1%lo]:5", false},
        {"x[::1]:5", false},
        {"[::1][::1]:5", false},
        {"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:5", false},
        {"a\nb", false},
        {"a\x7f", false},
        {"a^b", false},
        {"a`b", false},
        {"a{b}", false},
        {"a|b", false},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        int rc = coras_registry_validate(cases[i].in, NULL);
        if ((rc == 0) != cases[i].ok)
            print_error("%s\n", cases[i].in);
        assert_int_equal(rc, cases[i].ok ? 0 : CORAS_ERR_INVALID_REFERENCE);
    }
}

static void repositories_follow_the_name_grammar(void **state)
{
    static const struct {
        const char *in;
        bool ok;
    } cases[] = {
        {"a", true},       {"0", true},
        {"a/b/c", true},   {"a.b", true},
        {"a_b", true},     {"a__b", true},
        {"a-b", true},     {"a---b", true},
        {"", false},       {"A", false},
        {"a..b", false},   {"a___b", false},
        {"a._b", false},   {"a-_b", false},
        {".a", false},     {"a.", false},
        {"-a", false},     {"a-", false},
        {"a/", false},     {"/a", false},
        {"a//b", false},   {"a/.b", false},
        {"a b", false},    {"a%2fb", false},
        {"a/../b", false}, {"caf\xc3\xa9", false},
        {"a\n", false},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        int rc = coras_repository_validate(cases[i].in, NULL);
        if ((rc == 0) != cases[i].ok)
            print_error("%s\n", cases[i].in);
        assert_int_equal(rc, cases[i].ok ? 0 : CORAS_ERR_INVALID_REFERENCE);
    }
}

static void tags_have_at_most_128_bytes(void **state)
{
    static const struct {
        const char *in;
        bool ok;
    } cases[] = {
        {"a", true},    {"_", true},    {"A.b-c_9", true},   {&TAG128[1], true}, {TAG128, false},
        {"", false},    {".a", false},  {"-a", false},       {"a/b", false},     {"a+b", false},
        {"a b", false}, {"a\n", false}, {"\xc3\xa9", false},
    };

    (void)state;
    assert_int_equal(strlen(TAG128), 129);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++)
        assert_int_equal(coras_tag_validate(cases[i].in, NULL),
                         cases[i].ok ? 0 : CORAS_ERR_INVALID_REFERENCE);
    coras_auto(coras_error) err = NULL;
    assert_failed(coras_tag_validate("a b", &err), err, CORAS_ERR_INVALID_REFERENCE,
                  INV "tag \"a b\"");
}

static void media_types_follow_rfc_6838(void **state)
{
    static const struct {
        const char *in;
        bool ok;
    } cases[] = {
        {"a/b", true},
        {"application/vnd.oci.image.manifest.v1+json", true},
        {"A0!#$&-^_.+/9", true},
        {"", false},
        {"a", false},
        {"a/", false},
        {"/b", false},
        {"a/b/c", false},
        {"a/b;c=d", false},
        {"a /b", false},
        {".a/b", false},
        {"a/+b", false},
        {"a/b\n", false},
        {TAG128 "/b", false},
        {"a/" TAG128, false},
    };
    char longest[256];

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++)
        assert_int_equal(coras_media_type_is_valid(cases[i].in), cases[i].ok);
    memset(longest, 'a', sizeof(longest));
    longest[127] = '/';
    longest[255] = '\0';
    assert_true(coras_media_type_is_valid(longest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_what_is_valid),
        cmocka_unit_test(names_the_first_part_that_is_wrong),
        cmocka_unit_test(registries_are_hosts_of_urls),
        cmocka_unit_test(repositories_follow_the_name_grammar),
        cmocka_unit_test(tags_have_at_most_128_bytes),
        cmocka_unit_test(media_types_follow_rfc_6838),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
