/* SPDX-License-Identifier: Apache-2.0 */
/* Content-Range of downloads and Range of uploads: only ranges that make sense come out. */
#include "fuzz.h"

#include "registry/content_range.h"

bool fuzz_one(const char *data, size_t len)
{
    struct coras_content_range range;
    int64_t last = -1;
    bool known = false;

    if (!fuzz_is_text(data, len))
        return false;
    if (coras_content_range_parse(data, &range)) {
        FUZZ_CHECK(range.first >= 0 && range.first <= range.last);
        FUZZ_CHECK(range.total == -1 || range.last < range.total);
        known = true;
    }
    if (coras_upload_range_parse(data, &last)) {
        FUZZ_CHECK(last >= 0);
        known = true;
    }
    return known;
}
