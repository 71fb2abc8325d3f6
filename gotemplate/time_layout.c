/* Go's layouts: formatting and parsing by example. */
#include "gotemplate/times.h"

static const struct {
    const char *text;
    enum tpl_time_part part;
} parts[] = {
    /* Longer ones first where one starts another. */
    {"January", TPL_PART_LONG_MONTH},
    {"Jan", TPL_PART_MONTH},
    {"Monday", TPL_PART_LONG_WEEKDAY},
    {"Mon", TPL_PART_WEEKDAY},
    {"MST", TPL_PART_ZONE_NAME},
    {"002", TPL_PART_ZERO_YEAR_DAY},
    {"01", TPL_PART_ZERO_MONTH},
    {"02", TPL_PART_ZERO_DAY},
    {"03", TPL_PART_ZERO_HOUR12},
    {"04", TPL_PART_ZERO_MINUTE},
    {"05", TPL_PART_ZERO_SECOND},
    {"06", TPL_PART_YEAR},
    {"15", TPL_PART_HOUR},
    {"1", TPL_PART_NUM_MONTH},
    {"2006", TPL_PART_LONG_YEAR},
    {"2", TPL_PART_DAY},
    {"__2", TPL_PART_UNDER_YEAR_DAY},
    {"_2", TPL_PART_UNDER_DAY},
    {"3", TPL_PART_HOUR12},
    {"4", TPL_PART_MINUTE},
    {"5", TPL_PART_SECOND},
    {"PM", TPL_PART_PM},
    {"pm", TPL_PART_LOWER_PM},
    {"-070000", TPL_PART_OFFSET},
    {"-07:00:00", TPL_PART_OFFSET},
    {"-0700", TPL_PART_OFFSET},
    {"-07:00", TPL_PART_OFFSET},
    {"-07", TPL_PART_OFFSET},
    {"Z070000", TPL_PART_OFFSET},
    {"Z07:00:00", TPL_PART_OFFSET},
    {"Z0700", TPL_PART_OFFSET},
    {"Z07:00", TPL_PART_OFFSET},
    {"Z07", TPL_PART_OFFSET},
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

static enum tpl_time_part part_at(coras_str s, size_t *ret_len)
{
    *ret_len = fraction_length(s);
    if (*ret_len)
        return s.ptr[1] == '0' ? TPL_PART_FRACTION : TPL_PART_FRACTION9;
    if (tpl_has_prefix(s, "_2006")) { /* an underscore, then the year */
        *ret_len = 0;
        return TPL_PART_NONE;
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (!tpl_has_prefix(s, parts[i].text))
            continue;
        *ret_len = strlen(parts[i].text);
        if (parts[i].part == TPL_PART_MONTH && s.len > 3 && coras_is_lower(s.ptr[3]))
            continue; /* "Janet" */
        if (parts[i].part == TPL_PART_WEEKDAY && s.len > 3 && coras_is_lower(s.ptr[3]))
            continue;
        return parts[i].part;
    }
    return TPL_PART_NONE;
}

enum tpl_time_part tpl_layout_next(coras_str layout, coras_str *prefix, coras_str *text,
                                   coras_str *rest)
{
    for (size_t i = 0; i < layout.len; i++) {
        size_t len;
        enum tpl_time_part part = part_at(tpl_sub(layout, i, layout.len), &len);
        if (part == TPL_PART_NONE)
            continue;
        *prefix = tpl_sub(layout, 0, i);
        *text = tpl_sub(layout, i, i + len);
        *rest = tpl_sub(layout, i + len, layout.len);
        return part;
    }
    *prefix = layout;
    *text = *rest = CORAS_STR("");
    return TPL_PART_NONE;
}

static void put_offset(struct tpl_text *t, coras_str like, int offset)
{
    int minutes = offset / 60 % 60, seconds = offset % 60;
    bool colons = tpl_find(like, CORAS_STR(":")) != TPL_NOT_FOUND;
    size_t digits = like.len - 1 - (colons ? (like.len > 6 ? 2 : 1) : 0);

    if (like.ptr[0] == 'Z' && offset == 0) {
        tpl_putc(t, 'Z');
        return;
    }
    tpl_putc(t, offset < 0 ? '-' : '+');
    tpl_printf(t, "%02d", abs(offset) / 3600);
    if (digits >= 4)
        tpl_printf(t, colons ? ":%02d" : "%02d", abs(minutes));
    if (digits >= 6)
        tpl_printf(t, colons ? ":%02d" : "%02d", abs(seconds));
}

static void put_fraction(struct tpl_text *t, coras_str like, int32_t nsec, bool drop_zeros)
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
    tpl_putc(t, like.ptr[0]);
    tpl_put(t, digits, len);
}

