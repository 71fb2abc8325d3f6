/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms: what is accepted has an OS and an architecture, and matches itself. */
#include "fuzz.h"

#include "oci/platform.h"

bool fuzz_one(const char *data, size_t len)
{
    coras_auto_value(coras_platform) p = {0};
    coras_auto_value(coras_platform) again = {0};
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    if (!fuzz_is_text(data, len) || coras_platform_parse(data, &p, NULL) < 0)
        return false;
    FUZZ_CHECK(*p.os && *p.architecture);
    FUZZ_CHECK(coras_platform_matches(&p, &p));
    coras_platform_put(&text, &p);
    FUZZ_CHECK(coras_platform_parse(text.ptr, &again, NULL) == 0);
    FUZZ_CHECK(coras_platform_matches(&again, &p) && coras_platform_matches(&p, &again));
    return true;
}
