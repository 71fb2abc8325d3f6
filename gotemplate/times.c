#include "gotemplate/times.h"

#include <fcntl.h>
#include <unistd.h>
#include "gotemplate/print.h"

const struct tpl_zone tpl_zone_utc = {.kind = TPL_ZONE_UTC};
const struct tpl_zone tpl_zone_local = {.kind = TPL_ZONE_LOCAL};

const char *const tpl_month_names[12] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
const char *const tpl_weekday_names[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                          "Thursday", "Friday", "Saturday"};

static void resolve_local(struct tpl_arena *a, struct tpl_time *t)
{
    time_t sec = (time_t)t->sec;
    struct tm tm;

    if (!localtime_r(&sec, &tm))
        return;
    t->offset = (int)tm.tm_gmtoff;
    t->abbreviation = tpl_dup(a, tm.tm_zone, strlen(tm.tm_zone));
}

const struct tpl_time *tpl_time_new(struct tpl_arena *a, int64_t sec, int32_t nsec,
                                    const struct tpl_zone *zone)
{
    struct tpl_time *t = tpl_alloc(a, sizeof(*t));

    t->sec = sec;
    t->nsec = nsec;
    t->zone = zone;
    t->abbreviation = CORAS_STR("UTC");
    if (zone->kind == TPL_ZONE_LOCAL) {
        resolve_local(a, t);
    } else if (zone->kind == TPL_ZONE_FILE) {
        tpl_zone_file_lookup(a, zone->data, sec, &t->offset, &t->abbreviation);
    } else if (zone->kind == TPL_ZONE_FIXED) {
        t->offset = zone->offset;
        t->abbreviation = zone->abbreviation;
    }
    return t;
}

const struct tpl_time *tpl_time_now(struct tpl_arena *a)
{
    struct timespec ts = {0};

    clock_gettime(CLOCK_REALTIME, &ts);
    return tpl_time_new(a, ts.tv_sec, (int32_t)ts.tv_nsec, &tpl_zone_local);
}

const struct tpl_time *tpl_time_later(struct tpl_arena *a, const struct tpl_time *t, int64_t ns)
{
    enum { NS_IN_S = 1000000000 };
    int64_t sec = t->sec + ns / NS_IN_S, nsec = t->nsec + ns % NS_IN_S;

    if (nsec < 0 || nsec >= NS_IN_S) {
        sec += nsec < 0 ? -1 : 1;
        nsec += nsec < 0 ? NS_IN_S : -NS_IN_S;
    }
    return tpl_time_new(a, sec, (int32_t)nsec, t->zone);
}

bool tpl_time_same(const struct tpl_time *x, const struct tpl_time *y)
{
    return x->sec == y->sec && x->nsec == y->nsec && x->offset == y->offset;
}

struct tm tpl_time_fields(const struct tpl_time *t)
{
    time_t sec = (time_t)(t->sec + t->offset);
    struct tm tm = {0};

    gmtime_r(&sec, &tm);
    return tm;
}

coras_str tpl_time_go_string(struct tpl_arena *a, const struct tpl_time *t)
{
    struct tm tm = tpl_time_fields(t);
    struct tpl_text text = TPL_TEXT(a);

    tpl_printf(&text, "time.Date(%d, time.%s, %d, %d, %d, %d, %d, ", tm.tm_year + 1900,
               tpl_month_names[tm.tm_mon], tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
               (int)t->nsec);
    if (t->zone->kind == TPL_ZONE_UTC) {
        tpl_puts(&text, "time.UTC");
    } else if (t->zone->kind == TPL_ZONE_LOCAL) {
        tpl_puts(&text, "time.Local");
    } else {
        tpl_puts(&text, "time.Location(");
        tpl_put_quoted(&text, t->zone->abbreviation, '"', false);
        tpl_putc(&text, ')');
    }
    tpl_putc(&text, ')');
    return tpl_text_str(&text);
}

static bool good_zone_name(coras_str name)
{
    if (name.len == 0 || name.len > 100 || name.ptr[0] == '/' || name.ptr[0] == '\\' ||
        tpl_find(name, CORAS_STR("..")) != TPL_NOT_FOUND)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!coras_is_alnum(name.ptr[i]) && (!name.ptr[i] || !strchr("_-+/", name.ptr[i])))
            return false;
    return true;
}

/* A file of the zone database; empty when there is none that looks like one. */
static coras_str read_zone(struct tpl_arena *a, coras_str name)
{
    enum { LARGEST = 64 * 1024 };
    coras_str path = tpl_format(a, "/usr/share/zoneinfo/%.*s", (int)name.len, name.ptr);
    char *data = tpl_alloc(a, LARGEST);
    ssize_t n = -1;
    int fd = open(path.ptr, O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        n = read(fd, data, LARGEST);
        close(fd);
    }
    return n >= 44 && memcmp(data, "TZif", 4) == 0 ? (coras_str){data, (size_t)n} : CORAS_STR("");
}

