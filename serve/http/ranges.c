/* SPDX-License-Identifier: Apache-2.0 */
/* Range headers as numbers. */
#include "serve/http/ranges.h"

#include "base/str.h"

/* More digits than any size has: the position lies beyond every content, whatever its value. */
static bool parse_position(coras_str text, int64_t *ret)
{
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!coras_is_digit(text.ptr[i]))
            return false;
    }
    if (!coras_parse_int64(text, ret))
        *ret = INT64_MAX;
    return true;
}

static enum serve_range_kind suffix_range(int64_t count, int64_t size, struct serve_range *ret)
{
    if (count == 0 || size == 0)
        return SERVE_RANGE_UNSATISFIABLE;
    *ret = (struct serve_range){count < size ? size - count : 0, size - 1};
    return SERVE_RANGE_PART;
}

enum serve_range_kind serve_range_parse(const char *header, int64_t size, struct serve_range *ret)
{
    int64_t first = 0, last = INT64_MAX;
    coras_str spec, left, right;
    const char *dash;

    if (!header || !coras_str_starts(header, "bytes="))
        return SERVE_RANGE_WHOLE;
    spec = coras_str_trim(coras_str_of(header + strlen("bytes=")));
    dash = memchr(spec.ptr, '-', spec.len);
    if (!dash || memchr(spec.ptr, ',', spec.len))
        return SERVE_RANGE_WHOLE;
    left = (coras_str){spec.ptr, (size_t)(dash - spec.ptr)};
    right = (coras_str){dash + 1, spec.len - left.len - 1};
    if (right.len > 0 && !parse_position(right, &last))
        return SERVE_RANGE_WHOLE;
    if (left.len == 0)
        return right.len == 0 ? SERVE_RANGE_WHOLE : suffix_range(last, size, ret);
    if (!parse_position(left, &first))
        return SERVE_RANGE_WHOLE;
    if (first > last || first >= size)
        return SERVE_RANGE_UNSATISFIABLE;
    *ret = (struct serve_range){first, last < size ? last : size - 1};
    return SERVE_RANGE_PART;
}

bool serve_content_range_parse(const char *header, struct serve_range *ret)
{
    const char *dash = strchr(header, '-');
    struct serve_range range;

    if (!dash || !coras_parse_int64((coras_str){header, (size_t)(dash - header)}, &range.first) ||
        !coras_parse_int64(coras_str_of(dash + 1), &range.last) || range.first > range.last)
        return false;
    *ret = range;
    return true;
}
