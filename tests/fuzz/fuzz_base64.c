/* SPDX-License-Identifier: Apache-2.0 */
/* base64: what is decoded encodes to the same length, and canonical text to itself. */
#include "fuzz.h"

#include "codec/base64.h"

bool fuzz_one(const char *data, size_t len)
{
    coras_auto_buf bytes = CORAS_BUF_UNLIMITED;
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_auto_buf again = CORAS_BUF_UNLIMITED;

    if (!coras_base64_decode(&bytes, data, len))
        return false;
    coras_base64_put(&text, bytes.ptr, bytes.len);
    FUZZ_CHECK(text.len == len);
    FUZZ_CHECK(coras_base64_decode(&again, text.ptr, text.len));
    FUZZ_CHECK(again.len == bytes.len && memcmp(again.ptr, bytes.ptr, bytes.len) == 0);
    return true;
}
