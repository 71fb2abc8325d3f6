/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a registry's error body. */
#include "rows.h"
#include "http/response.h"

static coras_response *answer(int status, const char *body, size_t len)
{
    coras_response *r = NULL;

    assert_int_equal(coras_response_new(&r, NULL), 0);
    r->status = status;
    r->url = coras_strdup("http://h:5000/v2/a/manifests/1");
    assert_int_equal(coras_url_parse(r->url, &r->at, NULL), 0);
    r->method = coras_strdup("GET");
    coras_buf_put(&r->body, body, len);
    return r;
}

static void the_registrys_words_are_shown(void **state)
{
    static const struct {
        const char *name, *body, *words; /* NULL words: the status speaks */
    } rows[] = {
        {"one",
         "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"manifest unknown\","
         "\"detail\":{\"Tag\":\"v9\"}}]}",
         "manifest unknown: manifest unknown: map[Tag:v9]"},
        {"two",
         "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no way\"},{\"code\":\"TOO_MANY\"}]}",
         "denied: no way; too many"},
        {"keys sorted",
         "{\"errors\":[{\"code\":\"X\",\"message\":\"bad\",\"detail\":{\"b\":[1,\"x\"],"
         "\"a\":1}}]}",
         "x: bad: map[a:1 b:[1 x]]"},
        {"detail text", "{\"errors\":[{\"code\":\"X\",\"message\":\"m\",\"detail\":\"d\"}]}",
         "x: m: d"},
        {"detail null", "{\"errors\":[{\"code\":\"X\",\"message\":\"m\",\"detail\":null}]}",
         "x: m"},
        {"detail list of null",
         "{\"errors\":[{\"code\":\"X\",\"message\":\"m\",\"detail\":[null,true,1e21]}]}",
         "x: m: [<nil> true 1e+21]"},
        {"escape codes", "{\"errors\":[{\"code\":\"X\",\"message\":\"a\\u001b[2Jb\"}]}",
         "x: a\\x1b[2Jb"},
        {"no body", "", NULL},
        {"html", "<html>no</html>", NULL},
        {"other json", "{\"message\":\"x\"}", NULL},
        {"empty list", "{\"errors\":[]}", NULL},
        {"no list", "{\"errors\":{}}", NULL},
        {"list at the top", "[1]", NULL},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto(coras_response) r = answer(400, rows[i].body, strlen(rows[i].body));
        coras_auto(coras_error) err = NULL;
        coras_request req = {.method = "GET", .url = "http://h:5000/v2/a/manifests/1"};
        static const char line[] = "GET \"http://h:5000/v2/a/manifests/1\": response status code "
                                   "400: ";
        coras_auto_free char *message =
            coras_asprintf("%s%s", line, rows[i].words ? rows[i].words : "Bad Request");
        IN_ROW(rows[i].name);
        assert_failed(coras_response_to_error(&req, r, &err), err, CORAS_ERR_HTTP, message);
        assert_string_equal(coras_error_response(err), rows[i].words ? rows[i].words : message);
        assert_string_equal(coras_error_http_host(err), "h:5000");
        assert_int_equal(coras_error_http_status(err), 400);
    }
}

static void statuses_have_codes(void **state)
{
    static const struct {
        int status, code;
        const char *text;
    } rows[] = {
        {401, CORAS_ERR_UNAUTHORIZED, "Unauthorized"},  {403, CORAS_ERR_DENIED, "Forbidden"},
        {404, CORAS_ERR_NOT_FOUND, "Not Found"},        {409, CORAS_ERR_HTTP, "Conflict"},
        {500, CORAS_ERR_HTTP, "Internal Server Error"}, {599, CORAS_ERR_HTTP, ""},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto(coras_response) r = answer(rows[i].status, "", 0);
        coras_auto(coras_error) err = NULL;
        coras_request req = {.method = "GET", .url = "http://h/"};
        assert_int_equal(coras_response_to_error(&req, r, &err), rows[i].code);
        assert_true(coras_str_ends(coras_error_message(err), rows[i].text));
    }
}

static void long_words_are_cut(void **state)
{
    coras_auto_buf body = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;
    coras_request req = {.method = "GET", .url = "http://h/"};

    (void)state;
    coras_buf_puts(&body, "{\"errors\":[{\"code\":\"X\",\"message\":\"");
    for (int i = 0; i < 60000; i++)
        coras_buf_putc(&body, 'm');
    coras_buf_puts(&body, "\"}]}");
    coras_auto(coras_response) r = answer(400, body.ptr, body.len);
    assert_int_equal(coras_response_to_error(&req, r, &err), CORAS_ERR_HTTP);
    assert_in_range(strlen(coras_error_message(err)), 1000, 1300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_registrys_words_are_shown),
        cmocka_unit_test(statuses_have_codes),
        cmocka_unit_test(long_words_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
