/* SPDX-License-Identifier: Apache-2.0 */
/* References: the parts of what is accepted are valid and make up the text again. */
#include "fuzz.h"

#include "base/buf.h"
#include "coras/reference.h"

bool fuzz_one(const char *data, size_t len)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_reference r = {0}, again = {0};

    if (!fuzz_is_text(data, len))
        return false;
    (void)coras_media_type_is_valid(data);
    if (coras_reference_parse(data, &r, NULL) < 0) {
        FUZZ_CHECK(!r.registry && !r.repository && !r.reference);
        return false;
    }
    FUZZ_CHECK(coras_registry_validate(r.registry, NULL) == 0);
    FUZZ_CHECK(coras_repository_validate(r.repository, NULL) == 0);
    coras_buf_printf(&text, "%s/%s", r.registry, r.repository);
    if (r.reference)
        coras_buf_printf(&text, "%c%s", r.is_digest ? '@' : ':', r.reference);
    FUZZ_CHECK(coras_reference_parse(text.ptr, &again, NULL) == 0);
    FUZZ_CHECK(again.is_digest == r.is_digest && !again.reference == !r.reference);
    coras_reference_clear(&r);
    coras_reference_clear(&again);
    return true;
}
