/* SPDX-License-Identifier: Apache-2.0 */
/* Routes: matched from the right, every part against its grammar. */
#include "serve/api/routes.h"

#include <string.h>
#include "support.h"

#define HEX64  "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"
#define DIGEST "sha256:" HEX64
#define ID     "0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f"
#define A64    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A128   A64 A64

static void finds_the_operation(void **state)
{
    static const struct {
        const char *target;
        enum serve_route_kind kind;
        const char *repository, *reference; /* tag, digest text or session id */
    } cases[] = {
        {"/v2", SERVE_ROUTE_BASE, NULL, NULL},
        {"/v2/", SERVE_ROUTE_BASE, NULL, NULL},
        {"/v2/?x=y", SERVE_ROUTE_BASE, NULL, NULL},
        {"/v2/_catalog?n=5", SERVE_ROUTE_CATALOG, NULL, NULL},
        {"/v2/a/tags/list", SERVE_ROUTE_TAGS, "a", NULL},
        {"/v2/a/b/c/tags/list?n=1", SERVE_ROUTE_TAGS, "a/b/c", NULL},
        {"/v2/a/manifests/v1", SERVE_ROUTE_MANIFEST, "a", "v1"},
        {"/v2/a/manifests/_.-", SERVE_ROUTE_MANIFEST, "a", "_.-"},
        {"/v2/a/manifests/" A128, SERVE_ROUTE_MANIFEST, "a", A128},
        {"/v2/a/manifests/" DIGEST, SERVE_ROUTE_MANIFEST, "a", DIGEST},
        {"/v2/a/manifests/sha256%3A" HEX64, SERVE_ROUTE_MANIFEST, "a", DIGEST},
        {"/v2/a/manifests/uploads", SERVE_ROUTE_MANIFEST, "a", "uploads"},
        {"/v2/a/blobs/" DIGEST, SERVE_ROUTE_BLOB, "a", DIGEST},
        {"/v2/a/blobs/uploads", SERVE_ROUTE_UPLOADS, "a", NULL},
        {"/v2/a/blobs/uploads/", SERVE_ROUTE_UPLOADS, "a", NULL},
        {"/v2/a/blobs/uploads/?mount=x", SERVE_ROUTE_UPLOADS, "a", NULL},
        {"/v2/a/blobs/uploads/" ID, SERVE_ROUTE_SESSION, "a", ID},
        {"/v2/a/referrers/" DIGEST, SERVE_ROUTE_REFERRERS, "a", DIGEST},
        {"/", SERVE_ROUTE_SITE_HOME, NULL, NULL},
        {"/page.css", SERVE_ROUTE_SITE_STYLE, NULL, NULL},
        {"/r/a/b?last=x", SERVE_ROUTE_SITE_REPOSITORY, "a/b", NULL},
        {"/r/a/b:v1", SERVE_ROUTE_SITE_MANIFEST, "a/b", "v1"},
        {"/r/reg.example:5000/b:v1", SERVE_ROUTE_SITE_MANIFEST, "reg.example:5000/b", "v1"},
        {"/r/a@" DIGEST, SERVE_ROUTE_SITE_MANIFEST, "a", DIGEST},
        {"/r/a%3Av1", SERVE_ROUTE_SITE_MANIFEST, "a", "v1"},
        /* keywords within a name: the last one wins */
        {"/v2/a/manifests/b/manifests/v1", SERVE_ROUTE_MANIFEST, "a/manifests/b", "v1"},
        {"/v2/manifests/manifests/manifests", SERVE_ROUTE_MANIFEST, "manifests", "manifests"},
        {"/v2/a/blobs/uploads/manifests/v1", SERVE_ROUTE_MANIFEST, "a/blobs/uploads", "v1"},
        {"/v2/a/blobs/blobs/uploads/", SERVE_ROUTE_UPLOADS, "a/blobs", NULL},
        {"/v2/a/tags/list/tags/list", SERVE_ROUTE_TAGS, "a/tags/list", NULL},
        {"/v2/tags/tags/list", SERVE_ROUTE_TAGS, "tags", NULL},
        {"/v2/uploads/blobs/" DIGEST, SERVE_ROUTE_BLOB, "uploads", DIGEST},
        {"/v2/a%2Db/tags/list", SERVE_ROUTE_TAGS, "a-b", NULL},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        struct serve_route r;
        char text[CORAS_DIGEST_TEXT_MAX] = "";
        const char *reference;

        assert_int_equal(serve_route_parse(cases[i].target, &r), SERVE_ROUTE_OK);
        assert_int_equal(r.kind, cases[i].kind);
        if (cases[i].repository)
            assert_string_equal(r.repository, cases[i].repository);
        else
            assert_null(r.repository);
        if (r.digest.algorithm != CORAS_DIGEST_NONE)
            coras_digest_format(&r.digest, text);
        reference = r.tag ? r.tag : r.session ? r.session : text;
        assert_string_equal(reference, cases[i].reference ? cases[i].reference : "");
        serve_route_clear(&r);
    }
}

