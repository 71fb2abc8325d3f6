/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures against the examples that the description of the algorithm works through, the file of
 * credentials, and answers of stores. */
#include <stdlib.h>
#include "base/str.h"
#include "serve/storage/s3/store.h"
#include "serve/storage/s3/xml.h"
#include "support.h"

/* Spec: Amazon S3 API Reference, "Authenticating Requests": its example account, bucket and day. */
#define AT_S 1369353600 /* 20130524T000000Z */
static char key_id[] = "AKIAIOSFODNN7EXAMPLE",
            secret[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
static const struct serve_s3_credentials credentials = {key_id, secret, NULL};
static const struct serve_s3_signer signer = {&credentials, "us-east-1"};

static void check_signature(const struct serve_s3_signed *request, const char *names,
                            const char *signature)
{
    coras_auto_buf found = CORAS_BUF_UNLIMITED, wanted = CORAS_BUF_UNLIMITED;

    assert_int_equal(serve_s3_authorization(&signer, request, AT_S, &found, NULL), 0);
    coras_buf_printf(&wanted,
                     "AWS4-HMAC-SHA256 Credential=%s/20130524/us-east-1/s3/aws4_request,"
                     "SignedHeaders=%s,Signature=%s",
                     key_id, names, signature);
    assert_string_equal(found.ptr, wanted.ptr);
}

static void requests_are_signed_as_published(void **state)
{
    struct serve_s3_signed r = {.method = "GET",
                                .host = "examplebucket.s3.amazonaws.com",
                                .path = "/test.txt",
                                .query = "",
                                .range = "bytes=0-9",
                                .payload = SERVE_S3_EMPTY_PAYLOAD};

    (void)state;
    check_signature(&r, "host;range;x-amz-content-sha256;x-amz-date",
                    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    r.range = NULL;
    r.path = "/";
    r.query = "lifecycle=";
    check_signature(&r, "host;x-amz-content-sha256;x-amz-date",
                    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    r.query = "max-keys=2&prefix=J";
    check_signature(&r, "host;x-amz-content-sha256;x-amz-date",
                    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void links_are_signed_as_published(void **state)
{
    const struct serve_s3_signed r = {
        .method = "GET", .host = "examplebucket.s3.amazonaws.com", .path = "/test.txt"};
    coras_auto_buf query = CORAS_BUF_UNLIMITED;

    (void)state;
    assert_int_equal(serve_s3_presign(&signer, &r, AT_S, 86400, &query, NULL), 0);
    assert_string_equal(
        query.ptr,
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
        "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"
        "&X-Amz-SignedHeaders=host&X-Amz-Signature="
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

static void paths_keep_their_slashes(void **state)
{
    coras_auto_buf path = CORAS_BUF_UNLIMITED;

    (void)state;
    serve_s3_put_path(&path, "/bucket/a b+c/d~e.f-g_h");
    assert_string_equal(path.ptr, "/bucket/a%20b%2Bc/d~e.f-g_h");
}

static void a_profile_is_found_among_others(void **state)
{
    static const char text[] =
        "# mine\n[default]\naws_access_key_id = one\n"
        "aws_secret_access_key=two\n\n[other]\r\n aws_access_key_id=three\r\n"
        "aws_secret_access_key = f=ur\r\naws_session_token = five\n[last]\n"
        "aws_access_key_id = six\n";
    struct serve_s3_credentials c = {0};

    (void)state;
    assert_int_equal(serve_s3_credentials_parse(CORAS_STR(text), "default", &c, NULL), 0);
    assert_string_equal(c.id, "one");
    assert_string_equal(c.secret, "two");
    assert_null(c.token);
    serve_s3_credentials_clear(&c);
    assert_int_equal(serve_s3_credentials_parse(CORAS_STR(text), "other", &c, NULL), 0);
    assert_string_equal(c.id, "three");
    assert_string_equal(c.secret, "f=ur");
    assert_string_equal(c.token, "five");
    serve_s3_credentials_clear(&c);
    assert_int_equal(serve_s3_credentials_parse(CORAS_STR(text), "last", &c, NULL),
                     CORAS_ERR_NOT_FOUND);
    assert_int_equal(serve_s3_credentials_parse(CORAS_STR(text), "none", &c, NULL),
                     CORAS_ERR_NOT_FOUND);
}

static void check_text(const char *document, const char *tag, const char *wanted)
{
    coras_auto_free char *text = serve_xml_text(coras_str_of(document), tag);

    if (wanted)
        assert_string_equal(text, wanted);
    else
        assert_null(text);
}

static void elements_are_found_by_their_names(void **state)
{
    (void)state;
    check_text("<?xml version=\"1.0\"?><R xmlns=\"http://x/\"><KeyX>no</KeyX><Key>a</Key></R>",
               "Key", "a");
    check_text("<ETag>&quot;1&amp;2&#34;&unknown;&lt;</ETag>", "ETag", "\"1&2\"&unknown;<");
    check_text("<Key a=\"b\">text</Key>", "Key", "text");
    check_text("<Key></Key>", "Key", "");
}

static void broken_documents_hold_nothing(void **state)
{
    (void)state;
    check_text("", "Key", NULL);
    check_text("<Key", "Key", NULL);
    check_text("<Key>", "Key", NULL);
    check_text("<Key>text</Ke", "Key", NULL);
    check_text("<Key/>", "Key", NULL);
    check_text("Key></Key>", "Key", NULL);
    check_text("<Key>text<Key", "Key", NULL);
}

static void elements_in_a_row_come_one_by_one(void **state)
{
    coras_str rest = CORAS_STR("<L><C><Key>1</Key></C><C><Key>2</Key></C><C><Key>3</L>"), item;
    int found = 0;

    (void)state;
    while (serve_xml_next(&rest, "C", &item))
        found++;
    assert_int_equal(found, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_signed_as_published),
        cmocka_unit_test(links_are_signed_as_published),
        cmocka_unit_test(paths_keep_their_slashes),
        cmocka_unit_test(a_profile_is_found_among_others),
        cmocka_unit_test(elements_are_found_by_their_names),
        cmocka_unit_test(broken_documents_hold_nothing),
        cmocka_unit_test(elements_in_a_row_come_one_by_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
