/* SPDX-License-Identifier: Apache-2.0 */
/* Text for people: escaped text is valid UTF-8 without control characters, whatever came in. */
#include "fuzz.h"

#include "codec/json.h"
#include "base/str.h"
#include "gospell/quote.h"

bool fuzz_one(const char *data, size_t len)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;
    coras_auto_buf quoted = CORAS_BUF_UNLIMITED;
    coras_auto_buf literal = CORAS_BUF_UNLIMITED;
    coras_auto(coras_json) value = NULL;
    const char *back;

    coras_escape(&shown, data, len, 100);
    FUZZ_CHECK(coras_utf8_valid(shown.ptr, shown.len));
    for (size_t i = 0; i < shown.len; i++)
        FUZZ_CHECK((unsigned char)shown.ptr[i] >= 0x20 && shown.ptr[i] != 0x7f);
    coras_go_quote(&quoted, data);
    FUZZ_CHECK(coras_utf8_valid(quoted.ptr, quoted.len));
    coras_json_escape(&literal, data, len, false);
    if (!fuzz_is_text(data, len) || !coras_utf8_valid(data, len))
        return false;
    FUZZ_CHECK(coras_json_parse(literal.ptr, literal.len, &value, NULL) == 0);
    FUZZ_CHECK(coras_json_string(value, &back) && strcmp(back, data) == 0);
    return true;
}
