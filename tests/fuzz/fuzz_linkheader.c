/* SPDX-License-Identifier: Apache-2.0 */
/* Link headers: what is found lies within the header, between its angle brackets. */
#include "fuzz.h"

#include "registry/link_header.h"

bool fuzz_one(const char *data, size_t len)
{
    coras_str link = {NULL, 0};

    if (!fuzz_is_text(data, len) || !coras_link_next(data, &link))
        return false;
    FUZZ_CHECK(link.ptr > data && link.ptr + link.len < data + len);
    FUZZ_CHECK(!memchr(link.ptr, '>', link.len));
    return true;
}
