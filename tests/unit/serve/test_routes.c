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
        enum coras_route_kind kind;
        const char *repository, *reference; /* tag, digest text or session id */
    } cases[] = {
        {"/v2", CORAS_ROUTE_BASE, NULL, NULL},
        {"/v2/", CORAS_ROUTE_BASE, NULL, NULL},
        {"/v2/?x=y", CORAS_ROUTE_BASE, NULL, NULL},
        {"/v2/_catalog?n=5", CORAS_ROUTE_CATALOG, NULL, NULL},
        {"/v2/a/tags/list", CORAS_ROUTE_TAGS, "a", NULL},
        {"/v2/a/b/c/tags/list?n=1", CORAS_ROUTE_TAGS, "a/b/c", NULL},
        {"/v2/a/manifests/v1", CORAS_ROUTE_MANIFEST, "a", "v1"},
        {"/v2/a/manifests/_.-", CORAS_ROUTE_MANIFEST, "a", "_.-"},
        {"/v2/a/manifests/" A128, CORAS_ROUTE_MANIFEST, "a", A128},
        {"/v2/a/manifests/" DIGEST, CORAS_ROUTE_MANIFEST, "a", DIGEST},
        {"/v2/a/manifests/sha256%3A" HEX64, CORAS_ROUTE_MANIFEST, "a", DIGEST},
        {"/v2/a/manifests/uploads", CORAS_ROUTE_MANIFEST, "a", "uploads"},
        {"/v2/a/blobs/" DIGEST, CORAS_ROUTE_BLOB, "a", DIGEST},
        {"/v2/a/blobs/uploads", CORAS_ROUTE_UPLOADS, "a", NULL},
        {"/v2/a/blobs/uploads/", CORAS_ROUTE_UPLOADS, "a", NULL},
        {"/v2/a/blobs/uploads/?mount=x", CORAS_ROUTE_UPLOADS, "a", NULL},
        {"/v2/a/blobs/uploads/" ID, CORAS_ROUTE_SESSION, "a", ID},
        {"/v2/a/referrers/" DIGEST, CORAS_ROUTE_REFERRERS, "a", DIGEST},
        /* keywords within a name: the last one wins */
        {"/v2/a/manifests/b/manifests/v1", CORAS_ROUTE_MANIFEST, "a/manifests/b", "v1"},
        {"/v2/manifests/manifests/manifests", CORAS_ROUTE_MANIFEST, "manifests", "manifests"},
        {"/v2/a/blobs/uploads/manifests/v1", CORAS_ROUTE_MANIFEST, "a/blobs/uploads", "v1"},
        {"/v2/a/blobs/blobs/uploads/", CORAS_ROUTE_UPLOADS, "a/blobs", NULL},
        {"/v2/a/tags/list/tags/list", CORAS_ROUTE_TAGS, "a/tags/list", NULL},
        {"/v2/tags/tags/list", CORAS_ROUTE_TAGS, "tags", NULL},
        {"/v2/uploads/blobs/" DIGEST, CORAS_ROUTE_BLOB, "uploads", DIGEST},
        {"/v2/a%2Db/tags/list", CORAS_ROUTE_TAGS, "a-b", NULL},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        struct coras_route r;
        char text[CORAS_DIGEST_TEXT_MAX] = "";
        const char *reference;

        assert_int_equal(coras_route_parse(cases[i].target, &r), CORAS_ROUTE_OK);
        assert_int_equal(r.kind, cases[i].kind);
        if (cases[i].repository)
            assert_string_equal(r.repository, cases[i].repository);
        else
            assert_null(r.repository);
        if (r.digest.algorithm != CORAS_DIGEST_NONE)
            coras_digest_format(&r.digest, text);
        reference = r.tag ? r.tag : r.session ? r.session : text;
        assert_string_equal(reference, cases[i].reference ? cases[i].reference : "");
        coras_route_clear(&r);
    }
}

