/* SPDX-License-Identifier: Apache-2.0 */
/* Dates as Go, HTTP and log lines write them. */
#include <stdlib.h>
#include <time.h>

#include "support.h"
#include "base/buf.h"
#include "codec/date.h"

#define AS "\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \""

static void reads_rfc3339(void **state)
{
    static const struct {
        const char *in;
        int64_t unix_s;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59Z", -1},
        {"2024-01-01T00:00:00Z", 1704067200},
        {"2024-02-29T00:00:00Z", 1709164800},
        {"2024-01-01T00:00:00+01:00", 1704063600},
        {"2024-01-01T00:00:00-24:00", 1704153600},
        {"2024-01-01T00:00:00+24:60", 1703977200},
        {"2024-01-01T1:00:00Z", 1704070800},
        {"2024-01-01T00:00:00.123456789Z", 1704067200},
        {"2024-01-01T00:00:00,5Z", 1704067200},
        {"0000-01-01T00:00:00Z", -62167219200},
        {"9999-12-31T23:59:59Z", 253402300799},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_error) err = NULL;
        int64_t got = 1;
        assert_ok(coras_parse_rfc3339(cases[i].in, &got, &err), err);
        assert_int_equal(got, cases[i].unix_s);
    }
}

static void says_what_go_says_about_bad_times(void **state)
{
    static const struct {
        const char *in, *message;
    } cases[] = {
        {"foo", "parsing time \"foo" AS "foo\" as \"2006\""},
        {"", "parsing time \"" AS "\" as \"2006\""},
        {"2024", "parsing time \"2024" AS "\" as \"-\""},
        {"2024-1-01T00:00:00Z",
         "parsing time \"2024-1-01T00:00:00Z" AS "1-01T00:00:00Z\" as \"01\""},
        {"2024-13-01T00:00:00Z", "parsing time \"2024-13-01T00:00:00Z\": month out of range"},
        {"2023-02-29T00:00:00Z", "parsing time \"2023-02-29T00:00:00Z\": day out of range"},
        {"2024-01-01T24:00:00Z", "parsing time \"2024-01-01T24:00:00Z\": hour out of range"},
        {"2024-01-01T00:00:60Z", "parsing time \"2024-01-01T00:00:60Z\": second out of range"},
        {"2024-01-01 00:00:00Z", "parsing time \"2024-01-01 00:00:00Z" AS " 00:00:00Z\" as \"T\""},
        {"2024-01-01T00:00:00", "parsing time \"2024-01-01T00:00:00" AS "\" as \"Z07:00\""},
        {"2024-01-01T00:00:00Zx", "parsing time \"2024-01-01T00:00:00Zx\": extra text: \"x\""},
        {"2024-01-01T00:00:00+25:00",
         "parsing time \"2024-01-01T00:00:00+25:00\": time zone offset hour out of range"},
        {"a\"b\\\xc3\xa9",
         "parsing time \"a\\\"b\\\\\\xc3\\xa9" AS "a\\\"b\\\\\\xc3\\xa9\" as \"2006\""},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_error) err = NULL;
        int64_t got;
        assert_failed(coras_parse_rfc3339(cases[i].in, &got, &err), err, CORAS_ERR_INVALID_ARGUMENT,
                      cases[i].message);
    }
}

static void reads_the_three_http_dates(void **state)
{
    static const struct {
        const char *in;
        int64_t unix_s;
    } cases[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"Sun Nov 16 08:49:37 1994", 784975777},
        {"Thursday, 06-Nov-70 08:49:37 GMT", 26729377},
        {"Tuesday, 06-Nov-68 08:49:37 GMT", 3119417377},
    };
    static const char *const bad[] = {
        "",
        "Sun",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT",
        "1994-11-06T08:49:37Z",
    };
    int64_t got;

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        assert_true(coras_parse_http_date(cases[i].in, &got));
        assert_int_equal(got, cases[i].unix_s);
    }
    for (size_t i = 0; i < CORAS_ARRAY_LEN(bad); i++)
        assert_false(coras_parse_http_date(bad[i], &got));
}

static void writes_times(void **state)
{
    static const struct {
        long ns;
        const char *utc, *india;
    } cases[] = {
        {0, "2024-01-01T00:00:00Z", "2024-01-01T05:30:00+05:30"},
        {1, "2024-01-01T00:00:00.000000001Z", "2024-01-01T05:30:00.000000001+05:30"},
        {500000000, "2024-01-01T00:00:00.5Z", "2024-01-01T05:30:00.5+05:30"},
        {999999999, "2024-01-01T00:00:00.999999999Z", "2024-01-01T05:30:00.999999999+05:30"},
    };
    coras_auto_buf b = CORAS_BUF_UNLIMITED;

    (void)state;
    coras_format_rfc3339(&b, 1704067200);
    assert_string_equal(b.ptr, "2024-01-01T00:00:00Z");
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        struct timespec ts = {1704067200, cases[i].ns};
        for (int india = 0; india < 2; india++) {
            setenv("TZ", india ? "IST-5:30" : "UTC", 1);
            tzset();
            coras_buf_reset(&b);
            coras_format_rfc3339_nano(&b, &ts);
            assert_string_equal(b.ptr, india ? cases[i].india : cases[i].utc);
        }
    }
}

static void reads_nanoseconds(void **state CORAS_UNUSED)
{
    static const struct {
        const char *in;
        long ns;
    } cases[] = {{"1970-01-01T00:00:01Z", 0},
                 {"1970-01-01T00:00:01.5Z", 500000000},
                 {"1970-01-01T01:00:01.123456789+01:00", 123456789},
                 {"1970-01-01T00:00:01.0000000019Z", 1}};

    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        struct timespec got = {0};
        coras_auto(coras_error) err = NULL;
        assert_ok(coras_parse_rfc3339_exact(cases[i].in, &got, &err), err);
        assert_int_equal(got.tv_sec, 1);
        assert_int_equal(got.tv_nsec, cases[i].ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_rfc3339),
        cmocka_unit_test(reads_nanoseconds),
        cmocka_unit_test(says_what_go_says_about_bad_times),
        cmocka_unit_test(reads_the_three_http_dates),
        cmocka_unit_test(writes_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
