/* SPDX-License-Identifier: Apache-2.0 */
/* Retry-After in its two forms. */
#include "rows.h"
#include "http/response.h"
#include "http/retry_after.h"

static const char date[] = "Tue, 24 Nov 2026 04:00:00 GMT";

static void both_forms_are_read(void **state)
{
    static const struct {
        const char *name, *header;
        int64_t seconds;
    } rows[] = {
        {"absent", NULL, -1},
        {"seconds", "2", 2},
        {"blanks around", " 7 ", 7},
        {"date against the answer's own", "Tue, 24 Nov 2026 04:00:03 GMT", 3},
        {"date in the past", "Tue, 24 Nov 2026 03:00:00 GMT", 0},
        {"zero", "0", 0},
        {"negative", "-5", -1},
        {"garbage", "soon", -1},
        {"huge", "9223372036854775807", INT64_MAX},
        {"beyond 64 bits", "9223372036854775808", -1},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        IN_ROW(rows[i].name);
        assert_int_equal(coras_retry_after_s(rows[i].header, date, 0), rows[i].seconds);
    }
}

static void without_a_date_our_clock_counts(void **state)
{
    (void)state;
    assert_int_equal(coras_retry_after_s("Thu, 01 Jan 1970 00:01:40 GMT", NULL, 40), 60);
    assert_int_equal(coras_retry_after_s("Thu, 01 Jan 1970 00:01:40 GMT", "garbage", 40), 60);
}

static void only_busy_servers_are_obeyed(void **state)
{
    static const struct {
        int status;
        int64_t asked_s;
    } rows[] = {{429, 7}, {503, 7}, {500, -1}, {404, -1}};

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto(coras_response) r = NULL;
        assert_int_equal(coras_response_new(&r, NULL), 0);
        r->status = rows[i].status;
        assert_int_equal(coras_header_list_add(&r->headers, coras_str_of("Retry-After"),
                                               coras_str_of("7"), false, NULL),
                         0);
        assert_int_equal(coras_response_asked_s(r), rows[i].asked_s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_are_read),
        cmocka_unit_test(without_a_date_our_clock_counts),
        cmocka_unit_test(only_busy_servers_are_obeyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
