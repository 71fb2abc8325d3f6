/* Methods of time.Time, time.Duration, time.Month and time.Weekday that templates can call. */
#include "gotemplate/funcs.h"
#include "base/alloc.h"
#include "gotemplate/times.h"

#define FN(name) static tpl_value name(struct tpl_arena *a, size_t argc, const tpl_value *v)

enum { NS_PER_S = 1000000000, CALENDAR_LIMIT = 1000000 };

static tpl_value of_time(const struct tpl_time *t)
{
    return (tpl_value){.kind = TPL_TIME, .time = t};
}

FN(time_format)
{
    (void)argc;
    return tpl_string(tpl_time_format(a, v[0].time, v[1].s));
}

FN(time_string)
{
    (void)argc;
    return tpl_string(tpl_time_value_string(a, v[0]));
}

FN(time_go_string)
{
    (void)argc;
    return tpl_string(tpl_time_go_string(a, v[0].time));
}

FN(time_unix)
{
    (void)a, (void)argc;
    return tpl_int64(v[0].time->sec);
}

FN(time_unix_milli)
{
    (void)a, (void)argc;
    return tpl_int64(
        (int64_t)((uint64_t)v[0].time->sec * 1000 + (uint64_t)(v[0].time->nsec / 1000000)));
}

FN(time_year)
{
    (void)a, (void)argc;
    return tpl_int(tpl_time_fields(v[0].time).tm_year + 1900);
}

FN(time_month)
{
    (void)a, (void)argc;
    return (tpl_value){.kind = TPL_MONTH, .i = tpl_time_fields(v[0].time).tm_mon + 1};
}

FN(time_day)
{
    (void)a, (void)argc;
    return tpl_int(tpl_time_fields(v[0].time).tm_mday);
}

FN(time_hour)
{
    (void)a, (void)argc;
    return tpl_int(tpl_time_fields(v[0].time).tm_hour);
}

FN(time_minute)
{
    (void)a, (void)argc;
    return tpl_int(tpl_time_fields(v[0].time).tm_min);
}

FN(time_second)
{
    (void)a, (void)argc;
    return tpl_int(tpl_time_fields(v[0].time).tm_sec);
}

FN(time_nanosecond)
{
    (void)a, (void)argc;
    return tpl_int(v[0].time->nsec);
}

FN(time_weekday)
{
    (void)a, (void)argc;
    return (tpl_value){.kind = TPL_WEEKDAY, .i = tpl_time_fields(v[0].time).tm_wday};
}

FN(time_year_day)
{
    (void)a, (void)argc;
    return tpl_int(tpl_time_fields(v[0].time).tm_yday + 1);
}

FN(time_is_zero)
{
    (void)a, (void)argc;
    return tpl_bool(v[0].time->sec == TPL_ZERO_TIME && v[0].time->nsec == 0);
}

FN(time_utc)
{
    (void)argc;
    return of_time(tpl_time_new(a, v[0].time->sec, v[0].time->nsec, &tpl_zone_utc));
}

FN(time_local)
{
    (void)argc;
    return of_time(tpl_time_new(a, v[0].time->sec, v[0].time->nsec, &tpl_zone_local));
}

FN(time_add)
{
    (void)argc;
    return of_time(tpl_time_later(a, v[0].time, v[1].i));
}

static int compare_times(const struct tpl_time *x, const struct tpl_time *y)
{
    if (x->sec != y->sec)
        return x->sec < y->sec ? -1 : 1;
    return (x->nsec > y->nsec) - (x->nsec < y->nsec);
}

FN(time_compare)
{
    (void)a, (void)argc;
    return tpl_int(compare_times(v[0].time, v[1].time));
}

/* Years, months and days on the calendar; what overflows carries on. */
FN(time_add_date)
{
    const struct tpl_time *t = v[0].time, *guess;
    struct tm tm = tpl_time_fields(t);
    int64_t sec;

    (void)argc;
    for (int i = 1; i <= 3; i++)
        if (v[i].i < -CALENDAR_LIMIT || v[i].i > CALENDAR_LIMIT)
            tpl_fail(a, "date out of range");
    tm.tm_year += (int)v[1].i;
    tm.tm_mon += (int)v[2].i;
    tm.tm_mday += (int)v[3].i;
    tm.tm_isdst = 0;
    sec = timegm(&tm);
    guess = tpl_time_new(a, sec, 0, t->zone);
    guess = tpl_time_new(a, sec - guess->offset, 0, t->zone);
    return of_time(tpl_time_new(a, sec - guess->offset, t->nsec, t->zone));
}

/* How far the time is past a multiple of `step`, counted from year 1. */
static int64_t past_multiple(const struct tpl_time *t, int64_t step)
{
    __int128 ns = (__int128)(t->sec - TPL_ZERO_TIME) * NS_PER_S + t->nsec;
    int64_t past = (int64_t)(ns % step);

    return past < 0 ? past + step : past;
}

FN(time_truncate)
{
    (void)argc;
    return v[1].i <= 0 ? v[0]
                       : of_time(tpl_time_later(a, v[0].time, -past_multiple(v[0].time, v[1].i)));
}

