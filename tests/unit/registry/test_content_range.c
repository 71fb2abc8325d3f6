/* SPDX-License-Identifier: Apache-2.0 */
/* Content-Range and Range of uploads. */
#include "support.h"
#include "registry/content_range.h"

static void content_ranges_are_parsed(void **state)
{
    static const struct {
        const char *header;
        bool ok;
        int64_t first, last, total;
    } rows[] = {
        {"bytes 0-0/1", true, 0, 0, 1},
        {"bytes 5-9/20", true, 5, 9, 20},
        {"bytes 5-9/*", true, 5, 9, -1},
        {" bytes 5-9/20 ", true, 5, 9, 20},
        {"bytes 0-9223372036854775806/9223372036854775807", true, 0, INT64_MAX - 1, INT64_MAX},
        {"bytes 5-4/20", false},
        {"bytes 5-20/20", false},
        {"bytes 5-9/9", false},
        {"bytes */20", false},
        {"bytes 5-9", false},
        {"bytes=5-9/20", false},
        {"5-9/20", false},
        {"items 5-9/20", false},
        {"bytes 5-9/20x", false},
        {"bytes -5-9/20", false},
        {"bytes 5-9/", false},
        {"bytes 5-9223372036854775808/*", false},
        {"bytes 0x5-9/20", false},
        {"bytes ", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        struct coras_content_range r = {0};
        if (coras_content_range_parse(rows[i].header, &r) != rows[i].ok)
            fail_msg("%s", rows[i].header);
        assert_int_equal(r.first, rows[i].first);
        assert_int_equal(r.last, rows[i].last);
        assert_int_equal(r.total, rows[i].total);
    }
}

static void upload_ranges_are_parsed(void **state)
{
    static const struct {
        const char *header;
        bool ok;
        int64_t last;
    } rows[] = {
        {"0-0", true, 0},
        {"0-99999", true, 99999},
        {"bytes=0-99", true, 99},
        {" 0-7 ", true, 7},
        {"0-9223372036854775807", true, INT64_MAX},
        {"0-9223372036854775808", false, 0},
        {"1-99", false, 0},
        {"0--1", false, 0},
        {"-", false, 0},
        {"0-", false, 0},
        {"", false, 0},
        {"0-5/6", false, 0},
        {"garbage", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        int64_t last = 0;
        if (coras_upload_range_parse(rows[i].header, &last) != rows[i].ok)
            fail_msg("%s", rows[i].header);
        assert_int_equal(last, rows[i].last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_ranges_are_parsed),
        cmocka_unit_test(upload_ranges_are_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
