/* SPDX-License-Identifier: Apache-2.0 */
/* Points in time in their zones, and durations, as Go's package time writes and reads them. */
#include "gotemplate/times.h"

const char *const gotmpl_month_names[12] = {"January",   "February", "March",    "April",
                                            "May",       "June",     "July",     "August",
                                            "September", "October",  "November", "December"};
const char *const gotmpl_weekday_names[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                             "Thursday", "Friday", "Saturday"};

const struct gotmpl_time *gotmpl_time_new(struct gotmpl_arena *a, int64_t sec, int32_t nsec,
                                          const struct gotmpl_zone *zone)
{
    struct gotmpl_time *t = gotmpl_alloc(a, sizeof(*t));

    t->sec = sec;
    t->nsec = nsec;
    t->zone = zone;
    t->abbreviation = CORAS_STR("UTC");
    if (zone->kind == GOTMPL_ZONE_LOCAL || zone->kind == GOTMPL_ZONE_NAMED) {
        char name[GOTMPL_ZONE_ABBREVIATION];
        if (gotmpl_zone_look_up(zone, sec, &t->offset, name))
            t->abbreviation = gotmpl_dup(a, name, strlen(name));
    } else if (zone->kind == GOTMPL_ZONE_FIXED) {
        t->offset = zone->offset;
        t->abbreviation = zone->abbreviation;
    }
    return t;
}

const struct gotmpl_time *gotmpl_time_now(struct gotmpl_arena *a)
{
    struct timespec ts = {0};

    clock_gettime(CLOCK_REALTIME, &ts);
    return gotmpl_time_new(a, ts.tv_sec, (int32_t)ts.tv_nsec, &gotmpl_zone_local);
}

const struct gotmpl_time *gotmpl_time_later(struct gotmpl_arena *a, const struct gotmpl_time *t,
                                            int64_t ns)
{
    enum { NS_IN_S = 1000000000 };
    int64_t sec = t->sec + ns / NS_IN_S, nsec = t->nsec + ns % NS_IN_S;

    if (nsec < 0 || nsec >= NS_IN_S) {
        sec += nsec < 0 ? -1 : 1;
        nsec += nsec < 0 ? NS_IN_S : -NS_IN_S;
    }
    return gotmpl_time_new(a, sec, (int32_t)nsec, t->zone);
}

bool gotmpl_time_same(const struct gotmpl_time *x, const struct gotmpl_time *y)
{
    return x->sec == y->sec && x->nsec == y->nsec && x->offset == y->offset;
}

struct tm gotmpl_time_fields(const struct gotmpl_time *t)
{
    time_t sec = (time_t)(t->sec + t->offset);
    struct tm tm = {0};

    gmtime_r(&sec, &tm);
    return tm;
}

coras_str gotmpl_time_rfc3339(struct gotmpl_arena *a, const struct gotmpl_time *t)
{
    return gotmpl_time_format(a, t, CORAS_STR("2006-01-02T15:04:05.999999999Z07:00"));
}

coras_str gotmpl_time_string(struct gotmpl_arena *a, const struct gotmpl_time *t)
{
    return gotmpl_time_format(a, t, CORAS_STR("2006-01-02 15:04:05.999999999 -0700 MST"));
}

/* ---- durations ---- */

/* n / unit with up to `digits` decimals, trailing zeros dropped. */
static void put_fraction(struct gotmpl_text *t, uint64_t n, uint64_t unit)
{
    char digits[24];
    int len = 0;

    gotmpl_printf(t, "%llu", (unsigned long long)(n / unit));
    n %= unit;
    for (uint64_t scale = unit / 10; n; scale /= 10) {
        digits[len++] = (char)('0' + n / scale);
        n %= scale;
    }
    if (len) {
        gotmpl_putc(t, '.');
        gotmpl_put(t, digits, (size_t)len);
    }
}

coras_str gotmpl_duration_string(struct gotmpl_arena *a, int64_t nanoseconds)
{
    const uint64_t us = 1000, ms = 1000 * us, s = 1000 * ms;
    uint64_t n = nanoseconds < 0 ? 0 - (uint64_t)nanoseconds : (uint64_t)nanoseconds;
    struct gotmpl_text t = GOTMPL_TEXT(a);

    if (nanoseconds < 0)
        gotmpl_putc(&t, '-');
    if (n == 0) {
        gotmpl_puts(&t, "0s");
    } else if (n < us) {
        gotmpl_printf(&t, "%lluns", (unsigned long long)n);
    } else if (n < ms) {
        put_fraction(&t, n, us);
        gotmpl_puts(&t, "\xc2\xb5s");
    } else if (n < s) {
        put_fraction(&t, n, ms);
        gotmpl_puts(&t, "ms");
    } else {
        if (n >= 3600 * s)
            gotmpl_printf(&t, "%lluh", (unsigned long long)(n / (3600 * s)));
        if (n >= 60 * s)
            gotmpl_printf(&t, "%llum", (unsigned long long)(n / (60 * s) % 60));
        put_fraction(&t, n % (60 * s), s);
        gotmpl_putc(&t, 's');
    }
    return gotmpl_text_str(&t);
}

static coras_str complain(struct gotmpl_arena *a, const char *what, coras_str unit, coras_str s)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);

    gotmpl_puts(&t, "time: ");
    gotmpl_puts(&t, what);
    if (unit.len) {
        gotmpl_put_quoted(&t, unit, '"', false);
        gotmpl_putc(&t, ' ');
    }
    gotmpl_puts(&t, unit.len ? "in duration " : " ");
    gotmpl_put_quoted(&t, s, '"', false);
    return gotmpl_text_str(&t);
}

static double unit_of(coras_str unit)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ns", 1},   {"us", 1e3}, {"\xc2\xb5s", 1e3}, {"\xce\xbcs", 1e3},
                 {"ms", 1e6}, {"s", 1e9},  {"m", 60e9},        {"h", 3600e9}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (coras_str_eq(unit, units[i].name))
            return units[i].ns;
    return 0;
}

bool gotmpl_duration_parse(struct gotmpl_arena *a, coras_str s, int64_t *ret,
                           coras_str *ret_problem)
{
    bool negative = s.len && s.ptr[0] == '-';
    size_t i = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+');
    long double total = 0;

    *ret = 0;
    if (coras_str_eq(gotmpl_sub(s, i, s.len), "0"))
        return true;
    *ret_problem = complain(a, "invalid duration", CORAS_STR(""), s);
    if (i == s.len)
        return false;
    while (i < s.len) {
        long double n = 0, scale = 1;
        size_t digits = 0, from;
        double unit;
        for (; i < s.len && coras_is_digit(s.ptr[i]); i++, digits++)
            n = n * 10 + (s.ptr[i] - '0');
        if (i < s.len && s.ptr[i] == '.')
            for (i++; i < s.len && coras_is_digit(s.ptr[i]); i++, digits++)
                n += (s.ptr[i] - '0') * (scale /= 10);
        if (digits == 0)
            return false;
        for (from = i; i < s.len && s.ptr[i] != '.' && !coras_is_digit(s.ptr[i]);)
            i++;
        unit = unit_of(gotmpl_sub(s, from, i));
        if (i == from)
            *ret_problem = complain(a, "missing unit in duration", CORAS_STR(""), s);
        else if (unit == 0)
            *ret_problem = complain(a, "unknown unit ", gotmpl_sub(s, from, i), s);
        if (unit == 0)
            return false;
        total += n * unit;
        if (total >= 0x1p63L)
            return false;
    }
    *ret = negative ? -(int64_t)total : (int64_t)total;
    return true;
}