const struct tpl_zone *tpl_zone_load(struct tpl_arena *a, coras_str name)
{
    struct tpl_zone *zone;
    coras_str data;

    if (name.len == 0 || coras_str_eq(name, "UTC"))
        return &tpl_zone_utc;
    if (coras_str_eq(name, "Local"))
        return &tpl_zone_local;
    if (!good_zone_name(name))
        return NULL;
    data = read_zone(a, name);
    if (data.len == 0)
        return NULL;
    zone = tpl_alloc(a, sizeof(*zone));
    zone->kind = TPL_ZONE_FILE;
    zone->data = data;
    return zone;
}

coras_str tpl_time_rfc3339(struct tpl_arena *a, const struct tpl_time *t)
{
    return tpl_time_format(a, t, CORAS_STR("2006-01-02T15:04:05.999999999Z07:00"));
}

coras_str tpl_time_value_string(struct tpl_arena *a, tpl_value v)
{
    switch ((enum tpl_kind)v.kind) {
    case TPL_TIME:
        return tpl_time_format(a, v.time, CORAS_STR("2006-01-02 15:04:05.999999999 -0700 MST"));
    case TPL_MONTH:
        if (v.i >= 1 && v.i <= 12)
            return coras_str_of(tpl_month_names[v.i - 1]);
        return tpl_format(a, "%%!Month(%lld)", (long long)v.i);
    case TPL_WEEKDAY:
        if (v.i >= 0 && v.i <= 6)
            return coras_str_of(tpl_weekday_names[v.i]);
        return tpl_format(a, "%%!Weekday(%lld)", (long long)v.i);
    default:
        return tpl_duration_string(a, v.i);
    }
}

/* ---- durations ---- */

/* n / unit with up to `digits` decimals, trailing zeros dropped. */
static void put_fraction(struct tpl_text *t, uint64_t n, uint64_t unit)
{
    char digits[24];
    int len = 0;

    tpl_printf(t, "%llu", (unsigned long long)(n / unit));
    n %= unit;
    for (uint64_t scale = unit / 10; n; scale /= 10) {
        digits[len++] = (char)('0' + n / scale);
        n %= scale;
    }
    if (len) {
        tpl_putc(t, '.');
        tpl_put(t, digits, (size_t)len);
    }
}

coras_str tpl_duration_string(struct tpl_arena *a, int64_t nanoseconds)
{
    const uint64_t us = 1000, ms = 1000 * us, s = 1000 * ms;
    uint64_t n = nanoseconds < 0 ? 0 - (uint64_t)nanoseconds : (uint64_t)nanoseconds;
    struct tpl_text t = TPL_TEXT(a);

    if (nanoseconds < 0)
        tpl_putc(&t, '-');
    if (n == 0) {
        tpl_puts(&t, "0s");
    } else if (n < us) {
        tpl_printf(&t, "%lluns", (unsigned long long)n);
    } else if (n < ms) {
        put_fraction(&t, n, us);
        tpl_puts(&t, "\xc2\xb5s");
    } else if (n < s) {
        put_fraction(&t, n, ms);
        tpl_puts(&t, "ms");
    } else {
        if (n >= 3600 * s)
            tpl_printf(&t, "%lluh", (unsigned long long)(n / (3600 * s)));
        if (n >= 60 * s)
            tpl_printf(&t, "%llum", (unsigned long long)(n / (60 * s) % 60));
        put_fraction(&t, n % (60 * s), s);
        tpl_putc(&t, 's');
    }
    return tpl_text_str(&t);
}

static coras_str complain(struct tpl_arena *a, const char *what, coras_str unit, coras_str s)
{
    struct tpl_text t = TPL_TEXT(a);

    tpl_puts(&t, "time: ");
    tpl_puts(&t, what);
    if (unit.len) {
        tpl_put_quoted(&t, unit, '"', false);
        tpl_putc(&t, ' ');
    }
    tpl_puts(&t, unit.len ? "in duration " : " ");
    tpl_put_quoted(&t, s, '"', false);
    return tpl_text_str(&t);
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

bool tpl_duration_parse(struct tpl_arena *a, coras_str s, int64_t *ret, coras_str *ret_problem)
{
    bool negative = s.len && s.ptr[0] == '-';
    size_t i = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+');
    long double total = 0;

    *ret = 0;
    if (coras_str_eq(tpl_sub(s, i, s.len), "0"))
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
        unit = unit_of(tpl_sub(s, from, i));
        if (i == from)
            *ret_problem = complain(a, "missing unit in duration", CORAS_STR(""), s);
        else if (unit == 0)
            *ret_problem = complain(a, "unknown unit ", tpl_sub(s, from, i), s);
        if (unit == 0)
            return false;
        total += n * unit;
        if (total >= 0x1p63L)
            return false;
    }
    *ret = negative ? -(int64_t)total : (int64_t)total;
    return true;
}
