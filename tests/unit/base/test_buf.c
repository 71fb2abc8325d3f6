/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers: the ceiling, sticky failure, the terminator. */
#include "base/buf.h"
#include "support.h"

static void empty_buffer_is_an_empty_string(void **state)
{
    coras_auto_buf b = CORAS_BUF_INIT(4);

    (void)state;
    assert_string_equal(b.ptr, "");
    coras_buf_puts(&b, "");
    assert_int_equal(b.cap, 0);
    assert_ok(coras_buf_done(&b, NULL), NULL);
}

static void holds_exactly_its_limit(void **state)
{
    static const struct {
        size_t limit, put;
        int rc;
    } cases[] = {
        {0, 0, 0},   {0, 1, CORAS_ERR_TOO_LARGE},       {1, 1, 0},   {63, 62, 0},
        {63, 63, 0}, {63, 64, CORAS_ERR_TOO_LARGE},     {64, 64, 0}, {64, 65, CORAS_ERR_TOO_LARGE},
        {65, 65, 0}, {1000, 1001, CORAS_ERR_TOO_LARGE},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf b = CORAS_BUF_INIT(cases[i].limit);
        for (size_t k = 0; k < cases[i].put; k++)
            coras_buf_putc(&b, 'x');
        assert_int_equal(coras_buf_done(&b, NULL), cases[i].rc);
        assert_int_equal(strlen(b.ptr), b.len);
        assert_true(b.len <= cases[i].limit);
    }
}

static void failure_sticks_until_reset(void **state)
{
    coras_auto_buf b = CORAS_BUF_INIT(3);
    coras_auto(coras_error) err = NULL;

    (void)state;
    coras_buf_puts(&b, "ab");
    coras_buf_puts(&b, "cd"); /* does not fit: nothing of it is kept */
    coras_buf_puts(&b, "e");
    assert_string_equal(b.ptr, "ab");
    assert_failed(coras_buf_done(&b, &err), err, CORAS_ERR_TOO_LARGE,
                  "size exceeds limit of 3 bytes");
    coras_buf_reset(&b);
    coras_buf_puts(&b, "xyz");
    assert_ok(coras_buf_done(&b, NULL), NULL);
    assert_string_equal(b.ptr, "xyz");
}

static void formats_in_one_piece(void **state)
{
    coras_auto_buf b = CORAS_BUF_INIT(100);

    (void)state;
    coras_buf_printf(&b, "%s=%d", "n", 7);
    coras_buf_printf(&b, ";%080d", 1);
    assert_int_equal(b.len, 84);
    coras_buf_printf(&b, "%020d", 1);
    assert_int_equal(b.failed, CORAS_ERR_TOO_LARGE);
    assert_int_equal(b.len, 84);
}

static void take_gives_ownership(void **state)
{
    coras_auto_buf b = CORAS_BUF_UNLIMITED;
    coras_auto_free char *text = NULL;
    coras_auto_free char *empty = NULL;

    (void)state;
    coras_buf_puts(&b, "text");
    assert_ok(coras_buf_take(&b, &text, NULL), NULL);
    assert_string_equal(text, "text");
    assert_string_equal(b.ptr, "");
    assert_ok(coras_buf_take(&b, &empty, NULL), NULL);
    assert_string_equal(empty, "");
}

static void reserve_refuses_a_sum_that_wraps(void **state)
{
    coras_auto_buf b = CORAS_BUF_INIT(SIZE_MAX);

    (void)state;
    coras_buf_puts(&b, "x");
    assert_false(coras_buf_reserve(&b, SIZE_MAX - 1));
    assert_true(b.failed < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_buffer_is_an_empty_string),
        cmocka_unit_test(holds_exactly_its_limit),
        cmocka_unit_test(failure_sticks_until_reset),
        cmocka_unit_test(formats_in_one_piece),
        cmocka_unit_test(take_gives_ownership),
        cmocka_unit_test(reserve_refuses_a_sum_that_wraps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