FN(time_round)
{
    int64_t past = v[1].i > 0 ? past_multiple(v[0].time, v[1].i) : 0;

    (void)argc;
    if (v[1].i <= 0)
        return v[0];
    return of_time(tpl_time_later(a, v[0].time, past < v[1].i - past ? -past : v[1].i - past));
}

FN(time_unix_nano)
{
    (void)a, (void)argc;
    return tpl_int64((int64_t)((uint64_t)v[0].time->sec * NS_PER_S + (uint64_t)v[0].time->nsec));
}

FN(time_unix_micro)
{
    (void)a, (void)argc;
    return tpl_int64(
        (int64_t)((uint64_t)v[0].time->sec * 1000000 + (uint64_t)(v[0].time->nsec / 1000)));
}

FN(time_sub)
{
    int64_t sec = v[0].time->sec - v[1].time->sec, ns;

    (void)a, (void)argc;
    if (__builtin_mul_overflow(sec, (int64_t)NS_PER_S, &ns) ||
        !coras_add_int64(ns, v[0].time->nsec - v[1].time->nsec, &ns))
        ns = sec < 0 ? INT64_MIN : INT64_MAX;
    return (tpl_value){.kind = TPL_DURATION, .i = ns};
}

FN(time_before)
{
    (void)a, (void)argc;
    return tpl_bool(compare_times(v[0].time, v[1].time) < 0);
}

FN(time_after)
{
    (void)a, (void)argc;
    return tpl_bool(compare_times(v[0].time, v[1].time) > 0);
}

FN(time_equal)
{
    (void)a, (void)argc;
    return tpl_bool(compare_times(v[0].time, v[1].time) == 0);
}

const struct tpl_function tpl_time_methods[] = {
    {"Add", "d", time_add},
    {"AddDate", "iii", time_add_date},
    {"After", "t", time_after},
    {"Before", "t", time_before},
    {"Compare", "t", time_compare},
    {"Day", "", time_day},
    {"Equal", "t", time_equal},
    {"Format", "s", time_format},
    {"GoString", "", time_go_string},
    {"Hour", "", time_hour},
    {"IsZero", "", time_is_zero},
    {"Local", "", time_local},
    {"Minute", "", time_minute},
    {"Month", "", time_month},
    {"Nanosecond", "", time_nanosecond},
    {"Round", "d", time_round},
    {"Second", "", time_second},
    {"String", "", time_string},
    {"Sub", "t", time_sub},
    {"Truncate", "d", time_truncate},
    {"UTC", "", time_utc},
    {"Unix", "", time_unix},
    {"UnixMicro", "", time_unix_micro},
    {"UnixMilli", "", time_unix_milli},
    {"UnixNano", "", time_unix_nano},
    {"Weekday", "", time_weekday},
    {"Year", "", time_year},
    {"YearDay", "", time_year_day},
    {NULL, NULL, NULL},
};

FN(duration_hours)
{
    (void)a, (void)argc;
    return tpl_float((double)v[0].i / (3600.0 * NS_PER_S));
}

FN(duration_minutes)
{
    (void)a, (void)argc;
    return tpl_float((double)v[0].i / (60.0 * NS_PER_S));
}

FN(duration_seconds)
{
    (void)a, (void)argc;
    return tpl_float((double)v[0].i / NS_PER_S);
}

FN(duration_nanoseconds)
{
    (void)a, (void)argc;
    return tpl_int64(v[0].i);
}

static tpl_value of_duration(int64_t ns)
{
    return (tpl_value){.kind = TPL_DURATION, .i = ns};
}

FN(duration_milliseconds)
{
    (void)a, (void)argc;
    return tpl_int64(v[0].i / 1000000);
}

FN(duration_microseconds)
{
    (void)a, (void)argc;
    return tpl_int64(v[0].i / 1000);
}

FN(duration_abs)
{
    (void)a, (void)argc;
    return of_duration(v[0].i == INT64_MIN ? INT64_MAX : v[0].i < 0 ? -v[0].i : v[0].i);
}

FN(duration_truncate)
{
    (void)a, (void)argc;
    return v[1].i <= 0 ? v[0] : of_duration(v[0].i - v[0].i % v[1].i);
}

/* Halves go away from zero. */
FN(duration_round)
{
    int64_t d = v[0].i, step = v[1].i, past, rounded;

    (void)a, (void)argc;
    if (step <= 0)
        return v[0];
    past = d % step;
    if (past < 0 ? -past < step + past : past < step - past)
        return of_duration(d - past);
    if (!coras_add_int64(d - past, d < 0 ? -step : step, &rounded))
        rounded = d < 0 ? INT64_MIN : INT64_MAX;
    return of_duration(rounded);
}

const struct tpl_function tpl_duration_methods[] = {
    {"Abs", "", duration_abs},
    {"Hours", "", duration_hours},
    {"Microseconds", "", duration_microseconds},
    {"Milliseconds", "", duration_milliseconds},
    {"Minutes", "", duration_minutes},
    {"Nanoseconds", "", duration_nanoseconds},
    {"Round", "d", duration_round},
    {"Seconds", "", duration_seconds},
    {"String", "", time_string},
    {"Truncate", "d", duration_truncate},
    {NULL, NULL, NULL},
};

const struct tpl_function tpl_calendar_methods[] = {
    {"String", "", time_string},
    {NULL, NULL, NULL},
};
