/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of token services: the token, how long it is believed. */
#include "rows.h"
#include "auth/token.h"

#define NOW 1795492800 /* 2026-11-24T04:00:00Z */

static void answers_are_read(void **state)
{
    static const struct {
        const char *name, *body, *token;
        int64_t life;
    } rows[] = {
        {"token", "{\"token\":\"T\",\"expires_in\":300}", "T", 270},
        {"access_token", "{\"access_token\":\"A\",\"expires_in\":300}", "A", 270},
        {"access_token goes first", "{\"token\":\"T\",\"access_token\":\"A\"}", "A", 60},
        {"empty access_token", "{\"token\":\"T\",\"access_token\":\"\"}", "T", 60},
        {"no life", "{\"token\":\"T\"}", "T", 60},
        {"long life: a tenth off", "{\"token\":\"T\",\"expires_in\":3600}", "T", 3240},
        {"short life: not below ten", "{\"token\":\"T\",\"expires_in\":5}", "T", 10},
        {"negative life", "{\"token\":\"T\",\"expires_in\":-1}", "T", 10},
        {"most negative life", "{\"token\":\"T\",\"expires_in\":-9223372036854775808}", "T", 10},
        {"most negative life of an old token",
         "{\"token\":\"T\",\"expires_in\":-9223372036854775808,"
         "\"issued_at\":\"2026-11-24T03:59:30Z\"}",
         "T", 10},
        {"a day", "{\"token\":\"T\",\"expires_in\":86400}", "T", 77760},
        {"more than a day", "{\"token\":\"T\",\"expires_in\":86401}", "T", 86400},
        {"longest life", "{\"token\":\"T\",\"expires_in\":9223372036854775807}", "T", 86400},
        {"life is text", "{\"token\":\"T\",\"expires_in\":\"x\"}", "T", 60},
        {"issued half a minute ago",
         "{\"token\":\"T\",\"expires_in\":300,\"issued_at\":\"2026-11-24T03:59:30Z\"}", "T", 240},
        {"issued by a clock that is off",
         "{\"token\":\"T\",\"expires_in\":300,\"issued_at\":\"2020-01-01T00:00:00Z\"}", "T", 270},
        {"issued in the future",
         "{\"token\":\"T\",\"expires_in\":300,\"issued_at\":\"2030-01-01T00:00:00Z\"}", "T", 270},
        {"unreadable date", "{\"token\":\"T\",\"issued_at\":\"yesterday\"}", "T", 60},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        struct coras_token_reply reply = {0};
        IN_ROW(rows[i].name);
        assert_int_equal(coras_token_parse(coras_str_of(rows[i].body), NOW, &reply, NULL), 0);
        assert_string_equal(reply.token, rows[i].token);
        assert_int_equal(reply.expires_in_s, rows[i].life);
        coras_free_secret(reply.token);
    }
}

static void unusable_answers_are_refused(void **state)
{
    static const struct {
        const char *body, *message;
    } rows[] = {
        {"", "token response is not valid JSON"},
        {"<html>", "token response is not valid JSON"},
        {"{}", "empty token returned"},
        {"[]", "empty token returned"},
        {"{\"token\":\"\"}", "empty token returned"},
        {"{\"token\":7}", "empty token returned"},
        {"{\"token\":\"a\\r\\nX-Evil: 1\"}", "token with invalid characters returned"},
        {"{\"token\":\"a b\"}", "token with invalid characters returned"},
        {"{\"token\":\"\xc3\xa4\"}", "token with invalid characters returned"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        struct coras_token_reply reply = {0};
        coras_auto(coras_error) err = NULL;
        IN_ROW(rows[i].body);
        int rc = coras_token_parse(coras_str_of(rows[i].body), NOW, &reply, &err);
        assert_failed(rc, err, CORAS_ERR_UNAUTHORIZED, rows[i].message);
        assert_null(reply.token);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_read),
        cmocka_unit_test(unusable_answers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
