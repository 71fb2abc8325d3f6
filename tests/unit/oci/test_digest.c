/* SPDX-License-Identifier: Apache-2.0 */
/* Digests: one way from text to value, and hashing. */
#include "oci/digest.h"

#include "base/str.h"
#include "oci/mediatype.h"
#include "support.h"

#define HEX32  "0123456789abcdef0123456789abcdef"
#define HEX64  HEX32 HEX32
#define HEX63  HEX32 "0123456789abcdef0123456789abcde"
#define HEX96  HEX64 HEX32
#define HEX128 HEX64 HEX64

static const char format[] = "invalid checksum digest format";
static const char length[] = "invalid checksum digest length";
static const char unsupported[] = "unsupported digest algorithm";

static void parses_registered_digests_only(void **state)
{
    static const struct {
        const char *name, *in, *message; /* NULL: accepted */
    } cases[] = {
        {"sha256", "sha256:" HEX64, NULL},
        {"sha384", "sha384:" HEX96, NULL},
        {"sha512", "sha512:" HEX128, NULL},
        {"empty", "", format},
        {"colon only", ":", format},
        {"no colon", "sha256" HEX64, format},
        {"no algorithm", ":" HEX64, format},
        {"nothing encoded", "sha256:", format},
        {"one digit short", "sha256:" HEX63, length},
        {"one digit long", "sha256:" HEX64 "0", length},
        {"two digits long", "sha256:" HEX64 "00", length},
        {"sha512 with 64 digits", "sha512:" HEX64, length},
        {"sha256 with 128 digits", "sha256:" HEX128, length},
        {"path in the hex part", "sha256:../../x", length},
        {"path of the right length", "sha256:../../" HEX32 "0123456789abcdef0123456789", format},
        {"upper-case hex", "sha256:" HEX32 "0123456789ABCDEF0123456789abcdef", format},
        {"upper-case algorithm", "SHA256:" HEX64, format},
        {"no hex digit", "sha256:" HEX32 "0123456789abcdef0123456789abcdeg", format},
        {"line end in place of a digit", "sha256:" HEX63 "\n", format},
        {"line end behind", "sha256:" HEX64 "\r\n", length},
        {"query behind", "sha256:" HEX64 "?x", length},
        {"fragment", "sha256:" HEX63 "#", format},
        {"percent", "sha256:" HEX63 "%", format},
        {"non-ASCII", "sha256:" HEX63 "\xff", format},
        {"blank in front", " sha256:" HEX64, format},
        {"md5", "md5:" HEX32, unsupported},
        {"sha1", "sha1:" HEX32 "01234567", unsupported},
        {"unknown algorithm", "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8",
         unsupported},
        {"unknown with bad encoding", "md5:../x", format},
        {"algorithm ends with a separator", "md5+:abc", format},
        {"algorithm with two separators", "md5+-a:abc", format},
        {"algorithm with a slash", "a/b:abc", format},
        {"second colon", "sha256:sha256:" HEX64, length},
        {"second colon, unknown", "md5:md5:abc", format},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_error) err = NULL;
        coras_digest d = {0};
        int rc = coras_digest_parse(cases[i].in, &d, &err);
        if (!cases[i].message) {
            char text[CORAS_DIGEST_TEXT_MAX];
            assert_ok(rc, err);
            assert_string_equal(coras_digest_format(&d, text), cases[i].in);
            continue;
        }
        if (rc == 0)
            print_error("accepted: %s\n", cases[i].name);
        int code = cases[i].message == unsupported ? CORAS_ERR_UNSUPPORTED_DIGEST
                                                   : CORAS_ERR_INVALID_DIGEST;
        assert_failed(rc, err, code, cases[i].message);
        assert_int_equal(d.algorithm, CORAS_DIGEST_NONE);
    }
}

