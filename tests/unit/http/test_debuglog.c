/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of --debug: what they say, and which secrets they hide. */
#include "rows.h"
#include "http/debug_log.h"

static void add(coras_header_list *l, const char *name, const char *value, bool secret)
{
    assert_int_equal(
        coras_header_list_add(l, coras_str_of(name), coras_str_of(value), secret, NULL), 0);
}

static void requests_are_shown_without_secrets(void **state)
{
    coras_auto_value(coras_header_list) headers = {0};
    coras_auto_buf out = CORAS_BUF_UNLIMITED;

    (void)state;
    add(&headers, "accept", "a/b", false);
    add(&headers, "Authorization", "Basic c2VjcmV0", false);
    add(&headers, "X-Mine", "secret", true);
    add(&headers, "Accept", "c/d", false);
    struct coras_exchange ex = {.method = "GET",
                                .url = &(coras_url){.text = "http://u:p@h/v2/?token=secret&a=1"},
                                .headers = &headers};
    coras_debuglog_put_request(&out, 3, &ex);
    assert_string_equal(out.ptr,
                        "--> Request #3\n"
                        "> Request URL: \"http://REDACTED@h/v2/?a=REDACTED&token=REDACTED\"\n"
                        "> Request method: \"GET\"\n"
                        "> Request headers:\n"
                        "   \"Accept\": \"a/b, c/d\"\n"
                        "   \"Authorization\": \"*****\"\n"
                        "   \"X-Mine\": \"*****\"");
}

static void a_request_without_headers(void **state)
{
    coras_auto_value(coras_header_list) headers = {0};
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    struct coras_exchange ex = {
        .method = "HEAD", .url = &(coras_url){.text = "http://h/"}, .headers = &headers};

    (void)state;
    coras_debuglog_put_request(&out, 0, &ex);
    assert_true(coras_str_ends(out.ptr, "> Request headers:\n   Empty header"));
}

/* The part behind "< Response body:\n" for an answer. */
static void body_text(const char *method, int status, const char *type, const char *body,
                      coras_buf *out)
{
    coras_auto(coras_response) r = NULL;
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    static const char mark[] = "< Response body:\n";

    assert_int_equal(coras_response_new(&r, NULL), 0);
    r->status = status;
    r->status_text = coras_strdup("200 OK");
    r->method = coras_strdup(method);
    r->body.limit = 1 << 20;
    coras_buf_puts(&r->body, body);
    if (type)
        add(&r->headers, "Content-Type", type, false);
    coras_debuglog_put_response(&text, 0, r);
    coras_buf_puts(out, strstr(text.ptr, mark) + sizeof(mark) - 1);
}

static void bodies_are_shown_when_harmless(void **state)
{
    static const struct {
        const char *name, *method, *type, *body, *out;
        int status;
    } rows[] = {
        {"json", "GET", "application/json", "{\"a\":1}", "{\"a\":1}", 200},
        {"json with charset", "GET", "application/json; charset=utf-8", "{}", "{}", 200},
        {"manifest", "GET", "application/vnd.oci.image.manifest.v1+json", "{}", "{}", 200},
        {"html", "GET", "text/html", "<p>", "<p>", 404},
        {"head", "HEAD", "application/json", "", "   No response body to print", 200},
        {"no content", "DELETE", NULL, "", "   No response body to print", 204},
        {"redirect", "GET", "text/html", "x", "   Response body for redirect is not printed", 307},
        {"no type", "GET", NULL, "x", "   Response body without a content type is not printed",
         200},
        {"blob", "GET", "application/octet-stream", "x",
         "   Response body of content type \"application/octet-stream\" is not printed", 200},
        {"empty", "GET", "application/json", "", "   Response body is empty", 200},
        {"token", "GET", "application/json", "{\"a\":{\"token\":\"s\"}}",
         "   Response body redacted due to potential credentials", 200},
        {"refresh token", "GET", "application/json", "{\"refresh_token\":\"s\"}",
         "   Response body redacted due to potential credentials", 200},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        IN_ROW(rows[i].name);
        body_text(rows[i].method, rows[i].status, rows[i].type, rows[i].body, &out);
        assert_string_equal(out.ptr, rows[i].out);
    }
}

static void large_bodies_are_not_shown(void **state)
{
    static const struct {
        size_t len;
        bool shown;
    } rows[] = {{16384, true}, {16385, false}};

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_buf body = CORAS_BUF_UNLIMITED;
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        while (body.len < rows[i].len)
            coras_buf_putc(&body, 'x');
        body_text("GET", 200, "text/plain", body.ptr, &out);
        assert_int_equal(coras_streq(out.ptr, body.ptr), rows[i].shown);
    }
}

static void answers_are_shown(void **state)
{
    coras_auto(coras_response) r = NULL;
    coras_auto_buf out = CORAS_BUF_UNLIMITED;

    (void)state;
    assert_int_equal(coras_response_new(&r, NULL), 0);
    r->status = 307;
    r->status_text = coras_strdup("307 Temporary Redirect");
    r->method = coras_strdup("GET");
    add(&r->headers, "location", "https://s3/b?X-Amz-Signature=secret", false);
    add(&r->headers, "Set-Cookie", "secret", false);
    coras_debuglog_put_response(&out, 1, r);
    assert_string_equal(out.ptr, "<-- Response #1\n"
                                 "< Response Status: \"307 Temporary Redirect\"\n"
                                 "< Response headers:\n"
                                 "   \"Location\": \"https://s3/b?X-Amz-Signature=REDACTED\"\n"
                                 "   \"Set-Cookie\": \"*****\"\n"
                                 "< Response body:\n"
                                 "   Response body for redirect is not printed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_shown_without_secrets),
        cmocka_unit_test(a_request_without_headers),
        cmocka_unit_test(bodies_are_shown_when_harmless),
        cmocka_unit_test(large_bodies_are_not_shown),
        cmocka_unit_test(answers_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
