/* SPDX-License-Identifier: Apache-2.0 */
/* sprig: dates and durations, and the methods of a time that templates call. */
#include "gotemplate/funcs.h"
#include "base/alloc.h"
#include "gotemplate/literal.h"
#include "gotemplate/times.h"

enum { NS_PER_S = 1000000000 };

static gotmpl_value of_time(const struct gotmpl_time *t)
{
    return (gotmpl_value){.kind = GOTMPL_TIME, .time = t};
}

/* What sprig takes for a date: a time or seconds as an int; anything else is now. */
static const struct gotmpl_time *date_of(struct gotmpl_arena *a, gotmpl_value v)
{
    if (v.kind == GOTMPL_TIME)
        return v.time;
    if (v.kind == GOTMPL_INT || v.kind == GOTMPL_INT64)
        return gotmpl_time_new(a, v.i, 0, &gotmpl_zone_local);
    return gotmpl_time_now(a);
}

static gotmpl_value format_in(struct gotmpl_arena *a, coras_str layout, gotmpl_value date,
                              coras_str zone)
{
    const struct gotmpl_zone *z = gotmpl_zone_load(a, zone);
    const struct gotmpl_time *t = date_of(a, date);

    t = gotmpl_time_new(a, t->sec, t->nsec, z ? z : &gotmpl_zone_utc);
    return gotmpl_string(gotmpl_time_format(a, t, layout));
}

GOTMPL_FN_IS(fn_date, format_in(a, v[0].s, v[1], CORAS_STR("Local")));
GOTMPL_FN_IS(fn_date_in_zone, format_in(a, v[0].s, v[1], v[2].s));
GOTMPL_FN_IS(fn_html_date, format_in(a, CORAS_STR("2006-01-02"), v[0], CORAS_STR("Local")));
GOTMPL_FN_IS(fn_html_date_in_zone, format_in(a, CORAS_STR("2006-01-02"), v[0], v[1].s));
GOTMPL_FN_IS(fn_now, of_time(gotmpl_time_now(a)));

GOTMPL_FN(fn_date_modify)
{
    coras_str problem;
    int64_t ns;

    return gotmpl_duration_parse(a, v[0].s, &ns, &problem)
               ? of_time(gotmpl_time_later(a, v[1].time, ns))
               : v[1];
}

GOTMPL_FN(fn_must_date_modify)
{
    coras_str problem;
    int64_t ns;

    if (!gotmpl_duration_parse(a, v[0].s, &ns, &problem))
        gotmpl_fail(a, "%s", problem.ptr);
    return of_time(gotmpl_time_later(a, v[1].time, ns));
}

GOTMPL_FN(fn_to_date)
{
    coras_str problem;
    const struct gotmpl_time *t =
        gotmpl_time_parse(a, v[0].s, v[1].s, &gotmpl_zone_local, &problem);

    return of_time(t ? t : gotmpl_time_new(a, GOTMPL_ZERO_TIME, 0, &gotmpl_zone_utc));
}

GOTMPL_FN(fn_must_to_date)
{
    coras_str problem;
    const struct gotmpl_time *t =
        gotmpl_time_parse(a, v[0].s, v[1].s, &gotmpl_zone_local, &problem);

    if (!t)
        gotmpl_fail(a, "%s", problem.ptr);
    return of_time(t);
}

