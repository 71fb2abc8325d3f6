/* SPDX-License-Identifier: Apache-2.0 */
/* Dates by layout, durations, and zones by the C library. */
#include "support.h"

#include "gotemplate/times.h"

enum { ARENA = 1024 * 1024 };

static struct gotmpl_arena arena;
static jmp_buf unused;

static int set_up(void **state)
{
    (void)state;
    arena = (struct gotmpl_arena)GOTMPL_ARENA(ARENA, &unused);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gotmpl_arena_clear(&arena);
    return 0;
}

static void test_dates_are_read_by_example(void **state)
{
    static const struct {
        const char *layout, *text;
        int64_t sec;
        int32_t nsec;
    } cases[] = {
        {"2006-01-02", "1970-01-02", 86400, 0},
        {"2006-01-02T15:04:05Z07:00", "2024-05-06T07:08:09Z", 1714979289, 0},
        {"2006-01-02T15:04:05Z07:00", "2024-05-06T07:08:09.5+02:00", 1714972089, 500000000},
        {"Mon Jan _2 15:04:05 2006", "Mon May  6 07:08:09 2024", 1714979289, 0},
        {"2/1/06 3:04PM", "6/5/24 7:08AM", 1714979280, 0},
        {"2006-002", "2024-366", 1735603200, 0},
        {"2006", "0000", -62167219200, 0},
        {"2006-01-02 15:04:05.000", "9999-12-31 23:59:59.999", 253402300799, 999000000},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_str problem = CORAS_STR("");
        const struct gotmpl_time *t =
            gotmpl_time_parse(&arena, coras_str_of(cases[i].layout), coras_str_of(cases[i].text),
                              &gotmpl_zone_utc, &problem);
        if (!t)
            fail_msg("%s: %s", cases[i].text, problem.ptr);
        assert_int_equal(t->sec, cases[i].sec);
        assert_int_equal(t->nsec, cases[i].nsec);
    }
}

static void test_what_is_no_date_is_refused_in_go_s_words(void **state)
{
    static const struct {
        const char *layout, *text, *problem;
    } cases[] = {
        {"2006-01-02", "2024-02-30", "parsing time \"2024-02-30\": day out of range"},
        {"2006-01-02", "2024-13-01", "parsing time \"2024-13-01\": month out of range"},
        {"2006-01-02", "2024-1-01",
         "parsing time \"2024-1-01\" as \"2006-01-02\": cannot parse \"1-01\" as \"01\""},
        {"15:04", "24:00", "parsing time \"24:00\": hour out of range"},
        {"2006", "2024x", "parsing time \"2024x\": extra text: \"x\""},
        {"2006-002", "2023-366", "parsing time \"2023-366\": day-of-year out of range"},
        {"2006", "", "parsing time \"\" as \"2006\": cannot parse \"\" as \"2006\""},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_str problem = CORAS_STR("");
        assert_null(gotmpl_time_parse(&arena, coras_str_of(cases[i].layout),
                                      coras_str_of(cases[i].text), &gotmpl_zone_utc, &problem));
        assert_string_equal(problem.ptr, cases[i].problem);
    }
}

static void test_durations(void **state)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"0", "0s"},          {"1.5h", "1h30m0s"}, {"-90s", "-1m30s"}, {"1500us", "1.5ms"},
        {"1h2m3s", "1h2m3s"}, {"100ns", "100ns"},  {"0.5s", "500ms"},  {"2540400h", "2540400h0m0s"},
    };
    static const char *const bad[] = {"", "-", "5", "1x", ".s", "h", "1e3s", "9999999999h"};
    coras_str problem;
    int64_t ns;

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        assert_true(gotmpl_duration_parse(&arena, coras_str_of(cases[i].text), &ns, &problem));
        assert_string_equal(gotmpl_duration_string(&arena, ns).ptr, cases[i].shown);
    }
    for (size_t i = 0; i < CORAS_ARRAY_LEN(bad); i++)
        assert_false(gotmpl_duration_parse(&arena, coras_str_of(bad[i]), &ns, &problem));
}

static void test_zones_leave_no_trace(void **state)
{
    const struct gotmpl_zone *zone;
    const struct gotmpl_time *t;

    (void)state;
    setenv("TZ", "Asia/Tokyo", 1);
    tzset();
    assert_null(gotmpl_zone_load(&arena, CORAS_STR("No/Such")));
    assert_null(gotmpl_zone_load(&arena, CORAS_STR("../../etc/passwd")));
    assert_null(gotmpl_zone_load(&arena, CORAS_STR("/etc/localtime")));
    zone = gotmpl_zone_load(&arena, CORAS_STR("Europe/Berlin"));
    if (!zone)
        skip(); /* no zone database here */
    t = gotmpl_time_new(&arena, 1720000000, 0, zone);
    assert_int_equal(t->offset, 7200);
    assert_true(coras_str_eq(t->abbreviation, "CEST"));
    t = gotmpl_time_new(&arena, 1720000000, 0, &gotmpl_zone_local);
    assert_int_equal(t->offset, 9 * 3600);
    assert_string_equal(getenv("TZ"), "Asia/Tokyo");
    unsetenv("TZ");
    (void)gotmpl_time_new(&arena, 0, 0, zone);
    assert_null(getenv("TZ"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_dates_are_read_by_example, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_no_date_is_refused_in_go_s_words, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_durations, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_zones_leave_no_trace, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
