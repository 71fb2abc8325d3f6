/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of referrers: what is read is written and read again as the same. */
#include "fuzz.h"

#include "base/buf.h"
#include "registry/referrers_index.h"

bool fuzz_one(const char *data, size_t len)
{
    coras_auto_value(coras_referrers_index) l = {0};
    coras_auto_value(coras_referrers_index) again = {0};
    coras_auto_buf out = CORAS_BUF_UNLIMITED;

    if (coras_referrers_index_parse(data, len, &l, NULL) < 0) {
        FUZZ_CHECK(l.entries.len == 0);
        return false;
    }
    FUZZ_CHECK(coras_referrers_index_write(&l, &out, NULL) == 0);
    FUZZ_CHECK(coras_referrers_index_parse(out.ptr, out.len, &again, NULL) == 0);
    FUZZ_CHECK(!again.cleaned && again.entries.len == l.entries.len);
    for (size_t i = 0; i < l.entries.len; i++)
        FUZZ_CHECK(coras_referrers_index_has(&again, &l.entries.items[i].digest));
    return true;
}
