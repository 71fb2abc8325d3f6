/* sprig: dates and durations. */
#include "gotemplate/funcs.h"
#include "base/alloc.h"
#include "gotemplate/literal.h"
#include "gotemplate/times.h"

#define FN(name) static tpl_value name(struct tpl_arena *a, size_t argc, const tpl_value *v)

enum { NS_PER_S = 1000000000 };

static tpl_value of_time(const struct tpl_time *t)
{
    return (tpl_value){.kind = TPL_TIME, .time = t};
}

/* What sprig takes for a date: a time or seconds as an int; anything else is now. */
static const struct tpl_time *date_of(struct tpl_arena *a, tpl_value v)
{
    if (v.kind == TPL_TIME)
        return v.time;
    if (v.kind == TPL_INT || v.kind == TPL_INT64)
        return tpl_time_new(a, v.i, 0, &tpl_zone_local);
    return tpl_time_now(a);
}

static tpl_value format_in(struct tpl_arena *a, coras_str layout, tpl_value date, coras_str zone)
{
    const struct tpl_zone *z = tpl_zone_load(a, zone);
    const struct tpl_time *t = date_of(a, date);

    t = tpl_time_new(a, t->sec, t->nsec, z ? z : &tpl_zone_utc);
    return tpl_string(tpl_time_format(a, t, layout));
}

FN(fn_date)
{
    (void)argc;
    return format_in(a, v[0].s, v[1], CORAS_STR("Local"));
}

FN(fn_date_in_zone)
{
    (void)argc;
    return format_in(a, v[0].s, v[1], v[2].s);
}

FN(fn_html_date)
{
    (void)argc;
    return format_in(a, CORAS_STR("2006-01-02"), v[0], CORAS_STR("Local"));
}

FN(fn_html_date_in_zone)
{
    (void)argc;
    return format_in(a, CORAS_STR("2006-01-02"), v[0], v[1].s);
}

FN(fn_now)
{
    (void)argc, (void)v;
    return of_time(tpl_time_now(a));
}

FN(fn_date_modify)
{
    coras_str problem;
    int64_t ns;

    (void)argc;
    return tpl_duration_parse(a, v[0].s, &ns, &problem) ? of_time(tpl_time_later(a, v[1].time, ns))
                                                        : v[1];
}

FN(fn_must_date_modify)
{
    coras_str problem;
    int64_t ns;

    (void)argc;
    if (!tpl_duration_parse(a, v[0].s, &ns, &problem))
        tpl_fail(a, "%s", problem.ptr);
    return of_time(tpl_time_later(a, v[1].time, ns));
}

FN(fn_to_date)
{
    coras_str problem;
    const struct tpl_time *t = tpl_time_parse(a, v[0].s, v[1].s, &tpl_zone_local, &problem);

    (void)argc;
    return of_time(t ? t : tpl_time_new(a, TPL_ZERO_TIME, 0, &tpl_zone_utc));
}

FN(fn_must_to_date)
{
    coras_str problem;
    const struct tpl_time *t = tpl_time_parse(a, v[0].s, v[1].s, &tpl_zone_local, &problem);

    (void)argc;
    if (!t)
        tpl_fail(a, "%s", problem.ptr);
    return of_time(t);
}

/* Nanoseconds from t until now, as far as they fit. */
static int64_t since(struct tpl_arena *a, const struct tpl_time *t)
{
    const struct tpl_time *now = tpl_time_now(a);
    int64_t sec = now->sec - t->sec, ns;

    if (__builtin_mul_overflow(sec, (int64_t)NS_PER_S, &ns) ||
        !coras_add_int64(ns, now->nsec - t->nsec, &ns))
        return sec < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

FN(fn_ago)
{
    int64_t ns = since(a, date_of(a, v[0])), left = ns % NS_PER_S;

    (void)argc;
    ns -= left;
    if (left >= NS_PER_S / 2 && ns < INT64_MAX - NS_PER_S)
        ns += NS_PER_S;
    else if (left <= -NS_PER_S / 2 && ns > INT64_MIN + NS_PER_S)
        ns -= NS_PER_S;
    return tpl_string(tpl_duration_string(a, ns));
}

FN(fn_duration)
{
    int64_t n = 0;

    (void)argc;
    if (v[0].kind == TPL_STRING)
        tpl_parse_int(v[0].s, 10, &n);
    else if (v[0].kind == TPL_INT64)
        n = v[0].i;
    return tpl_string(tpl_duration_string(a, (int64_t)((uint64_t)n * NS_PER_S)));
}

FN(fn_duration_round)
{
    static const struct {
        uint64_t seconds;
        const char *unit;
    } units[] = {{31536000, "y"}, {2592000, "mo"}, {86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
    coras_str problem;
    int64_t ns = 0;
    uint64_t u;

    (void)argc;
    if (v[0].kind == TPL_STRING)
        tpl_duration_parse(a, v[0].s, &ns, &problem);
    else if (v[0].kind == TPL_INT64)
        ns = v[0].i;
    else if (v[0].kind == TPL_TIME)
        ns = since(a, v[0].time);
    u = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (u > units[i].seconds * NS_PER_S)
            return tpl_string(tpl_format(a, "%llu%s",
                                         (unsigned long long)(u / (units[i].seconds * NS_PER_S)),
                                         units[i].unit));
    return tpl_string(CORAS_STR("0s"));
}

FN(fn_unix_epoch)
{
    (void)argc;
    return tpl_string(tpl_format(a, "%lld", (long long)v[0].time->sec));
}

const struct tpl_function tpl_date_functions[] = {
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