/* Nanoseconds from t until now, as far as they fit. */
static int64_t since(struct gotmpl_arena *a, const struct gotmpl_time *t)
{
    const struct gotmpl_time *now = gotmpl_time_now(a);
    int64_t sec = now->sec - t->sec, ns;

    if (__builtin_mul_overflow(sec, (int64_t)NS_PER_S, &ns) ||
        !coras_add_int64(ns, now->nsec - t->nsec, &ns))
        return sec < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

GOTMPL_FN(fn_ago)
{
    int64_t ns = since(a, date_of(a, v[0])), left = ns % NS_PER_S;

    ns -= left;
    if (left >= NS_PER_S / 2 && ns < INT64_MAX - NS_PER_S)
        ns += NS_PER_S;
    else if (left <= -NS_PER_S / 2 && ns > INT64_MIN + NS_PER_S)
        ns -= NS_PER_S;
    return gotmpl_string(gotmpl_duration_string(a, ns));
}

GOTMPL_FN(fn_duration)
{
    int64_t n = 0;

    if (v[0].kind == GOTMPL_STRING)
        gotmpl_parse_int(v[0].s, 10, &n);
    else if (v[0].kind == GOTMPL_INT64)
        n = v[0].i;
    return gotmpl_string(gotmpl_duration_string(a, (int64_t)((uint64_t)n * NS_PER_S)));
}

GOTMPL_FN(fn_duration_round)
{
    static const struct {
        uint64_t seconds;
        const char *unit;
    } units[] = {{31536000, "y"}, {2592000, "mo"}, {86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
    coras_str problem;
    int64_t ns = 0;
    uint64_t u;

    if (v[0].kind == GOTMPL_STRING)
        gotmpl_duration_parse(a, v[0].s, &ns, &problem);
    else if (v[0].kind == GOTMPL_INT64)
        ns = v[0].i;
    else if (v[0].kind == GOTMPL_TIME)
        ns = since(a, v[0].time);
    u = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (u > units[i].seconds * NS_PER_S)
            return gotmpl_string(
                gotmpl_format(a, "%llu%s", (unsigned long long)(u / (units[i].seconds * NS_PER_S)),
                              units[i].unit));
    return gotmpl_string(CORAS_STR("0s"));
}

GOTMPL_FN_IS(fn_unix_epoch, gotmpl_string(gotmpl_format(a, "%lld", (long long)v[0].time->sec)));

const struct gotmpl_function gotmpl_date_functions[] = {
    {"ago", "a", fn_ago},
    {"date", "sa", fn_date},
    {"dateInZone", "sas", fn_date_in_zone},
    {"dateModify", "st", fn_date_modify},
    {"date_in_zone", "sas", fn_date_in_zone},
    {"date_modify", "st", fn_date_modify},
    {"duration", "a", fn_duration},
    {"durationRound", "a", fn_duration_round},
    {"htmlDate", "a", fn_html_date},
    {"htmlDateInZone", "as", fn_html_date_in_zone},
    {"mustDateModify", "st", fn_must_date_modify},
    {"mustToDate", "ss", fn_must_to_date},
    {"must_date_modify", "st", fn_must_date_modify},
    {"now", "", fn_now},
    {"toDate", "ss", fn_to_date},
    {"unixEpoch", "t", fn_unix_epoch},
    {NULL, NULL, NULL},
};

/* ---- methods of a time ---- */

GOTMPL_FN_IS(time_format, gotmpl_string(gotmpl_time_format(a, v[0].time, v[1].s)));
GOTMPL_FN_IS(time_string, gotmpl_string(gotmpl_time_string(a, v[0].time)));
GOTMPL_FN_IS(time_unix, gotmpl_int64(v[0].time->sec));
GOTMPL_FN_IS(time_year, gotmpl_int(gotmpl_time_fields(v[0].time).tm_year + 1900));
GOTMPL_FN_IS(time_day, gotmpl_int(gotmpl_time_fields(v[0].time).tm_mday));
GOTMPL_FN_IS(time_hour, gotmpl_int(gotmpl_time_fields(v[0].time).tm_hour));
GOTMPL_FN_IS(time_minute, gotmpl_int(gotmpl_time_fields(v[0].time).tm_min));
GOTMPL_FN_IS(time_second, gotmpl_int(gotmpl_time_fields(v[0].time).tm_sec));
GOTMPL_FN_IS(time_is_zero, gotmpl_bool(v[0].time->sec == GOTMPL_ZERO_TIME && v[0].time->nsec == 0));

GOTMPL_FN(time_utc)
{
    return of_time(gotmpl_time_new(a, v[0].time->sec, v[0].time->nsec, &gotmpl_zone_utc));
}

GOTMPL_FN(time_local)
{
    return of_time(gotmpl_time_new(a, v[0].time->sec, v[0].time->nsec, &gotmpl_zone_local));
}

static int compare_times(const struct gotmpl_time *x, const struct gotmpl_time *y)
{
    if (x->sec != y->sec)
        return x->sec < y->sec ? -1 : 1;
    return (x->nsec > y->nsec) - (x->nsec < y->nsec);
}

GOTMPL_FN_IS(time_before, gotmpl_bool(compare_times(v[0].time, v[1].time) < 0));
GOTMPL_FN_IS(time_after, gotmpl_bool(compare_times(v[0].time, v[1].time) > 0));
GOTMPL_FN_IS(time_equal, gotmpl_bool(compare_times(v[0].time, v[1].time) == 0));

const struct gotmpl_function gotmpl_time_methods[] = {
    {"After", "t", time_after},   {"Before", "t", time_before}, {"Day", "", time_day},
    {"Equal", "t", time_equal},   {"Format", "s", time_format}, {"Hour", "", time_hour},
    {"IsZero", "", time_is_zero}, {"Local", "", time_local},    {"Minute", "", time_minute},
    {"Second", "", time_second},  {"String", "", time_string},  {"UTC", "", time_utc},
    {"Unix", "", time_unix},      {"Year", "", time_year},      {NULL, NULL, NULL},
};
