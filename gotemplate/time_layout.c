/* SPDX-License-Identifier: Apache-2.0 */
/* Go's layouts: formatting and parsing by example. */
#include "gotemplate/times.h"

static const struct {
    const char *text;
    enum gotmpl_time_part part;
} parts[] = {
    /* Longer ones first where one starts another. */
    {"January", GOTMPL_PART_LONG_MONTH},
    {"Jan", GOTMPL_PART_MONTH},
    {"Monday", GOTMPL_PART_LONG_WEEKDAY},
    {"Mon", GOTMPL_PART_WEEKDAY},
    {"MST", GOTMPL_PART_ZONE_NAME},
    {"002", GOTMPL_PART_ZERO_YEAR_DAY},
    {"01", GOTMPL_PART_ZERO_MONTH},
    {"02", GOTMPL_PART_ZERO_DAY},
    {"03", GOTMPL_PART_ZERO_HOUR12},
    {"04", GOTMPL_PART_ZERO_MINUTE},
    {"05", GOTMPL_PART_ZERO_SECOND},
    {"06", GOTMPL_PART_YEAR},
    {"15", GOTMPL_PART_HOUR},
    {"1", GOTMPL_PART_NUM_MONTH},
    {"2006", GOTMPL_PART_LONG_YEAR},
    {"2", GOTMPL_PART_DAY},
    {"__2", GOTMPL_PART_UNDER_YEAR_DAY},
    {"_2", GOTMPL_PART_UNDER_DAY},
    {"3", GOTMPL_PART_HOUR12},
    {"4", GOTMPL_PART_MINUTE},
    {"5", GOTMPL_PART_SECOND},
    {"PM", GOTMPL_PART_PM},
    {"pm", GOTMPL_PART_LOWER_PM},
    {"-070000", GOTMPL_PART_OFFSET},
    {"-07:00:00", GOTMPL_PART_OFFSET},
    {"-0700", GOTMPL_PART_OFFSET},
    {"-07:00", GOTMPL_PART_OFFSET},
    {"-07", GOTMPL_PART_OFFSET},
    {"Z070000", GOTMPL_PART_OFFSET},
    {"Z07:00:00", GOTMPL_PART_OFFSET},
    {"Z0700", GOTMPL_PART_OFFSET},
    {"Z07:00", GOTMPL_PART_OFFSET},
    {"Z07", GOTMPL_PART_OFFSET},
};

/* .000 or ,999 that no digit follows; its length or 0. */
static size_t fraction_length(coras_str s)
{
    size_t end = 1;

    if (s.len < 2 || (s.ptr[0] != '.' && s.ptr[0] != ',') || (s.ptr[1] != '0' && s.ptr[1] != '9'))
        return 0;
    while (end < s.len && s.ptr[end] == s.ptr[1])
        end++;
    return end < s.len && coras_is_digit(s.ptr[end]) ? 0 : end;
}

static enum gotmpl_time_part part_at(coras_str s, size_t *ret_len)
{
    *ret_len = fraction_length(s);
    if (*ret_len)
        return s.ptr[1] == '0' ? GOTMPL_PART_FRACTION : GOTMPL_PART_FRACTION9;
    if (gotmpl_has_prefix(s, "_2006")) { /* an underscore, then the year */
        *ret_len = 0;
        return GOTMPL_PART_NONE;
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (!gotmpl_has_prefix(s, parts[i].text))
            continue;
        *ret_len = strlen(parts[i].text);
        if (parts[i].part == GOTMPL_PART_MONTH && s.len > 3 && coras_is_lower(s.ptr[3]))
            continue; /* "Janet" */
        if (parts[i].part == GOTMPL_PART_WEEKDAY && s.len > 3 && coras_is_lower(s.ptr[3]))
            continue;
        return parts[i].part;
    }
    return GOTMPL_PART_NONE;
}

enum gotmpl_time_part gotmpl_layout_next(coras_str layout, coras_str *prefix, coras_str *text,
                                         coras_str *rest)
{
    for (size_t i = 0; i < layout.len; i++) {
        size_t len;
        enum gotmpl_time_part part = part_at(gotmpl_sub(layout, i, layout.len), &len);
        if (part == GOTMPL_PART_NONE)
            continue;
        *prefix = gotmpl_sub(layout, 0, i);
        *text = gotmpl_sub(layout, i, i + len);
        *rest = gotmpl_sub(layout, i + len, layout.len);
        return part;
    }
    *prefix = layout;
    *text = *rest = CORAS_STR("");
    return GOTMPL_PART_NONE;
}

static void put_offset(struct gotmpl_text *t, coras_str like, int offset)
{
    int minutes = offset / 60 % 60, seconds = offset % 60;
    bool colons = gotmpl_find(like, CORAS_STR(":")) != GOTMPL_NOT_FOUND;
    size_t digits = like.len - 1 - (colons ? (like.len > 6 ? 2 : 1) : 0);

    if (like.ptr[0] == 'Z' && offset == 0) {
        gotmpl_putc(t, 'Z');
        return;
    }
    gotmpl_putc(t, offset < 0 ? '-' : '+');
    gotmpl_printf(t, "%02d", abs(offset) / 3600);
    if (digits >= 4)
        gotmpl_printf(t, colons ? ":%02d" : "%02d", abs(minutes));
    if (digits >= 6)
        gotmpl_printf(t, colons ? ":%02d" : "%02d", abs(seconds));
}

