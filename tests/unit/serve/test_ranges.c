/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of downloads and of chunks. */
#include "serve/http/ranges.h"

#include "support.h"

static void reads_what_a_download_asks(void **state)
{
    static const struct {
        const char *header;
        int64_t size;
        enum serve_range_kind kind;
        int64_t first, last;
    } cases[] = {
        {NULL, 2048, SERVE_RANGE_WHOLE, 0, 0},
        {"bytes=500-1499", 2048, SERVE_RANGE_PART, 500, 1499},
        {"bytes=500-", 2048, SERVE_RANGE_PART, 500, 2047},
        {"bytes=-500", 2048, SERVE_RANGE_PART, 1548, 2047},
        {"bytes=-5000", 2048, SERVE_RANGE_PART, 0, 2047},
        {"bytes=2000-5000", 2048, SERVE_RANGE_PART, 2000, 2047},
        {"bytes=0-0", 2048, SERVE_RANGE_PART, 0, 0},
        {"bytes=2047-2047", 2048, SERVE_RANGE_PART, 2047, 2047},
        {"bytes= 1-2 ", 2048, SERVE_RANGE_PART, 1, 2},
        {"bytes=0-99999999999999999999999999", 2048, SERVE_RANGE_PART, 0, 2047},
        {"bytes=-99999999999999999999999999", 2048, SERVE_RANGE_PART, 0, 2047},
        {"bytes=500-0", 2048, SERVE_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=2048-", 2048, SERVE_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=5000-10000", 2048, SERVE_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=99999999999999999999999999-", 2048, SERVE_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-0", 2048, SERVE_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=0-", 0, SERVE_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-1", 0, SERVE_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=0-1,3-4", 2048, SERVE_RANGE_WHOLE, 0, 0},
        {"bytes=-", 2048, SERVE_RANGE_WHOLE, 0, 0},
        {"bytes=", 2048, SERVE_RANGE_WHOLE, 0, 0},
        {"bytes=a-b", 2048, SERVE_RANGE_WHOLE, 0, 0},
        {"bytes=--1", 2048, SERVE_RANGE_WHOLE, 0, 0},
        {"bytes=+1-2", 2048, SERVE_RANGE_WHOLE, 0, 0},
        {"bytes=0x1-2", 2048, SERVE_RANGE_WHOLE, 0, 0},
        {"lines=0-1", 2048, SERVE_RANGE_WHOLE, 0, 0},
        {"0-1", 2048, SERVE_RANGE_WHOLE, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        struct serve_range r = {-1, -1};
        enum serve_range_kind kind = serve_range_parse(cases[i].header, cases[i].size, &r);

        if (kind != cases[i].kind)
            print_error("%s\n", cases[i].header);
        assert_int_equal(kind, cases[i].kind);
        if (kind == SERVE_RANGE_PART) {
            assert_int_equal(r.first, cases[i].first);
            assert_int_equal(r.last, cases[i].last);
        }
    }
}

static void reads_what_a_chunk_is(void **state)
{
    static const struct {
        const char *header;
        bool ok;
        int64_t first, last;
    } cases[] = {
        {"0-0", true, 0, 0},
        {"0-1023", true, 0, 1023},
        {"9223372036854775806-9223372036854775807", true, INT64_MAX - 1, INT64_MAX},
        {"9223372036854775808-9223372036854775809", false, 0, 0},
        {"", false, 0, 0},
        {"-", false, 0, 0},
        {"5", false, 0, 0},
        {"5-", false, 0, 0},
        {"-5", false, 0, 0},
        {"5-4", false, 0, 0},
        {"-1-4", false, 0, 0},
        {"0-4/5", false, 0, 0},
        {"bytes 0-4/5", false, 0, 0},
        {"bytes=0-4", false, 0, 0},
        {" 0-4", false, 0, 0},
        {"0-4 ", false, 0, 0},
        {"0-4,5-6", false, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        struct serve_range r = {-1, -1};

        assert_int_equal(serve_content_range_parse(cases[i].header, &r), cases[i].ok);
        assert_int_equal(r.first, cases[i].ok ? cases[i].first : -1);
        assert_int_equal(r.last, cases[i].ok ? cases[i].last : -1);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_a_download_asks),
        cmocka_unit_test(reads_what_a_chunk_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