static void refuses_what_is_no_route(void **state)
{
    static const struct {
        const char *target;
        enum serve_route_error error;
    } cases[] = {
        {"", SERVE_ROUTE_BAD_TARGET},
        {"*", SERVE_ROUTE_BAD_TARGET},
        {"http://evil/v2/", SERVE_ROUTE_BAD_TARGET},
        {"v2/", SERVE_ROUTE_BAD_TARGET},
        {"/v2/a/tags/list#x", SERVE_ROUTE_BAD_TARGET},
        {"/v2/a/tags/list?n=%", SERVE_ROUTE_BAD_TARGET},
        {"/v2/a%00/tags/list", SERVE_ROUTE_BAD_TARGET},
        {"/v2/a%zz/tags/list", SERVE_ROUTE_BAD_TARGET},
        {"/r", SERVE_ROUTE_NOT_FOUND},
        {"/page.css/", SERVE_ROUTE_NOT_FOUND},
        {"/r/", SERVE_ROUTE_BAD_NAME},
        {"/r/A", SERVE_ROUTE_BAD_NAME},
        {"/r/a:", SERVE_ROUTE_BAD_TAG},
        {"/r/a@v1", SERVE_ROUTE_BAD_DIGEST},
        {"/r/a/../b", SERVE_ROUTE_BAD_NAME},
        {"/v1/", SERVE_ROUTE_NOT_FOUND},
        {"/V2/", SERVE_ROUTE_NOT_FOUND},
        {"//v2/", SERVE_ROUTE_NOT_FOUND},
        {"/v2x", SERVE_ROUTE_NOT_FOUND},
        {"/%76%32/a/tags/list", SERVE_ROUTE_NOT_FOUND},
        {"/x/../v2/a/tags/list", SERVE_ROUTE_NOT_FOUND},
        {"/v2/a", SERVE_ROUTE_NOT_FOUND},
        {"/v2/a/", SERVE_ROUTE_NOT_FOUND},
        {"/v2/a/tags", SERVE_ROUTE_NOT_FOUND},
        {"/v2/a/tags/", SERVE_ROUTE_NOT_FOUND},
        {"/v2/a/tags/list/", SERVE_ROUTE_NOT_FOUND},
        {"/v2/_catalog/x", SERVE_ROUTE_NOT_FOUND},
        {"/v2/a/uploads/" ID, SERVE_ROUTE_NOT_FOUND},
        {"/v2/a/manifests/v1/x", SERVE_ROUTE_NOT_FOUND},
        /* names */
        {"/v2/manifests/v1", SERVE_ROUTE_BAD_NAME},
        {"/v2/tags/list", SERVE_ROUTE_BAD_NAME},
        {"/v2/blobs/uploads/", SERVE_ROUTE_BAD_NAME},
        {"/v2/blobs/uploads/" ID, SERVE_ROUTE_BAD_NAME},
        {"/v2//tags/list", SERVE_ROUTE_BAD_NAME},
        {"/v2/a//b/tags/list", SERVE_ROUTE_BAD_NAME},
        {"/v2/A/tags/list", SERVE_ROUTE_BAD_NAME},
        {"/v2/_a/tags/list", SERVE_ROUTE_BAD_NAME},
        {"/v2/a./tags/list", SERVE_ROUTE_BAD_NAME},
        {"/v2/a___b/tags/list", SERVE_ROUTE_BAD_NAME},
        {"/v2/a;x/tags/list", SERVE_ROUTE_BAD_NAME},
        {"/v2/a%20b/tags/list", SERVE_ROUTE_BAD_NAME},
        {"/v2/a%2fb/tags/list", SERVE_ROUTE_BAD_NAME},
        {"/v2/a%5cb/tags/list", SERVE_ROUTE_BAD_NAME},
        {"/v2/./tags/list", SERVE_ROUTE_BAD_NAME},
        {"/v2/../tags/list", SERVE_ROUTE_BAD_NAME},
        {"/v2/%2e%2e/%2e%2e/etc/tags/list", SERVE_ROUTE_BAD_NAME},
        {"/v2/%252e%252e/tags/list", SERVE_ROUTE_BAD_NAME},
        {"/v2/%c0%ae/tags/list", SERVE_ROUTE_BAD_NAME},
        /* references */
        {"/v2/a/manifests/", SERVE_ROUTE_BAD_TAG},
        {"/v2/a/manifests/-x", SERVE_ROUTE_BAD_TAG},
        {"/v2/a/manifests/" A128 "a", SERVE_ROUTE_BAD_TAG},
        {"/v2/a/manifests/a'--", SERVE_ROUTE_BAD_TAG},
        {"/v2/a/manifests/sha256:baddigeststring", SERVE_ROUTE_BAD_DIGEST},
        {"/v2/a/manifests/md5:d41d8cd98f00b204e9800998ecf8427e", SERVE_ROUTE_BAD_DIGEST},
        {"/v2/a/blobs/", SERVE_ROUTE_BAD_DIGEST},
        {"/v2/a/blobs/x", SERVE_ROUTE_BAD_DIGEST},
        {"/v2/a/blobs/SHA256:" HEX64, SERVE_ROUTE_BAD_DIGEST},
        {"/v2/a/blobs/" DIGEST "0", SERVE_ROUTE_BAD_DIGEST},
        {"/v2/a/blobs/sha512:" HEX64, SERVE_ROUTE_BAD_DIGEST},
        {"/v2/a/referrers/v1", SERVE_ROUTE_BAD_DIGEST},
        {"/v2/a/blobs/uploads/x", SERVE_ROUTE_BAD_SESSION},
        {"/v2/a/blobs/uploads/" ID "0", SERVE_ROUTE_BAD_SESSION},
        {"/v2/a/blobs/uploads/0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1F", SERVE_ROUTE_BAD_SESSION},
        {"/v2/a/blobs/uploads/0f1e2d3c04b5a-4697-8879-6a5b4c3d2e1f", SERVE_ROUTE_BAD_SESSION},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        struct serve_route r;
        enum serve_route_error error = serve_route_parse(cases[i].target, &r);

        if (error != cases[i].error)
            print_error("%s\n", cases[i].target);
        assert_int_equal(error, cases[i].error);
        serve_route_clear(&r);
    }
}

