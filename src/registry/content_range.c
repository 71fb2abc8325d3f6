/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parsers of content_range.h.
 */
#include "registry/content_range.h"

#include "base/str.h"

/* The digits at the start of *s, which moves behind them. */
static bool take_number(coras_str *s, int64_t *ret)
{
    size_t n = 0;

    while (n < s->len && coras_is_digit(s->ptr[n]))
        n++;
    if (!coras_parse_int64((coras_str){s->ptr, n}, ret))
        return false;
    s->ptr += n;
    s->len -= n;
    return true;
}

static bool take_char(coras_str *s, char c)
{
    if (!s->len || *s->ptr != c)
        return false;
    s->ptr++;
    s->len--;
    return true;
}

static void skip_prefix(coras_str *s, const char *prefix)
{
    size_t len = strlen(prefix);

    if (s->len >= len && memcmp(s->ptr, prefix, len) == 0) {
        s->ptr += len;
        s->len -= len;
    }
}

bool coras_content_range_parse(const char *header, struct coras_content_range *ret)
{
    coras_str s = coras_str_trim(coras_str_of(header));
    struct coras_content_range range = {.total = -1};
    size_t len = s.len;

    skip_prefix(&s, "bytes ");
    if (s.len == len)
        return false;
    s = coras_str_trim(s);
    if (!take_number(&s, &range.first) || !take_char(&s, '-') || !take_number(&s, &range.last) ||
        !take_char(&s, '/') || range.last < range.first)
        return false;
    if (!take_char(&s, '*') && (!take_number(&s, &range.total) || range.last >= range.total))
        return false;
    if (s.len)
        return false;
    *ret = range;
    return true;
}

bool coras_upload_range_parse(const char *header, int64_t *ret_last)
{
    coras_str s = coras_str_trim(coras_str_of(header));
    int64_t first, last;

    skip_prefix(&s, "bytes=");
    if (!take_number(&s, &first) || first != 0 || !take_char(&s, '-') || !take_number(&s, &last) ||
        s.len)
        return false;
    *ret_last = last;
    return true;
}
