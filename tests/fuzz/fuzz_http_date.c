/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP dates. */
#include "fuzz.h"

#include "codec/date.h"

bool fuzz_one(const char *data, size_t len)
{
    int64_t t = 0;

    return fuzz_is_text(data, len) && coras_parse_http_date(data, &t);
}
