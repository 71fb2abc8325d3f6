/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8, escaping for a terminal. */
#include "base/str.h"

#include "support.h"

static void knows_valid_utf8(void **state)
{
    static const struct {
        coras_str in;
        bool valid;
    } cases[] = {
        {CORAS_STR(""), true},
        {CORAS_STR("a\0b"), true},
        {CORAS_STR("\x7f\xc2\x80\xdf\xbf"), true},
        {CORAS_STR("\xe0\xa0\x80\xef\xbf\xbf"), true},
        {CORAS_STR("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), true},
        {CORAS_STR("\xed\x9f\xbf\xee\x80\x80"), true},
        {CORAS_STR("\x80"), false},
        {CORAS_STR("\xc0\x80"), false},
        {CORAS_STR("\xc1\xbf"), false},
        {CORAS_STR("\xe0\x9f\xbf"), false},
        {CORAS_STR("\xed\xa0\x80"), false},
        {CORAS_STR("\xed\xbf\xbf"), false},
        {CORAS_STR("\xf0\x8f\xbf\xbf"), false},
        {CORAS_STR("\xf4\x90\x80\x80"), false},
        {CORAS_STR("\xf5\x80\x80\x80"), false},
        {CORAS_STR("\xc3"), false},
        {CORAS_STR("\xe2\x82"), false},
        {CORAS_STR("\xc3"
                   "a"),
         false},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++)
        assert_int_equal(coras_utf8_valid(cases[i].in.ptr, cases[i].in.len), cases[i].valid);
}

static void code_points_come_back(void **state)
{
    static const uint32_t cases[] = {0,      0x7f,   0x80,   0x7ff,   0x800,
                                     0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};
    coras_auto_buf b = CORAS_BUF_UNLIMITED;
    uint32_t cp;

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_buf_reset(&b);
        coras_utf8_put(&b, cases[i]);
        assert_int_equal(coras_utf8_decode(b.ptr, b.len, &cp), b.len);
        assert_int_equal(cp, cases[i]);
    }
    coras_buf_reset(&b);
    coras_utf8_put(&b, 0xd800);
    coras_utf8_put(&b, 0x110000);
    assert_string_equal(b.ptr, "\xef\xbf\xbd\xef\xbf\xbd");
    assert_int_equal(coras_utf8_decode("", 0, &cp), 0);
    assert_int_equal(coras_utf8_decode("\xff", 1, &cp), 1);
    assert_int_equal(cp, 0xfffd);
}

static void escapes_what_a_terminal_would_obey(void **state)
{
    static const struct {
        const char *in;
        size_t max;
        const char *out;
    } cases[] = {
        {"plain é😀 \"q\" \\", 100, "plain é😀 \"q\" \\"},
        {"\x1b[31mred", 100, "\\x1b[31mred"},
        {"a\tb\r\n", 100, "a\\x09b\\x0d\\x0a"},
        {"\x7f", 100, "\\x7f"},
        {"\xc2\x9b", 100, "\\u{009b}"},          /* C1: CSI */
        {"\xe2\x80\xae", 100, "\\u{202e}"},      /* right-to-left override */
        {"\xe2\x81\xa6", 100, "\\u{2066}"},      /* isolate */
        {"\xe2\x80\x8b", 100, "\\u{200b}"},      /* zero width */
        {"\xf3\xa0\x81\x81", 100, "\\u{e0041}"}, /* tag */
        {"\xff\xc3", 100, "\\xff\\xc3"},
        {"abc", 3, "abc"},
        {"abcd", 3, "abc…"},
        {"ab\xc3\xa9", 3, "ab…"}, /* not cut within a character */
        {"abc", 0, "…"},
        {"", 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf b = CORAS_BUF_UNLIMITED;
        coras_escape(&b, cases[i].in, strlen(cases[i].in), cases[i].max);
        assert_string_equal(b.ptr, cases[i].out);
    }
    coras_auto_buf lines = CORAS_BUF_UNLIMITED;
    coras_escape_lines(&lines, "a\x1b\n\n\tb\r\n", 8);
    assert_string_equal(lines.ptr, "a\\x1b\n\n\tb\\x0d\n");
    coras_auto_free char *copy = coras_escape_dup("a\nb");
    assert_string_equal(copy, "a\\x0ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_valid_utf8),
        cmocka_unit_test(code_points_come_back),
        cmocka_unit_test(escapes_what_a_terminal_would_obey),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
