/* Reading TZif files (RFC 9636): transitions, and the POSIX rule for the time after them. */
#include "gotemplate/times.h"

struct reader {
    const unsigned char *p;
    size_t len, pos;
};

static uint64_t take(struct reader *r, size_t bytes)
{
    uint64_t n = 0;

    if (bytes > r->len - r->pos) {
        r->pos = r->len;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        n = n << 8 | r->p[r->pos++];
    return n;
}

struct header {
    size_t ut, std, leap, times, types, chars;
};

static struct header take_header(struct reader *r)
{
    struct header h;

    r->pos += 20; /* magic, version, reserved */
    h.ut = (size_t)take(r, 4);
    h.std = (size_t)take(r, 4);
    h.leap = (size_t)take(r, 4);
    h.times = (size_t)take(r, 4);
    h.types = (size_t)take(r, 4);
    h.chars = (size_t)take(r, 4);
    return h;
}

static size_t body_size(const struct header *h, size_t time_size)
{
    return h->times * (time_size + 1) + h->types * 6 + h->chars + h->leap * (time_size + 4) +
           h->std + h->ut;
}

/* ---- the POSIX rule: EST5EDT,M3.2.0,M11.1.0 ---- */

struct rule {
    coras_str s;
    size_t pos;
};

static char peek(const struct rule *r)
{
    return r->pos < r->s.len ? r->s.ptr[r->pos] : '\0';
}

static coras_str rule_name(struct rule *r)
{
    size_t from = r->pos;

    if (peek(r) == '<') {
        from = ++r->pos;
        while (peek(r) && peek(r) != '>')
            r->pos++;
        r->pos += peek(r) == '>';
        return tpl_sub(r->s, from, r->pos - 1);
    }
    while ((peek(r) | 0x20) >= 'a' && (peek(r) | 0x20) <= 'z')
        r->pos++;
    return tpl_sub(r->s, from, r->pos);
}

static int rule_number(struct rule *r)
{
    int n = 0;

    while (coras_is_digit(peek(r)) && n < 100000)
        n = n * 10 + (r->s.ptr[r->pos++] - '0');
    return n;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static int rule_seconds(struct rule *r)
{
    int sign = peek(r) == '-' ? -1 : 1, n;

    if (peek(r) == '-' || peek(r) == '+')
        r->pos++;
    n = rule_number(r) * 3600;
    if (peek(r) == ':') {
        r->pos++;
        n += rule_number(r) * 60;
    }
    if (peek(r) == ':') {
        r->pos++;
        n += rule_number(r);
    }
    return sign * n;
}

/* Seconds since 1970, by local standard, at which the rule's change falls in a year. */
static int64_t rule_change(struct rule *r, int year)
{
    struct tm tm = {.tm_year = year - 1900, .tm_mday = 1};
    int64_t day, at = 2 * 3600;
    int month, week, weekday, first;

    if (peek(r) == ',')
        r->pos++;
    if (peek(r) == 'M') {
        r->pos++;
        month = rule_number(r);
        r->pos++;
        week = rule_number(r);
        r->pos++;
        weekday = rule_number(r);
        tm.tm_mon = month - 1;
        day = timegm(&tm) / 86400;
        first = (int)((weekday - tm.tm_wday + 7) % 7);
        day += first + 7 * (week - 1);
        tm = (struct tm){.tm_year = year - 1900, .tm_mon = month, .tm_mday = 1};
        while (day >= timegm(&tm) / 86400) /* week 5 is the last one */
            day -= 7;
    } else {
        bool no_leap = peek(r) == 'J';
        r->pos += no_leap;
        day = timegm(&tm) / 86400 + rule_number(r);
        if (no_leap) {
            int64_t start = timegm(&tm) / 86400;
            bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
            day -= !(leap && day - start >= 60);
        }
    }
    if (peek(r) == '/') {
        r->pos++;
        at = rule_seconds(r);
    }
    return day * 86400 + at;
}

static void apply_rule(coras_str s, int64_t sec, int *ret_offset, coras_str *ret_abbreviation)
{
    struct rule r = {.s = s};
    coras_str standard = rule_name(&r), summer;
    int offset = -rule_seconds(&r), summer_offset = offset + 3600;
    time_t local = (time_t)(sec + offset);
    struct tm tm = {0};
    int64_t start, end;
    bool is_summer;

    *ret_offset = offset;
    *ret_abbreviation = standard;
    if (r.pos >= s.len)
        return;
    summer = rule_name(&r);
    if (peek(&r) != ',' && peek(&r))
        summer_offset = -rule_seconds(&r);
    gmtime_r(&local, &tm);
    start = rule_change(&r, tm.tm_year + 1900) - offset;
    end = rule_change(&r, tm.tm_year + 1900) - summer_offset;
    is_summer = start < end ? sec >= start && sec < end : sec >= start || sec < end;
    if (is_summer) {
        *ret_offset = summer_offset;
        *ret_abbreviation = summer;
    }
}

void tpl_zone_file_lookup(struct tpl_arena *a, coras_str data, int64_t sec, int *ret_offset,
                          coras_str *ret_abbreviation)
{
    struct reader r = {.p = (const unsigned char *)data.ptr, .len = data.len};
    struct header h = take_header(&r);
    size_t times, types, name, found = 0, start;
    bool after_all = true;

    /* The second part has 64-bit times. */
    r.pos += body_size(&h, 4);
    if (data.ptr[4] < '2' || r.pos + 44 > r.len)
        return;
    h = take_header(&r);
    times = r.pos;
    if (h.types == 0 || body_size(&h, 8) > r.len - r.pos)
        return;
    for (size_t i = 0; i < h.times; i++) {
        if ((int64_t)take(&r, 8) > sec) {
            after_all = false;
            break;
        }
        found = i + 1;
    }
    r.pos = times + body_size(&h, 8) + 1;
    if (after_all && r.pos < r.len) {
        coras_str rule = tpl_sub(data, r.pos, r.len);
        size_t end = tpl_find(rule, CORAS_STR("\n"));
        if (end != TPL_NOT_FOUND && end > 0) {
            apply_rule(tpl_sub(rule, 0, end), sec, ret_offset, ret_abbreviation);
            *ret_abbreviation = tpl_dup(a, ret_abbreviation->ptr, ret_abbreviation->len);
            return;
        }
    }
    types = times + h.times * 9;
    start = found ? r.p[times + h.times * 8 + found - 1] : 0;
    r.pos = types + (start < h.types ? start : 0) * 6;
    *ret_offset = (int32_t)take(&r, 4);
    r.pos++;
    name = (size_t)take(&r, 1);
    name = types + h.types * 6 + (name < h.chars ? name : 0);
    *ret_abbreviation = tpl_dup(a, data.ptr + name, strnlen(data.ptr + name, data.len - name));
}
