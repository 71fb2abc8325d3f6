/* SPDX-License-Identifier: Apache-2.0 */
/* Log entries: debug is silent unless switched on, warnings are not. */
#include "base/trace.h"

#include "base/buf.h"
#include "support.h"

static void collect(enum coras_trace_level level, const char *message, const char *data, void *user)
{
    coras_buf_printf(user, "%d:%s:%s;", (int)level, message, data ? data : "-");
}

static void say_all(void)
{
    coras_trace_debug("d%d", 1);
    coras_trace_error("e");
    coras_trace_warning("k=v", "w%s", "x");
    coras_trace_warning(NULL, "w2");
}

static void levels_are_filtered(void **state)
{
    coras_auto_buf b = CORAS_BUF_UNLIMITED;

    (void)state;
    say_all(); /* nobody listens */
    coras_trace_set(collect, &b, false);
    assert_false(coras_trace_debug_on());
    say_all();
    assert_string_equal(b.ptr, "1:wx:k=v;1:w2:-;");
    coras_buf_reset(&b);
    coras_trace_set(collect, &b, true);
    assert_true(coras_trace_debug_on());
    say_all();
    assert_string_equal(b.ptr, "0:d1:-;2:e:-;1:wx:k=v;1:w2:-;");
    coras_trace_set(NULL, NULL, true);
    assert_false(coras_trace_debug_on());
    say_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(levels_are_filtered)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
