/* SPDX-License-Identifier: Apache-2.0 */
/* Where a registry may send an upload or a next page. */
#include "support.h"
#include "base/str.h"
#include "registry/url_policy.h"

#define BASE "https://reg.example"
#define POST BASE "/v2/a/blobs/uploads/"

static void locations_of_uploads_are_resolved(void **state)
{
    static const struct {
        const char *base, *answered, *location, *want;
        int rc;
    } rows[] = {
        {BASE, POST, "/v2/a/blobs/uploads/u?_state=a%3D%3d&b",
         BASE "/v2/a/blobs/uploads/u?_state=a%3D%3d&b", 0},
        {BASE, POST, BASE "/x/u", BASE "/x/u", 0},
        {BASE, POST, "https://reg.example:443/x", "https://reg.example:443/x", 0},
        {BASE, POST, "u", POST "u", 0},
        /* after a redirect the answering URL counts */
        {BASE, "https://eu.example/v2/", "/u", "https://eu.example/u", 0},
        {BASE, POST, "https://storage.example/put?sig=1", "https://storage.example/put?sig=1", 0},
        {BASE, POST, "//storage.example/u", "https://storage.example/u", 0},
        /* behind a TLS proxy that says nothing of itself */
        {BASE, POST, "http://reg.example/v2/u?_state=x", BASE "/v2/u?_state=x", 0},
        {BASE, POST, "http://REG.example:5000/v2/u", BASE "/v2/u", 0},
        {BASE, POST, "http://other.example/u", NULL, CORAS_ERR_UNTRUSTED_ORIGIN},
        {"http://localhost:5000", "http://localhost:5000/v2/", "http://localhost:5000/u",
         "http://localhost:5000/u", 0},
        {"http://localhost:5000", "http://localhost:5000/v2/", "http://evil.example/u", NULL,
         CORAS_ERR_UNTRUSTED_ORIGIN},
        {"http://localhost:5000", "http://localhost:5000/v2/", "http://localhost:5001/u", NULL,
         CORAS_ERR_UNTRUSTED_ORIGIN},
        {BASE, POST, "file:///etc/passwd", NULL, CORAS_ERR_PROTOCOL},
        {BASE, POST, "https://user:pass@reg.example/u", BASE "/u",
         0}, /* a name is not ours to use */
        {BASE, POST, "https://", NULL, CORAS_ERR_PROTOCOL},
        {BASE, POST, "javascript:alert(1)", NULL, CORAS_ERR_PROTOCOL},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_free char *got = NULL;
        int rc =
            coras_upload_location(rows[i].base, rows[i].answered, rows[i].location, &got, NULL);
        if (rc != rows[i].rc)
            fail_msg("%s gave %d", rows[i].location, rc);
        if (rows[i].want)
            assert_string_equal(got, rows[i].want);
    }
}

static void refusals_say_why(void **state)
{
    coras_auto(coras_error) downgrade = NULL;
    coras_auto(coras_error) other = NULL;
    char *got = NULL;

    (void)state;
    assert_failed(coras_upload_location(BASE, POST, "http://x.example/u", &got, &downgrade),
                  downgrade, CORAS_ERR_UNTRUSTED_ORIGIN,
                  "blob upload Location \"x.example\" downgrades scheme from https");
    assert_failed(coras_upload_location("http://r:1", "http://r:1/", "http://r:2/u", &got, &other),
                  other, CORAS_ERR_UNTRUSTED_ORIGIN,
                  "blob upload Location \"r:2\" is on a different host than the registry \"r:1\"");
}

static void the_digest_goes_behind_the_query(void **state)
{
    static const struct {
        const char *session, *want;
    } rows[] = {
        {"https://h/u", "https://h/u?digest=sha256%3Aab"},
        {"https://h/u?_state=x%3D&y", "https://h/u?_state=x%3D&y&digest=sha256%3Aab"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_free char *got = NULL;
        assert_int_equal(coras_upload_close_url(rows[i].session, "sha256:ab", &got, NULL), 0);
        assert_string_equal(got, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locations_of_uploads_are_resolved),
        cmocka_unit_test(refusals_say_why),
        cmocka_unit_test(the_digest_goes_behind_the_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
