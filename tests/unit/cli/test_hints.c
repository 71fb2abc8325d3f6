/* SPDX-License-Identifier: Apache-2.0 */
/* Hints as the command line words them: with its flags, and marked unless people know the words. */
#include "support.h"

#include "cli/app/hints.h"

static void hints_are_worded(void **state)
{
    static const struct {
        enum coras_hint_kind kind;
        const char *args[CORAS_HINT_ARGS];
        const char *text;
    } cases[] = {
        {CORAS_HINT_FREE_SPACE, {NULL}, "Hint: free some space, or choose another directory"},
        {CORAS_HINT_USE_PLAIN_HTTP,
         {NULL},
         "Hint: the registry speaks plain HTTP: use --plain-http if that is intended"},
        {CORAS_HINT_LOG_IN,
         {"k", "r.io"},
         "Hint: the request was anonymous: no credential for the key \"k\"; log in with 'login "
         "r.io'"},
        {CORAS_HINT_LOG_IN,
         {"k", "r.io", "ask Bob"},
         "Hint: the request was anonymous: no credential for the key \"k\"; log in with 'login "
         "r.io'; ask Bob"},
        {CORAS_HINT_CREDENTIAL_TRIED, {NULL}, "Hint: tried an identity token from login"},
        {CORAS_HINT_CREDENTIAL_TRIED, {"u", "f"}, "Hint: tried user \"u\" from f"},
        {CORAS_HINT_CREATE_REPOSITORY,
         {"h", "r", ": run x"},
         "Hint: the repository does not exist: run x"},
        {CORAS_HINT_PLATFORMS_EXIST, {"a/b"}, "available platforms in index: [a/b]"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_error) err = NULL;
        coras_auto_buf text = CORAS_BUF_UNLIMITED;
        (void)coras_fail(&err, CORAS_ERR_HTTP, "x");
        coras_advise_args(&err, cases[i].kind, cases[i].args);
        put_hint(&text, err);
        assert_string_equal(text.ptr, cases[i].text);
    }
}

static void without_advice_nothing_is_said(void **state)
{
    coras_auto(coras_error) err = NULL;
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    (void)state;
    (void)coras_fail(&err, CORAS_ERR_HTTP, "x");
    put_hint(&text, err);
    put_hint(&text, NULL);
    assert_string_equal(text.ptr, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hints_are_worded),
        cmocka_unit_test(without_advice_nothing_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
