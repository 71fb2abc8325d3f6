/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments of the program: what each sets, and what is refused. */
#include "serve/options.h"

#include <string.h>
#include "base/error.h"
#include "support.h"

static int parse(struct serve_options *ret, const char *third, const char *fourth)
{
    char *argv[] = {(char *)(uintptr_t) "--root=r", (char *)(uintptr_t) "--listen=:0",
                    (char *)(uintptr_t)third, (char *)(uintptr_t)fourth, NULL};

    *ret = (struct serve_options)SERVE_OPTIONS_INIT;
    return serve_options_parse(ret, argv, NULL);
}

static void sets_what_is_named(void **state)
{
    struct serve_options o;

    (void)state;
    assert_int_equal(parse(&o, "--access-log", "--min-free=5"), 0);
    assert_string_equal(o.root, "r");
    assert_string_equal(o.listen, ":0");
    assert_true(o.access_log);
    assert_int_equal(o.min_free, 5);
    assert_int_equal(o.grace, 30);
    assert_false(o.sparse_index);
    assert_int_equal(parse(&o, "--grace=0", "--htpasswd=a=b"), 0);
    assert_int_equal(o.grace, 0);
    assert_string_equal(o.htpasswd, "a=b");
}

static void refuses_the_rest(void **state)
{
    static const char *const words[] = {
        "root",
        "--rot=x",
        "--access-log=true",
        "--htpasswd",
        "--grace=-1",
        "--grace=x",
        "--min-free",
        "--max-connections=0",
        "--min-free=99999999999999999999",
        "--",
        "",
        "--tls-cert=x",
    };
    struct serve_options o;

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(words); i++)
        assert_int_equal(parse(&o, words[i], NULL), CORAS_ERR_INVALID_ARGUMENT);
}

static void needs_a_place_and_an_address(void **state)
{
    char *argv[] = {(char *)(uintptr_t) "--root=r", NULL};
    struct serve_options o = SERVE_OPTIONS_INIT;

    (void)state;
    assert_int_equal(serve_options_parse(&o, argv, NULL), CORAS_ERR_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_what_is_named),
        cmocka_unit_test(refuses_the_rest),
        cmocka_unit_test(needs_a_place_and_an_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
