/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading times (declared in clock.h): RFC 3339 the way Go's time.Parse does, and HTTP dates. No
 * locale, no library parser.
 */
#include "codec/date.h"

#include "base/error.h"
#include "base/str.h"

struct civil {
    int year, month, day, hour, minute, second;
    int offset_s; /* east of UTC */
    long nanosecond;
};

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static int64_t to_unix(const struct civil *c)
{
    int64_t y =
        c->year - (c->month <= 2); /* years that begin in March, so that leap days are last */
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (c->month + (c->month > 2 ? -3 : 9)) + 2) / 5 + c->day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    int64_t days = era * 146097 + day_of_era - 719468;

    return days * 86400 + c->hour * 3600 + c->minute * 60 + c->second - c->offset_s;
}

/* ---- RFC 3339 ---- */

#define GO_LAYOUT "2006-01-02T15:04:05Z07:00"

struct time_parser {
    const char *whole; /* for messages */
    const char *at;
    coras_error **err;
};

/* Go's time.quote: not %q, every byte outside printable ASCII is \xNN. */
static void put_time_quoted(coras_buf *b, const char *s)
{
    coras_buf_putc(b, '"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            coras_buf_printf(b, "\\%c", c);
        else if (c < ' ' || c >= 0x80)
            coras_buf_printf(b, "\\x%02x", c);
        else
            coras_buf_putc(b, (char)c);
    }
    coras_buf_putc(b, '"');
}

static int fail_with(struct time_parser *p, coras_buf *text)
{
    CORAS_TRY(coras_buf_done(text, p->err));
    return coras_fail(p->err, CORAS_ERR_INVALID_ARGUMENT, "%s", text->ptr);
}

static int cannot_parse(struct time_parser *p, const char *value, const char *layout)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    coras_buf_puts(&text, "parsing time ");
    put_time_quoted(&text, p->whole);
    coras_buf_puts(&text, " as \"" GO_LAYOUT "\": cannot parse ");
    put_time_quoted(&text, value);
    coras_buf_printf(&text, " as \"%s\"", layout);
    return fail_with(p, &text);
}

/* `what` ends the message after the text; `extra` is quoted behind it when not NULL. */
static int bad_time(struct time_parser *p, const char *what, const char *extra)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    coras_buf_puts(&text, "parsing time ");
    put_time_quoted(&text, p->whole);
    coras_buf_puts(&text, what);
    if (extra)
        put_time_quoted(&text, extra);
    return fail_with(p, &text);
}

static int expect(struct time_parser *p, char c)
{
    const char layout[] = {c, '\0'};

    if (*p->at != c)
        return cannot_parse(p, p->at, layout);
    p->at++;
    return 0;
}

/* One or two digits (`fixed`: two); false leaves the position. */
static bool take_number(const char **at, bool fixed, int *ret)
{
    const char *s = *at;

    if (!coras_is_digit(s[0]) || (fixed && !coras_is_digit(s[1])))
        return false;
    *ret = s[0] - '0';
    *at = s + 1;
    if (coras_is_digit(s[1])) {
        *ret = *ret * 10 + (s[1] - '0');
        *at = s + 2;
    }
    return true;
}

static int parse_year(struct time_parser *p, int *ret)
{
    *ret = 0;
    for (int i = 0; i < 4; i++) {
        if (!coras_is_digit(p->at[i]))
            return cannot_parse(p, p->at, "2006");
        *ret = *ret * 10 + (p->at[i] - '0');
    }
    p->at += 4;
    return 0;
}

struct time_field {
    const char *layout;
    const char *range_message; /* NULL: checked later */
    int min, max;
    bool fixed;
};

static int parse_field(struct time_parser *p, const struct time_field *field, int *ret)
{
    if (!take_number(&p->at, field->fixed, ret))
        return cannot_parse(p, p->at, field->layout);
    if (field->range_message && (*ret < field->min || *ret > field->max))
        return bad_time(p, field->range_message, NULL);
    return 0;
}

/* What is beyond nanoseconds is dropped. */
static void take_fraction(struct time_parser *p, long *ret_ns)
{
    long unit = 100000000;

    if ((*p->at != '.' && *p->at != ',') || !coras_is_digit(p->at[1]))
        return;
    for (p->at++; coras_is_digit(*p->at); p->at++, unit /= 10)
        *ret_ns += (*p->at - '0') * unit;
}

/* "Z" or "+hh:mm". Go looks at the ranges before it complains about what is no number. */
static int parse_zone(struct time_parser *p, int *ret_offset_s)
{
    const char *zone = p->at, *hours = zone + 1, *minutes;
    int hour = 0, minute = 0;
    bool valid;

    *ret_offset_s = 0;
    if (*zone == 'Z') {
        p->at++;
        return 0;
    }
    if (strlen(zone) < 6 || zone[3] != ':')
        return cannot_parse(p, zone, "Z07:00");
    minutes = zone + 4;
    p->at = zone + 6;
    valid = take_number(&hours, true, &hour) && take_number(&minutes, true, &minute) &&
            (*zone == '+' || *zone == '-');
    if (minute > 60)
        return bad_time(p, ": time zone offset minute out of range", NULL);
    if (hour > 24)
        return bad_time(p, ": time zone offset hour out of range", NULL);
    if (!valid)
        return cannot_parse(p, zone, "Z07:00");
    *ret_offset_s = (hour * 60 + minute) * 60 * (*zone == '-' ? -1 : 1);
    return 0;
}

