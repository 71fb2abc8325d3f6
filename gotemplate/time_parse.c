/* SPDX-License-Identifier: Apache-2.0 */
/* Go's time.ParseInLocation, with its messages. */
#include "gotemplate/times.h"

struct parsed {
    int year, month, day, year_day; /* -1: not given */
    int hour, minute, second;
    int32_t nsec;
    bool pm, am, has_offset;
    int offset;
    coras_str zone_name;
};

struct time_reader {
    struct gotmpl_arena *a;
    coras_str layout, value; /* whole */
    coras_str rest;
    struct parsed t;
    const char *out_of_range;
};

static bool digits(coras_str *s, size_t least, size_t most, int *ret)
{
    size_t n = 0;
    int value = 0;

    while (n < s->len && n < most && coras_is_digit(s->ptr[n]))
        value = value * 10 + (s->ptr[n++] - '0');
    if (n < least)
        return false;
    *s = gotmpl_sub(*s, n, s->len);
    *ret = value;
    return true;
}

/* Months and weekdays match without regard to case. */
static bool take_name(coras_str *s, const char *const *names, int count, size_t len, int *ret)
{
    for (int i = 0; i < count; i++) {
        size_t n = len ? len : strlen(names[i]), k = 0;
        if (s->len < n)
            continue;
        while (k < n && (s->ptr[k] | 0x20) == (names[i][k] | 0x20))
            k++;
        if (k < n)
            continue;
        *s = gotmpl_sub(*s, n, s->len);
        *ret = i;
        return true;
    }
    return false;
}

static bool take_fraction(coras_str *s, size_t exactly, int32_t *ret)
{
    size_t n = 1;
    int32_t value = 0;

    if (s->len == 0 || (s->ptr[0] != '.' && s->ptr[0] != ','))
        return false;
    while (n < s->len && coras_is_digit(s->ptr[n]) && (!exactly || n <= exactly))
        n++;
    if (n == 1 || (exactly && n != exactly + 1))
        return false;
    for (size_t i = 1; i <= 9; i++)
        value = value * 10 + (i < n ? s->ptr[i] - '0' : 0);
    *s = gotmpl_sub(*s, n, s->len);
    *ret = value;
    return true;
}

