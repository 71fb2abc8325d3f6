/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wording sizes, durations and short digests.
 */
#include "cli/output/text.h"

#include <math.h>
#include <string.h>

#define BASE      1024.0
#define NS_PER_US 1000LL
#define NS_PER_MS 1000000LL
#define NS_PER_S  1000000000LL

static double round_size(double n)
{
    if (n < 10)
        return round(n * 100) / 100;
    if (n < 100)
        return round(n * 10) / 10;
    return round(n);
}

char *short_digest(const coras_digest *d, char *text)
{
    enum { SHOWN_DIGITS = 12 };

    coras_digest_format(d, text);
    if (d->algorithm != CORAS_SHA256)
        return text;
    memmove(text, strchr(text, ':') + 1, SHOWN_DIGITS);
    text[SHOWN_DIGITS] = '\0';
    return text;
}

struct human_size human_size_of(double bytes)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
    size_t unit = 0;
    double divisor = 1;
    while (bytes / divisor >= BASE && unit + 1 < CORAS_ARRAY_LEN(units)) {
        divisor *= BASE;
        unit++;
    }
    return (struct human_size){unit ? round_size(bytes / divisor) : bytes, units[unit], divisor};
}

void put_size(coras_buf *out, int64_t bytes)
{
    struct human_size size = human_size_of((double)bytes);
    coras_buf_printf(out, "%.15g %2s", size.number, size.unit);
}

static int64_t round_to(int64_t n, int64_t unit)
{
    return (n + unit / 2) / unit * unit;
}

static void put_seconds(coras_buf *out, int64_t seconds)
{
    int64_t hours = seconds / 3600, minutes = seconds / 60 % 60;
    if (hours)
        coras_buf_printf(out, "%lldh", (long long)hours);
    if (hours || minutes)
        coras_buf_printf(out, "%lldm", (long long)minutes);
    coras_buf_printf(out, "%llds", (long long)(seconds % 60));
}

void put_duration(coras_buf *out, int64_t ns)
{
    if (ns > NS_PER_S)
        ns = round_to(ns, NS_PER_S);
    else if (ns > NS_PER_MS)
        ns = round_to(ns, NS_PER_MS);
    else
        ns = round_to(ns, NS_PER_US);
    if (ns >= NS_PER_S || ns == 0)
        put_seconds(out, ns / NS_PER_S);
    else if (ns % NS_PER_MS == 0)
        coras_buf_printf(out, "%lldms", (long long)(ns / NS_PER_MS));
    else if (ns >= NS_PER_MS)
        coras_buf_printf(out, "%.6gms", (double)ns / NS_PER_MS);
    else
        coras_buf_printf(out, "%lld\u00b5s", (long long)(ns / NS_PER_US));
}
