/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moments as text, in the forms that manifests and archives want (declared in date.h).
 */
#include "codec/date.h"

#include <stdlib.h>

#define NS_PER_S 1000000000L

static void put_date_time(coras_buf *out, const struct tm *tm)
{
    coras_buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d", tm->tm_year + 1900, tm->tm_mon + 1,
                     tm->tm_mday, tm->tm_hour, tm->tm_min, tm->tm_sec);
}

void coras_format_rfc3339(coras_buf *out, int64_t wall_s)
{
    time_t t = (time_t)wall_s;
    struct tm tm = {.tm_mday = 1, .tm_year = 70};

    (void)gmtime_r(&t, &tm); /* fails only beyond the year 2^31 */
    put_date_time(out, &tm);
    coras_buf_putc(out, 'Z');
}

static void put_fraction(coras_buf *out, long ns)
{
    int digits = 9;

    if (ns <= 0 || ns >= NS_PER_S)
        return;
    for (; ns % 10 == 0; ns /= 10)
        digits--;
    coras_buf_printf(out, ".%0*ld", digits, ns);
}

void coras_format_rfc3339_nano(coras_buf *out, const struct timespec *ts)
{
    struct tm tm = {.tm_mday = 1, .tm_year = 70};
    long offset_min;

    (void)localtime_r(&ts->tv_sec, &tm);
    put_date_time(out, &tm);
    put_fraction(out, ts->tv_nsec);
    offset_min = tm.tm_gmtoff / 60;
    if (offset_min == 0)
        coras_buf_putc(out, 'Z');
    else
        coras_buf_printf(out, "%c%02ld:%02ld", offset_min < 0 ? '-' : '+', labs(offset_min) / 60,
                         labs(offset_min) % 60);
}