static void known_contents_have_known_digests(void **state)
{
    static const struct {
        int algorithm;
        const char *content, *text;
    } cases[] = {
        {CORAS_SHA256, "{}", CORAS_EMPTY_JSON_DIGEST},
        {CORAS_SHA256, "",
         "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {CORAS_SHA256, "hello world",
         "sha256:b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"},
        {CORAS_SHA384, "abc",
         "sha384:cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
         "8086072ba1e7cc2358baeca134c825a7"},
        {CORAS_SHA512, "abc",
         "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
         "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        char text[CORAS_DIGEST_TEXT_MAX];
        coras_auto(coras_hasher) h = NULL;
        coras_digest d, parsed;
        size_t len = strlen(cases[i].content);
        assert_ok(coras_digest_of(cases[i].algorithm, cases[i].content, len, &d, NULL), NULL);
        assert_string_equal(coras_digest_format(&d, text), cases[i].text);
        assert_ok(coras_digest_parse(cases[i].text, &parsed, NULL), NULL);
        assert_true(coras_digest_equal(&d, &parsed));
        assert_ok(coras_hasher_new(cases[i].algorithm, &h, NULL), NULL);
        for (int round = 0; round < 2; round++) { /* final starts again */
            for (size_t k = 0; k < len; k++)
                coras_hasher_update(h, cases[i].content + k, 1);
            assert_ok(coras_hasher_peek(h, &d, NULL), NULL);
            assert_true(coras_digest_equal(&d, &parsed)); /* and goes on */
            coras_hasher_final(h, &d);
            assert_true(coras_digest_equal(&d, &parsed));
        }
    }
}

static void unregistered_algorithms_are_refused(void **state)
{
    static const int bad[] = {CORAS_DIGEST_NONE, -1, 4, 255};

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(bad); i++) {
        coras_auto(coras_error) err = NULL;
        coras_hasher *h = NULL;
        coras_digest d;
        assert_failed(coras_digest_of(bad[i], "", 0, &d, &err), err, CORAS_ERR_UNSUPPORTED_DIGEST,
                      unsupported);
        assert_int_equal(coras_hasher_new(bad[i], &h, NULL), CORAS_ERR_UNSUPPORTED_DIGEST);
        assert_int_equal(coras_digest_bytes(bad[i]), 0);
        assert_string_equal(coras_digest_algorithm_name(bad[i]), "");
    }
    coras_hasher_free(NULL);
}

static void equality_looks_at_all_of_it(void **state)
{
    coras_digest a = {.algorithm = CORAS_SHA512}, b = a;

    (void)state;
    assert_true(coras_digest_equal(&a, &b));
    b.bytes[63] = 1;
    assert_false(coras_digest_equal(&a, &b));
    b = a;
    b.algorithm = CORAS_SHA256;
    assert_false(coras_digest_equal(&a, &b));
}

static void other_forms_of_text(void **state)
{
    char text[CORAS_DIGEST_TEXT_MAX];
    coras_auto_buf b = CORAS_BUF_UNLIMITED;
    coras_digest d256, d512, none = {0};

    (void)state;
    assert_ok(coras_digest_parse("sha256:" HEX64, &d256, NULL), NULL);
    assert_ok(coras_digest_parse("sha512:" HEX128, &d512, NULL), NULL);
    assert_string_equal(coras_digest_hex(&d256, text), HEX64);
    coras_digest_referrers_tag(&d256, text);
    assert_string_equal(text, "sha256-" HEX64);
    coras_digest_referrers_tag(&d512, text);
    assert_string_equal(text, "sha512-" HEX64);
    assert_string_equal(coras_digest_format(&none, text), "");
    coras_digest_referrers_tag(&none, text);
    assert_string_equal(text, "");
    coras_buf_put_digest(&b, &d256);
    assert_string_equal(b.ptr, "sha256:" HEX64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_registered_digests_only),
        cmocka_unit_test(known_contents_have_known_digests),
        cmocka_unit_test(unregistered_algorithms_are_refused),
        cmocka_unit_test(equality_looks_at_all_of_it),
        cmocka_unit_test(other_forms_of_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