static bool take_offset(struct time_reader *p, coras_str like)
{
    coras_str *s = &p->rest;
    bool colons = gotmpl_find(like, CORAS_STR(":")) != GOTMPL_NOT_FOUND;
    size_t want = like.len - 1 - (colons ? (like.len > 6 ? 2 : 1) : 0);
    int hours = 0, minutes = 0, seconds = 0, sign;

    p->t.has_offset = true;
    if (like.ptr[0] == 'Z' && s->len && s->ptr[0] == 'Z') {
        *s = gotmpl_sub(*s, 1, s->len);
        p->t.offset = 0;
        p->t.zone_name = CORAS_STR("UTC");
        return true;
    }
    if (s->len == 0 || (s->ptr[0] != '+' && s->ptr[0] != '-'))
        return false;
    sign = s->ptr[0] == '-' ? -1 : 1;
    *s = gotmpl_sub(*s, 1, s->len);
    if (!digits(s, 2, 2, &hours))
        return false;
    if (want >= 4) {
        if (colons && (s->len == 0 || s->ptr[0] != ':'))
            return false;
        *s = gotmpl_sub(*s, colons, s->len);
        if (!digits(s, 2, 2, &minutes))
            return false;
    }
    if (want >= 6) {
        if (colons && (s->len == 0 || s->ptr[0] != ':'))
            return false;
        *s = gotmpl_sub(*s, colons, s->len);
        if (!digits(s, 2, 2, &seconds))
            return false;
    }
    if (hours > 24)
        p->out_of_range = "time zone offset hour";
    else if (minutes > 60)
        p->out_of_range = "time zone offset minute";
    p->t.offset = sign * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

static bool take_zone_name(struct time_reader *p)
{
    size_t n = 0;

    while (n < p->rest.len && n < 6 && coras_is_upper(p->rest.ptr[n]))
        n++;
    if (n < 3 || n > 5)
        return false;
    p->t.zone_name = gotmpl_sub(p->rest, 0, n);
    p->rest = gotmpl_sub(p->rest, n, p->rest.len);
    return true;
}

static bool take_pm(struct time_reader *p, bool lower)
{
    char first = lower ? 'p' : 'P', other = lower ? 'a' : 'A', second = lower ? 'm' : 'M';

    if (p->rest.len < 2 || p->rest.ptr[1] != second ||
        (p->rest.ptr[0] != first && p->rest.ptr[0] != other))
        return false;
    p->t.pm = p->rest.ptr[0] == first;
    p->t.am = !p->t.pm;
    p->rest = gotmpl_sub(p->rest, 2, p->rest.len);
    return true;
}

static bool in_range(struct time_reader *p, int n, int low, int high, const char *what)
{
    if (n < low || n > high)
        p->out_of_range = what;
    return true;
}

static void skip_blanks(coras_str *s, size_t most)
{
    for (; most > 0 && s->len && s->ptr[0] == ' '; most--)
        *s = gotmpl_sub(*s, 1, s->len);
}

static bool take_date_part(struct time_reader *p, enum gotmpl_time_part part)
{
    int n;

    switch (part) {
    case GOTMPL_PART_YEAR:
        if (!digits(&p->rest, 2, 2, &n))
            return false;
        p->t.year = n >= 69 ? 1900 + n : 2000 + n;
        return true;
    case GOTMPL_PART_LONG_YEAR:
        return digits(&p->rest, 4, 4, &p->t.year);
    case GOTMPL_PART_MONTH:
    case GOTMPL_PART_LONG_MONTH:
        if (!take_name(&p->rest, gotmpl_month_names, 12, part == GOTMPL_PART_MONTH ? 3 : 0, &n))
            return false;
        p->t.month = n + 1;
        return true;
    case GOTMPL_PART_NUM_MONTH:
    case GOTMPL_PART_ZERO_MONTH:
        return digits(&p->rest, part == GOTMPL_PART_ZERO_MONTH ? 2 : 1, 2, &p->t.month) &&
               in_range(p, p->t.month, 1, 12, "month");
    case GOTMPL_PART_WEEKDAY:
    case GOTMPL_PART_LONG_WEEKDAY:
        return take_name(&p->rest, gotmpl_weekday_names, 7, part == GOTMPL_PART_WEEKDAY ? 3 : 0,
                         &n);
    case GOTMPL_PART_UNDER_DAY:
        skip_blanks(&p->rest, 1);
        return digits(&p->rest, 1, 2, &p->t.day);
    case GOTMPL_PART_DAY:
    case GOTMPL_PART_ZERO_DAY:
        return digits(&p->rest, part == GOTMPL_PART_ZERO_DAY ? 2 : 1, 2, &p->t.day);
    case GOTMPL_PART_UNDER_YEAR_DAY:
        skip_blanks(&p->rest, 2);
        return digits(&p->rest, 1, 3, &p->t.year_day);
    case GOTMPL_PART_ZERO_YEAR_DAY:
        return digits(&p->rest, 3, 3, &p->t.year_day);
    default:
        return false;
    }
}

static bool take_seconds(struct time_reader *p, enum gotmpl_time_part part)
{
    coras_str prefix, text, rest;
    enum gotmpl_time_part next = gotmpl_layout_next(p->layout, &prefix, &text, &rest);

    if (!digits(&p->rest, part == GOTMPL_PART_ZERO_SECOND ? 2 : 1, 2, &p->t.second))
        return false;
    in_range(p, p->t.second, 0, 59, "second");
    /* A fraction may follow although the layout has none. */
    if ((next != GOTMPL_PART_FRACTION && next != GOTMPL_PART_FRACTION9) || prefix.len)
        take_fraction(&p->rest, 0, &p->t.nsec);
    return true;
}

static bool take_part(struct time_reader *p, enum gotmpl_time_part part, coras_str like)
{
    switch (part) {
    case GOTMPL_PART_HOUR:
        return digits(&p->rest, 1, 2, &p->t.hour) && in_range(p, p->t.hour, 0, 23, "hour");
    case GOTMPL_PART_HOUR12:
    case GOTMPL_PART_ZERO_HOUR12:
        return digits(&p->rest, part == GOTMPL_PART_ZERO_HOUR12 ? 2 : 1, 2, &p->t.hour) &&
               in_range(p, p->t.hour, 0, 12, "hour");
    case GOTMPL_PART_MINUTE:
    case GOTMPL_PART_ZERO_MINUTE:
        return digits(&p->rest, part == GOTMPL_PART_ZERO_MINUTE ? 2 : 1, 2, &p->t.minute) &&
               in_range(p, p->t.minute, 0, 59, "minute");
    case GOTMPL_PART_SECOND:
    case GOTMPL_PART_ZERO_SECOND:
        return take_seconds(p, part);
    case GOTMPL_PART_PM:
    case GOTMPL_PART_LOWER_PM:
        return take_pm(p, part == GOTMPL_PART_LOWER_PM);
    case GOTMPL_PART_OFFSET:
        return take_offset(p, like);
    case GOTMPL_PART_ZONE_NAME:
        return take_zone_name(p);
    case GOTMPL_PART_FRACTION:
        return take_fraction(&p->rest, like.len - 1, &p->t.nsec);
    case GOTMPL_PART_FRACTION9:
        take_fraction(&p->rest, 0, &p->t.nsec);
        return true;
    default:
        return take_date_part(p, part);
    }
}

/* time.quote: everything but printable ASCII is \xNN. */
static void put_quoted(struct gotmpl_text *t, coras_str s)
{
    gotmpl_putc(t, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c >= 0x7f || c < ' ') {
            gotmpl_printf(t, "\\x%02x", c);
            continue;
        }
        if (c == '"' || c == '\\')
            gotmpl_putc(t, '\\');
        gotmpl_putc(t, (char)c);
    }
    gotmpl_putc(t, '"');
}

