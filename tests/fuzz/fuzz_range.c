/* SPDX-License-Identifier: Apache-2.0 */
/* Range and Content-Range of the server: what is accepted lies within the content. */
#include "fuzz.h"

#include "serve/http/ranges.h"

bool fuzz_one(const char *data, size_t len)
{
    static const int64_t sizes[] = {0, 1, 2048, INT64_MAX};
    struct serve_range r;
    bool any = false;

    if (!fuzz_is_text(data, len))
        return false;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(sizes); i++) {
        if (serve_range_parse(data, sizes[i], &r) != SERVE_RANGE_PART)
            continue;
        FUZZ_CHECK(r.first >= 0 && r.first <= r.last && r.last < sizes[i]);
        any = true;
    }
    if (serve_content_range_parse(data, &r)) {
        FUZZ_CHECK(r.first >= 0 && r.first <= r.last);
        any = true;
    }
    return any;
}