static int parse_civil(const char *s, struct civil *ret, coras_error **err)
{
    static const struct time_field month = {"01", ": month out of range", 1, 12, true};
    static const struct time_field day = {"02", NULL, 0, 0, true};
    static const struct time_field hour = {"15", ": hour out of range", 0, 23, false};
    static const struct time_field minute = {"04", ": minute out of range", 0, 59, true};
    static const struct time_field second = {"05", ": second out of range", 0, 59, true};
    struct time_parser p = {s, s, err};
    struct civil c = {0};

    CORAS_TRY(parse_year(&p, &c.year));
    CORAS_TRY(expect(&p, '-'));
    CORAS_TRY(parse_field(&p, &month, &c.month));
    CORAS_TRY(expect(&p, '-'));
    CORAS_TRY(parse_field(&p, &day, &c.day));
    CORAS_TRY(expect(&p, 'T'));
    CORAS_TRY(parse_field(&p, &hour, &c.hour));
    CORAS_TRY(expect(&p, ':'));
    CORAS_TRY(parse_field(&p, &minute, &c.minute));
    CORAS_TRY(expect(&p, ':'));
    CORAS_TRY(parse_field(&p, &second, &c.second));
    take_fraction(&p, &c.nanosecond);
    CORAS_TRY(parse_zone(&p, &c.offset_s));
    if (*p.at)
        return bad_time(&p, ": extra text: ", p.at);
    if (c.day < 1 || c.day > days_in(c.year, c.month))
        return bad_time(&p, ": day out of range", NULL);
    *ret = c;
    return 0;
}

int coras_parse_rfc3339(const char *s, int64_t *ret_wall_s, coras_error **err)
{
    struct civil c;

    CORAS_TRY(parse_civil(s, &c, err));
    *ret_wall_s = to_unix(&c);
    return 0;
}

int coras_parse_rfc3339_exact(const char *s, struct timespec *ret, coras_error **err)
{
    struct civil c;

    CORAS_TRY(parse_civil(s, &c, err));
    *ret = (struct timespec){.tv_sec = to_unix(&c), .tv_nsec = c.nanosecond};
    return 0;
}

/* ---- HTTP dates (RFC 9110, 5.6.7) ---- */

/*
 * Patterns: D two-digit day, _ day padded with a blank, Y four- and y two-digit year, M month name,
 * H I S time of day; w one weekday name cut to three letters, W a whole one; others literally.
 */
static const char *const http_patterns[] = {
    "w, D M Y H:I:S GMT", /* IMF-fixdate */
    "W, D-M-y H:I:S GMT", /* RFC 850 */
    "w M _ H:I:S Y",      /* asctime */
};

static const char *const day_names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};

static size_t day_name_len(const char *s, bool whole)
{
    for (size_t i = 0; i < CORAS_ARRAY_LEN(day_names); i++) {
        size_t len = whole ? strlen(day_names[i]) : 3;
        if (strncmp(s, day_names[i], len) == 0)
            return len;
    }
    return 0;
}

static bool take_month(const char **at, int *ret)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int i = 0; i < 12; i++) {
        if (strncmp(*at, names + 3 * i, 3) == 0) {
            *at += 3;
            *ret = i + 1;
            return true;
        }
    }
    return false;
}

static bool take_day_name(const char **at, bool whole)
{
    size_t len = day_name_len(*at, whole);

    *at += len;
    return len > 0;
}

static bool take_year(const char **at, bool two_digits, int *ret)
{
    int high, low;

    if (two_digits) {
        if (!take_number(at, true, &low))
            return false;
        *ret = low < 69 ? 2000 + low : 1900 + low; /* as POSIX and Go do */
        return true;
    }
    if (!take_number(at, true, &high) || !take_number(at, true, &low))
        return false;
    *ret = high * 100 + low;
    return true;
}

static bool take_element(char element, const char **at, struct civil *c)
{
    switch (element) {
    case 'w':
    case 'W':
        return take_day_name(at, element == 'W');
    case 'D':
        return take_number(at, true, &c->day);
    case '_':
        *at += **at == ' ';
        return take_number(at, false, &c->day);
    case 'M':
        return take_month(at, &c->month);
    case 'Y':
    case 'y':
        return take_year(at, element == 'y', &c->year);
    case 'H':
        return take_number(at, true, &c->hour);
    case 'I':
        return take_number(at, true, &c->minute);
    case 'S':
        return take_number(at, true, &c->second);
    default:
        return *(*at)++ == element;
    }
}

static bool match_http_date(const char *s, const char *pattern, struct civil *c)
{
    *c = (struct civil){0};
    for (; *pattern; pattern++) {
        /* "GMT" stands for itself; its letters are no elements except M. */
        if (strcmp(pattern, "GMT") == 0)
            return strcmp(s, "GMT") == 0;
        if (*s == '\0' || !take_element(*pattern, &s, c))
            return false;
    }
    return *s == '\0';
}

bool coras_parse_http_date(const char *s, int64_t *ret_wall_s)
{
    struct civil c;

    for (size_t i = 0; i < CORAS_ARRAY_LEN(http_patterns); i++) {
        if (!match_http_date(s, http_patterns[i], &c))
            continue;
        if (c.day < 1 || c.day > days_in(c.year, c.month) || c.hour > 23 || c.minute > 59 ||
            c.second > 60) /* 60: a leap second */
            return false;
        *ret_wall_s = to_unix(&c);
        return true;
    }
    return false;
}