static void refuses_what_is_no_route(void **state)
{
    static const struct {
        const char *target;
        enum coras_route_error error;
    } cases[] = {
        {"", CORAS_ROUTE_BAD_TARGET},
        {"*", CORAS_ROUTE_BAD_TARGET},
        {"http://evil/v2/", CORAS_ROUTE_BAD_TARGET},
        {"v2/", CORAS_ROUTE_BAD_TARGET},
        {"/v2/a/tags/list#x", CORAS_ROUTE_BAD_TARGET},
        {"/v2/a/tags/list?n=%", CORAS_ROUTE_BAD_TARGET},
        {"/v2/a%00/tags/list", CORAS_ROUTE_BAD_TARGET},
        {"/v2/a%zz/tags/list", CORAS_ROUTE_BAD_TARGET},
        {"/", CORAS_ROUTE_NOT_FOUND},
        {"/v1/", CORAS_ROUTE_NOT_FOUND},
        {"/V2/", CORAS_ROUTE_NOT_FOUND},
        {"//v2/", CORAS_ROUTE_NOT_FOUND},
        {"/v2x", CORAS_ROUTE_NOT_FOUND},
        {"/%76%32/a/tags/list", CORAS_ROUTE_NOT_FOUND},
        {"/x/../v2/a/tags/list", CORAS_ROUTE_NOT_FOUND},
        {"/v2/a", CORAS_ROUTE_NOT_FOUND},
        {"/v2/a/", CORAS_ROUTE_NOT_FOUND},
        {"/v2/a/tags", CORAS_ROUTE_NOT_FOUND},
        {"/v2/a/tags/", CORAS_ROUTE_NOT_FOUND},
        {"/v2/a/tags/list/", CORAS_ROUTE_NOT_FOUND},
        {"/v2/_catalog/x", CORAS_ROUTE_NOT_FOUND},
        {"/v2/a/uploads/" ID, CORAS_ROUTE_NOT_FOUND},
        {"/v2/a/manifests/v1/x", CORAS_ROUTE_NOT_FOUND},
        /* names */
        {"/v2/manifests/v1", CORAS_ROUTE_BAD_NAME},
        {"/v2/tags/list", CORAS_ROUTE_BAD_NAME},
        {"/v2/blobs/uploads/", CORAS_ROUTE_BAD_NAME},
        {"/v2/blobs/uploads/" ID, CORAS_ROUTE_BAD_NAME},
        {"/v2//tags/list", CORAS_ROUTE_BAD_NAME},
        {"/v2/a//b/tags/list", CORAS_ROUTE_BAD_NAME},
        {"/v2/A/tags/list", CORAS_ROUTE_BAD_NAME},
        {"/v2/_a/tags/list", CORAS_ROUTE_BAD_NAME},
        {"/v2/a./tags/list", CORAS_ROUTE_BAD_NAME},
        {"/v2/a___b/tags/list", CORAS_ROUTE_BAD_NAME},
        {"/v2/a;x/tags/list", CORAS_ROUTE_BAD_NAME},
        {"/v2/a%20b/tags/list", CORAS_ROUTE_BAD_NAME},
        {"/v2/a%2fb/tags/list", CORAS_ROUTE_BAD_NAME},
        {"/v2/a%5cb/tags/list", CORAS_ROUTE_BAD_NAME},
        {"/v2/./tags/list", CORAS_ROUTE_BAD_NAME},
        {"/v2/../tags/list", CORAS_ROUTE_BAD_NAME},
        {"/v2/%2e%2e/%2e%2e/etc/tags/list", CORAS_ROUTE_BAD_NAME},
        {"/v2/%252e%252e/tags/list", CORAS_ROUTE_BAD_NAME},
        {"/v2/%c0%ae/tags/list", CORAS_ROUTE_BAD_NAME},
        /* references */
        {"/v2/a/manifests/", CORAS_ROUTE_BAD_TAG},
        {"/v2/a/manifests/-x", CORAS_ROUTE_BAD_TAG},
        {"/v2/a/manifests/" A128 "a", CORAS_ROUTE_BAD_TAG},
        {"/v2/a/manifests/a'--", CORAS_ROUTE_BAD_TAG},
        {"/v2/a/manifests/sha256:baddigeststring", CORAS_ROUTE_BAD_DIGEST},
        {"/v2/a/manifests/md5:d41d8cd98f00b204e9800998ecf8427e", CORAS_ROUTE_BAD_DIGEST},
        {"/v2/a/blobs/", CORAS_ROUTE_BAD_DIGEST},
        {"/v2/a/blobs/x", CORAS_ROUTE_BAD_DIGEST},
        {"/v2/a/blobs/SHA256:" HEX64, CORAS_ROUTE_BAD_DIGEST},
        {"/v2/a/blobs/" DIGEST "0", CORAS_ROUTE_BAD_DIGEST},
        {"/v2/a/blobs/sha512:" HEX64, CORAS_ROUTE_BAD_DIGEST},
        {"/v2/a/referrers/v1", CORAS_ROUTE_BAD_DIGEST},
        {"/v2/a/blobs/uploads/x", CORAS_ROUTE_BAD_SESSION},
        {"/v2/a/blobs/uploads/" ID "0", CORAS_ROUTE_BAD_SESSION},
        {"/v2/a/blobs/uploads/0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1F", CORAS_ROUTE_BAD_SESSION},
        {"/v2/a/blobs/uploads/0f1e2d3c04b5a-4697-8879-6a5b4c3d2e1f", CORAS_ROUTE_BAD_SESSION},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        struct coras_route r;
        enum coras_route_error error = coras_route_parse(cases[i].target, &r);

        if (error != cases[i].error)
            print_error("%s\n", cases[i].target);
        assert_int_equal(error, cases[i].error);
        coras_route_clear(&r);
    }
}

static enum coras_route_error parse_name_of(size_t len, const char *unit)
{
    coras_auto_buf target = CORAS_BUF_UNLIMITED;
    enum coras_route_error error;
    struct coras_route r;

    coras_buf_puts(&target, "/v2/");
    for (size_t i = 0; i < len; i++)
        coras_buf_putc(&target, unit[i % strlen(unit)]);
    coras_buf_puts(&target, "/tags/list");
    error = coras_route_parse(target.ptr, &r);
    coras_route_clear(&r);
    return error;
}

static void bounds_the_name(void **state)
{
    (void)state;
    assert_int_equal(parse_name_of(CORAS_REPOSITORY_NAME_MAX, "a"), CORAS_ROUTE_OK);
    assert_int_equal(parse_name_of(CORAS_REPOSITORY_NAME_MAX + 1, "a"), CORAS_ROUTE_BAD_NAME);
    assert_int_equal(parse_name_of(CORAS_REPOSITORY_NAME_MAX, "a/"), CORAS_ROUTE_OK);
    assert_int_equal(parse_name_of(4001, "a/"), CORAS_ROUTE_BAD_NAME);
    assert_int_equal(parse_name_of(400001, "a/"), CORAS_ROUTE_BAD_NAME);
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