static void put_zone_name(struct tpl_text *t, const struct tpl_time *at)
{
    if (at->abbreviation.len)
        tpl_put_str(t, at->abbreviation);
    else
        put_offset(t, CORAS_STR("-0700"), at->offset);
}

static void put_part(struct tpl_text *t, enum tpl_time_part part, coras_str like,
                     const struct tpl_time *at, const struct tm *tm)
{
    int year = tm->tm_year + 1900, hour12 = tm->tm_hour % 12 ? tm->tm_hour % 12 : 12;

    switch (part) {
    case TPL_PART_LONG_MONTH:
        tpl_puts(t, tpl_month_names[tm->tm_mon]);
        break;
    case TPL_PART_MONTH:
        tpl_put(t, tpl_month_names[tm->tm_mon], 3);
        break;
    case TPL_PART_LONG_WEEKDAY:
        tpl_puts(t, tpl_weekday_names[tm->tm_wday]);
        break;
    case TPL_PART_WEEKDAY:
        tpl_put(t, tpl_weekday_names[tm->tm_wday], 3);
        break;
    case TPL_PART_NUM_MONTH:
        tpl_printf(t, "%d", tm->tm_mon + 1);
        break;
    case TPL_PART_ZERO_MONTH:
        tpl_printf(t, "%02d", tm->tm_mon + 1);
        break;
    case TPL_PART_DAY:
        tpl_printf(t, "%d", tm->tm_mday);
        break;
    case TPL_PART_UNDER_DAY:
        tpl_printf(t, "%2d", tm->tm_mday);
        break;
    case TPL_PART_ZERO_DAY:
        tpl_printf(t, "%02d", tm->tm_mday);
        break;
    case TPL_PART_UNDER_YEAR_DAY:
        tpl_printf(t, "%3d", tm->tm_yday + 1);
        break;
    case TPL_PART_ZERO_YEAR_DAY:
        tpl_printf(t, "%03d", tm->tm_yday + 1);
        break;
    case TPL_PART_HOUR:
        tpl_printf(t, "%02d", tm->tm_hour);
        break;
    case TPL_PART_HOUR12:
        tpl_printf(t, "%d", hour12);
        break;
    case TPL_PART_ZERO_HOUR12:
        tpl_printf(t, "%02d", hour12);
        break;
    case TPL_PART_MINUTE:
        tpl_printf(t, "%d", tm->tm_min);
        break;
    case TPL_PART_ZERO_MINUTE:
        tpl_printf(t, "%02d", tm->tm_min);
        break;
    case TPL_PART_SECOND:
        tpl_printf(t, "%d", tm->tm_sec);
        break;
    case TPL_PART_ZERO_SECOND:
        tpl_printf(t, "%02d", tm->tm_sec);
        break;
    case TPL_PART_LONG_YEAR:
        tpl_printf(t, year < 0 ? "%05d" : "%04d", year);
        break;
    case TPL_PART_YEAR:
        tpl_printf(t, "%02d", abs(year) % 100);
        break;
    case TPL_PART_PM:
        tpl_puts(t, tm->tm_hour >= 12 ? "PM" : "AM");
        break;
    case TPL_PART_LOWER_PM:
        tpl_puts(t, tm->tm_hour >= 12 ? "pm" : "am");
        break;
    case TPL_PART_ZONE_NAME:
        put_zone_name(t, at);
        break;
    case TPL_PART_OFFSET:
        put_offset(t, like, at->offset);
        break;
    case TPL_PART_FRACTION:
    case TPL_PART_FRACTION9:
        put_fraction(t, like, at->nsec, part == TPL_PART_FRACTION9);
        break;
    case TPL_PART_NONE:
        break;
    }
}

coras_str tpl_time_format(struct tpl_arena *a, const struct tpl_time *at, coras_str layout)
{
    struct tpl_text t = TPL_TEXT(a);
    struct tm tm = tpl_time_fields(at);
    enum tpl_time_part part;
    coras_str prefix, text;

    do {
        part = tpl_layout_next(layout, &prefix, &text, &layout);
        tpl_put_str(&t, prefix);
        put_part(&t, part, text, at, &tm);
    } while (part != TPL_PART_NONE);
    return tpl_text_str(&t);
}
