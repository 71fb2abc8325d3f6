/* SPDX-License-Identifier: Apache-2.0 */
/* Annotations are quoted in the tree as go-yaml quotes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "cli/output/yaml.h"

static void scalars(void **state)
{
    static const struct {
        const char *value, *text;
    } cases[] = {
        {"v", "v"},
        {"x,y", "x,y"},
        {"a#b", "a#b"},
        {"l\"b", "l\"b"},
        {"it's", "it's"},
        {"é", "é"},
        {"gpj\u202e.exe\u2066", "\"gpj\\u202E.exe\\u2066\""}, /* ours: it would show as another */
        {"?x", "?x"},
        {"-x", "-x"},
        {"a:b", "a:b"},
        {"two words", "two words"},
        {"1.2.3", "1.2.3"},
        {"e3", "e3"},
        /* would be read as another type */
        {"", "\"\""},
        {"true", "\"true\""},
        {"null", "\"null\""},
        {"~", "\"~\""},
        {"1", "\"1\""},
        {"+1", "\"+1\""},
        {"0x1F", "\"0x1F\""},
        {"0o7", "\"0o7\""},
        {"1_000", "\"1_000\""},
        {"1e3", "\"1e3\""},
        {".5", "\".5\""},
        {".inf", "\".inf\""},
        {"2024-01-01", "\"2024-01-01\""},
        {"2026-11-23T23:40:32Z", "\"2026-11-23T23:40:32Z\""},
        {"0.1_2", "\"0.1_2\""},
        {"2024-02-29 1:2:3", "\"2024-02-29 1:2:3\""},
        /* and these would not */
        {"1e400", "1e400"},
        {"._5", "._5"},
        {"2024-02-30", "2024-02-30"},
        {"2024-01-01T00:00:00", "2024-01-01T00:00:00"},
        /* control characters */
        {"tab\there", "\"tab\\there\""},
        {"bell\a", "\"bell\\a\""},
        {"\x1b[31m", "\"\\e[31m\""},
        {"\xf0\x9f\x98\x80", "\"\\U0001F600\""},
        /* read as another type by old readers */
        {"yes", "'yes'"},
        {"N", "'N'"},
        {"off", "'off'"},
        {"12:30", "'12:30'"},
        {"<<", "'<<'"},
        /* in the way of plain style */
        {" x", "' x'"},
        {"x ", "'x '"},
        {"x: y", "'x: y'"},
        {"x:", "'x:'"},
        {"x #y", "'x #y'"},
        {"#x", "'#x'"},
        {"&x", "'&x'"},
        {"*x", "'*x'"},
        {"- x", "'- x'"},
        {"-", "'-'"},
        {"---", "'---'"},
        {"'x'", "'''x'''"},
        {"{a}", "'{a}'"},
        {"`x", "'`x'"},
        {"@x", "'@x'"},
        {"%x", "'%x'"},
        /* several lines */
        {"one\ntwo", "|-\n    one\n    two"},
        {"one\n", "|\n    one"},
        {"one\n\n\n", "|+\n    one"},
        {"\none", "|-\n\n    one"},
        {" one\ntwo", "|4-\n     one\n    two"},
        {"one\ttab\ntwo\t", "|-\n    one\ttab\n    two"},
        {"\n\t", "\"\\n\\t\""},
        {"trailing \nblank", "\"trailing \\nblank\""},
    };
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf out = CORAS_BUF_UNLIMITED, wanted = CORAS_BUF_UNLIMITED;
        put_yaml_pair(&out, "k", cases[i].value);
        coras_buf_printf(&wanted, "k: %s", cases[i].text);
        assert_string_equal(out.ptr, wanted.ptr);
    }
}

static void keys_are_quoted_too(void **state)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    (void)state;
    put_yaml_pair(&out, "true", "a");
    coras_buf_putc(&out, '|');
    put_yaml_pair(&out, "a: b", "c");
    coras_buf_putc(&out, '|');
    put_yaml_pair(&out, "a\nb", "c");
    assert_string_equal(out.ptr, "\"true\": a|'a: b': c|\"a\\nb\": c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(scalars),
                                       cmocka_unit_test(keys_are_quoted_too)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