static void put_fraction(struct gotmpl_text *t, coras_str like, int32_t nsec, bool drop_zeros)
{
    char digits[16];
    size_t len = like.len - 1;

    snprintf(digits, sizeof(digits), "%09d", (int)nsec);
    if (len > 9)
        len = 9;
    while (drop_zeros && len > 0 && digits[len - 1] == '0')
        len--;
    if (len == 0)
        return;
    gotmpl_putc(t, like.ptr[0]);
    gotmpl_put(t, digits, len);
}

static void put_zone_name(struct gotmpl_text *t, const struct gotmpl_time *at)
{
    if (at->abbreviation.len)
        gotmpl_put_str(t, at->abbreviation);
    else
        put_offset(t, CORAS_STR("-0700"), at->offset);
}

static void put_part(struct gotmpl_text *t, enum gotmpl_time_part part, coras_str like,
                     const struct gotmpl_time *at, const struct tm *tm)
{
    int year = tm->tm_year + 1900, hour12 = tm->tm_hour % 12 ? tm->tm_hour % 12 : 12;

    switch (part) {
    case GOTMPL_PART_LONG_MONTH:
        gotmpl_puts(t, gotmpl_month_names[tm->tm_mon]);
        break;
    case GOTMPL_PART_MONTH:
        gotmpl_put(t, gotmpl_month_names[tm->tm_mon], 3);
        break;
    case GOTMPL_PART_LONG_WEEKDAY:
        gotmpl_puts(t, gotmpl_weekday_names[tm->tm_wday]);
        break;
    case GOTMPL_PART_WEEKDAY:
        gotmpl_put(t, gotmpl_weekday_names[tm->tm_wday], 3);
        break;
    case GOTMPL_PART_NUM_MONTH:
        gotmpl_printf(t, "%d", tm->tm_mon + 1);
        break;
    case GOTMPL_PART_ZERO_MONTH:
        gotmpl_printf(t, "%02d", tm->tm_mon + 1);
        break;
    case GOTMPL_PART_DAY:
        gotmpl_printf(t, "%d", tm->tm_mday);
        break;
    case GOTMPL_PART_UNDER_DAY:
        gotmpl_printf(t, "%2d", tm->tm_mday);
        break;
    case GOTMPL_PART_ZERO_DAY:
        gotmpl_printf(t, "%02d", tm->tm_mday);
        break;
    case GOTMPL_PART_UNDER_YEAR_DAY:
        gotmpl_printf(t, "%3d", tm->tm_yday + 1);
        break;
    case GOTMPL_PART_ZERO_YEAR_DAY:
        gotmpl_printf(t, "%03d", tm->tm_yday + 1);
        break;
    case GOTMPL_PART_HOUR:
        gotmpl_printf(t, "%02d", tm->tm_hour);
        break;
    case GOTMPL_PART_HOUR12:
        gotmpl_printf(t, "%d", hour12);
        break;
    case GOTMPL_PART_ZERO_HOUR12:
        gotmpl_printf(t, "%02d", hour12);
        break;
    case GOTMPL_PART_MINUTE:
        gotmpl_printf(t, "%d", tm->tm_min);
        break;
    case GOTMPL_PART_ZERO_MINUTE:
        gotmpl_printf(t, "%02d", tm->tm_min);
        break;
    case GOTMPL_PART_SECOND:
        gotmpl_printf(t, "%d", tm->tm_sec);
        break;
    case GOTMPL_PART_ZERO_SECOND:
        gotmpl_printf(t, "%02d", tm->tm_sec);
        break;
    case GOTMPL_PART_LONG_YEAR:
        gotmpl_printf(t, year < 0 ? "%05d" : "%04d", year);
        break;
    case GOTMPL_PART_YEAR:
        gotmpl_printf(t, "%02d", abs(year) % 100);
        break;
    case GOTMPL_PART_PM:
        gotmpl_puts(t, tm->tm_hour >= 12 ? "PM" : "AM");
        break;
    case GOTMPL_PART_LOWER_PM:
        gotmpl_puts(t, tm->tm_hour >= 12 ? "pm" : "am");
        break;
    case GOTMPL_PART_ZONE_NAME:
        put_zone_name(t, at);
        break;
    case GOTMPL_PART_OFFSET:
        put_offset(t, like, at->offset);
        break;
    case GOTMPL_PART_FRACTION:
    case GOTMPL_PART_FRACTION9:
        put_fraction(t, like, at->nsec, part == GOTMPL_PART_FRACTION9);
        break;
    case GOTMPL_PART_NONE:
        break;
    }
}

coras_str gotmpl_time_format(struct gotmpl_arena *a, const struct gotmpl_time *at, coras_str layout)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);
    struct tm tm = gotmpl_time_fields(at);
    enum gotmpl_time_part part;
    coras_str prefix, text;

    do {
        part = gotmpl_layout_next(layout, &prefix, &text, &layout);
        gotmpl_put_str(&t, prefix);
        put_part(&t, part, text, at, &tm);
    } while (part != GOTMPL_PART_NONE);
    return gotmpl_text_str(&t);
}