static enum serve_route_error parse_name_of(size_t len, const char *unit)
{
    coras_auto_buf target = CORAS_BUF_UNLIMITED;
    enum serve_route_error error;
    struct serve_route r;

    coras_buf_puts(&target, "/v2/");
    for (size_t i = 0; i < len; i++)
        coras_buf_putc(&target, unit[i % strlen(unit)]);
    coras_buf_puts(&target, "/tags/list");
    error = serve_route_parse(target.ptr, &r);
    serve_route_clear(&r);
    return error;
}

static void bounds_the_name(void **state)
{
    (void)state;
    assert_int_equal(parse_name_of(SERVE_REPOSITORY_NAME_MAX, "a"), SERVE_ROUTE_OK);
    assert_int_equal(parse_name_of(SERVE_REPOSITORY_NAME_MAX + 1, "a"), SERVE_ROUTE_BAD_NAME);
    assert_int_equal(parse_name_of(SERVE_REPOSITORY_NAME_MAX, "a/"), SERVE_ROUTE_OK);
    assert_int_equal(parse_name_of(4001, "a/"), SERVE_ROUTE_BAD_NAME);
    assert_int_equal(parse_name_of(400001, "a/"), SERVE_ROUTE_BAD_NAME);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_operation),
        cmocka_unit_test(refuses_what_is_no_route),
        cmocka_unit_test(bounds_the_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