static coras_str cannot_parse(struct gotmpl_arena *a, coras_str layout, coras_str value,
                              coras_str left, coras_str wanted)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);

    gotmpl_puts(&t, "parsing time ");
    put_quoted(&t, value);
    gotmpl_puts(&t, " as ");
    put_quoted(&t, layout);
    gotmpl_puts(&t, ": cannot parse ");
    put_quoted(&t, left);
    gotmpl_puts(&t, " as ");
    put_quoted(&t, wanted);
    return gotmpl_text_str(&t);
}

static coras_str refuse(struct gotmpl_arena *a, coras_str value, const char *why, coras_str extra)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);

    gotmpl_puts(&t, "parsing time ");
    put_quoted(&t, value);
    gotmpl_puts(&t, why);
    if (extra.len)
        put_quoted(&t, extra);
    return gotmpl_text_str(&t);
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int month, int year)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Fill in what was not given; false when the day is impossible. */
static bool complete(struct parsed *t)
{
    if (t->pm && t->hour < 12)
        t->hour += 12;
    else if (t->am && t->hour == 12)
        t->hour = 0;
    if (t->year_day >= 0) {
        int month = 1, left = t->year_day;
        if (left < 1 || left > 365 + is_leap(t->year))
            return false;
        while (left > days_in(month, t->year))
            left -= days_in(month++, t->year);
        t->month = month;
        t->day = left;
    }
    t->month = t->month < 0 ? 1 : t->month;
    t->day = t->day < 0 ? 1 : t->day;
    return t->day >= 1 && t->day <= days_in(t->month, t->year);
}

static const struct gotmpl_time *build(struct gotmpl_arena *a, const struct parsed *p,
                                       const struct gotmpl_zone *zone)
{
    struct tm tm = {.tm_year = p->year - 1900,
                    .tm_mon = p->month - 1,
                    .tm_mday = p->day,
                    .tm_hour = p->hour,
                    .tm_min = p->minute,
                    .tm_sec = p->second};
    int64_t sec = timegm(&tm);
    const struct gotmpl_time *t;
    struct gotmpl_zone *fixed;

    if (p->has_offset || p->zone_name.len) {
        t = gotmpl_time_new(a, sec - p->offset, p->nsec, zone);
        if (p->has_offset && t->offset == p->offset &&
            (p->zone_name.len == 0 || gotmpl_str_same(p->zone_name, t->abbreviation)))
            return coras_str_eq(p->zone_name, "UTC")
                       ? gotmpl_time_new(a, t->sec, t->nsec, &gotmpl_zone_utc)
                       : t;
        if (coras_str_eq(p->zone_name, "UTC"))
            return gotmpl_time_new(a, sec - p->offset, p->nsec, &gotmpl_zone_utc);
        fixed = gotmpl_alloc(a, sizeof(*fixed));
        fixed->kind = GOTMPL_ZONE_FIXED;
        fixed->offset = p->offset;
        fixed->abbreviation = p->zone_name;
        return gotmpl_time_new(a, sec - p->offset, p->nsec, fixed);
    }
    /* The zone's offset at that wall clock: once by guess, once more across a change. */
    t = gotmpl_time_new(a, sec, p->nsec, zone);
    t = gotmpl_time_new(a, sec - t->offset, p->nsec, zone);
    return gotmpl_time_new(a, sec - t->offset, p->nsec, zone);
}

const struct gotmpl_time *gotmpl_time_parse(struct gotmpl_arena *a, coras_str layout,
                                            coras_str text, const struct gotmpl_zone *zone,
                                            coras_str *ret_problem)
{
    struct time_reader p = {.a = a,
                            .layout = layout,
                            .value = text,
                            .rest = text,
                            .t = {.month = -1, .day = -1, .year_day = -1}};

    for (;;) {
        coras_str prefix, like, hold;
        enum gotmpl_time_part part = gotmpl_layout_next(p.layout, &prefix, &like, &p.layout);
        hold = p.rest;
        if (p.rest.len < prefix.len ||
            !gotmpl_str_same(gotmpl_sub(p.rest, 0, prefix.len), prefix)) {
            *ret_problem = cannot_parse(a, layout, text, p.rest, prefix);
            return NULL;
        }
        p.rest = gotmpl_sub(p.rest, prefix.len, p.rest.len);
        if (part == GOTMPL_PART_NONE)
            break;
        hold = p.rest;
        if (!take_part(&p, part, like)) {
            *ret_problem = cannot_parse(a, layout, text, hold, like);
            return NULL;
        }
        if (p.out_of_range) {
            *ret_problem = refuse(
                a, text, gotmpl_format(a, ": %s out of range", p.out_of_range).ptr, CORAS_STR(""));
            return NULL;
        }
    }
    if (p.rest.len) {
        *ret_problem = refuse(a, text, ": extra text: ", p.rest);
        return NULL;
    }
    if (!complete(&p.t)) {
        *ret_problem =
            refuse(a, text, p.t.year_day >= 0 ? ": day-of-year out of range" : ": day out of range",
                   CORAS_STR(""));
        return NULL;
    }
    return build(a, &p.t, zone);
}
