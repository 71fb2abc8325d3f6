/* SPDX-License-Identifier: Apache-2.0 */
/* Option values are read as Go reads them, with its words for what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/str.h"
#include "cli/options/values.h"

static void integers(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
        const char *error; /* NULL: accepted */
    } cases[] = {
        {"0", 0, NULL},
        {"5", 5, NULL},
        {"-1", -1, NULL},
        {"+7", 7, NULL},
        {"0x1F", 31, NULL},
        {"0b101", 5, NULL},
        {"0o17", 15, NULL},
        {"017", 15, NULL},
        {"1_000", 1000, NULL},
        {"0x_f", 15, NULL},
        {"9223372036854775807", INT64_MAX, NULL},
        {"-9223372036854775808", INT64_MIN, NULL},
        {"9223372036854775808", 0, "value out of range"},
        {"99999999999999999999", 0, "value out of range"},
        {"", 0, "invalid syntax"},
        {"-", 0, "invalid syntax"},
        {"x", 0, "invalid syntax"},
        {"1x", 0, "invalid syntax"},
        {"08", 0, "invalid syntax"},
        {"0x", 0, "invalid syntax"},
        {"1__0", 0, "invalid syntax"},
        {"_1", 0, "invalid syntax"},
        {"1_", 0, "invalid syntax"},
        {" 1", 0, "invalid syntax"},
    };
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        int64_t value = 0;
        coras_auto(coras_error) err = NULL;
        int rc = value_parse_int(cases[i].text, &value, &err);
        assert_int_equal(rc == 0, cases[i].error == NULL);
        assert_true(value == cases[i].value);
        if (cases[i].error)
            assert_true(coras_str_ends(coras_error_message(err), cases[i].error));
    }
}

static void booleans(void **state)
{
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
    static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};
    static const char *const bad[] = {"", "yes", "tRUE", "maybe", "01"};
    bool value = false;
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(yes); i++) {
        assert_int_equal(value_parse_bool(yes[i], &value, NULL), 0);
        assert_true(value);
        assert_int_equal(value_parse_bool(no[i], &value, NULL), 0);
        assert_false(value);
    }
    for (size_t i = 0; i < CORAS_ARRAY_LEN(bad); i++)
        assert_true(value_parse_bool(bad[i], &value, NULL) < 0);
}

static int join_field(void *user, const char *text, size_t len, coras_error **err)
{
    coras_buf *out = user;
    (void)err;
    coras_buf_putc(out, '[');
    coras_buf_put(out, text, len);
    coras_buf_putc(out, ']');
    return 0;
}

static void comma_separated_values(void **state)
{
    static const struct {
        const char *text, *fields, *error;
    } cases[] = {
        {"", "", NULL},
        {"a", "[a]", NULL},
        {"a,b", "[a][b]", NULL},
        {"a,", "[a][]", NULL},
        {",", "[][]", NULL},
        {"\"a,b\",c", "[a,b][c]", NULL},
        {"\"a\"\"b\"", "[a\"b]", NULL},
        {"a\"b", NULL, "column 2: bare \" in non-quoted-field"},
        {"\"a", NULL, "column 3: extraneous or missing \" in quoted-field"},
        {"\"a\"b", NULL, "extraneous or missing \" in quoted-field"},
    };
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        coras_auto(coras_error) err = NULL;
        int rc = value_split_csv(cases[i].text, join_field, &out, &err);
        assert_int_equal(rc == 0, cases[i].error == NULL);
        if (cases[i].error)
            assert_true(coras_str_ends(coras_error_message(err), cases[i].error));
        else
            assert_string_equal(out.ptr, cases[i].fields);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(booleans),
        cmocka_unit_test(comma_separated_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
