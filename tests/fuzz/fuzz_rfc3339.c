/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 3339: what is accepted can be written as UTC and read again. */
#include "fuzz.h"

#include "codec/date.h"

bool fuzz_one(const char *data, size_t len)
{
    coras_auto(coras_error) err = NULL;
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    int64_t t, again;

    if (!fuzz_is_text(data, len))
        return false;
    if (coras_parse_rfc3339(data, &t, &err) < 0) {
        FUZZ_CHECK(strncmp(coras_error_message(err), "parsing time \"", 14) == 0);
        return false;
    }
    coras_format_rfc3339(&text, t);
    if (text.len == 20 && text.ptr[0] != '-') /* an offset may lead out of the years 0 to 9999 */
        FUZZ_CHECK(coras_parse_rfc3339(text.ptr, &again, NULL) == 0 && again == t);
    return true;
}
