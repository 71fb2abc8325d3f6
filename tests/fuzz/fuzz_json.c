/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: what the strict parser accepts is written as valid JSON, and after one round trip (which
 * turns the real -0e3 into the integer 0) as the same text every time. */
#include "fuzz.h"

#include "codec/json.h"

static void write_value(const coras_json *v, coras_buf *out)
{
    coras_json_writer w = CORAS_JSON_WRITER(out, 0);
    coras_auto_buf compact = CORAS_BUF_UNLIMITED;

    coras_jw_value(&w, v, true);
    FUZZ_CHECK(coras_buf_done(out, NULL) == 0);
    FUZZ_CHECK(coras_json_compact(out->ptr, out->len, &compact, NULL) == 0);
    FUZZ_CHECK(strcmp(compact.ptr, out->ptr) == 0);
}

/* Read `text` and write it; false when it does not read: a real of 1e19 is written without an
 * exponent, as Go does, and then is too large an integer. */
static bool round_trip(const coras_buf *text, coras_buf *out)
{
    coras_auto(coras_json) root = NULL;

    if (coras_json_parse(text->ptr, text->len, &root, NULL) < 0)
        return false;
    write_value(root, out);
    return true;
}

bool fuzz_one(const char *data, size_t len)
{
    coras_auto(coras_json) root = NULL;
    coras_auto(coras_json) prefix = NULL;
    coras_auto_buf raw = CORAS_BUF_UNLIMITED;
    coras_auto_buf first = CORAS_BUF_UNLIMITED;
    coras_auto_buf second = CORAS_BUF_UNLIMITED;
    coras_auto_buf third = CORAS_BUF_UNLIMITED;

    if (coras_json_parse(data, len, &root, NULL) < 0) {
        (void)!coras_json_parse_prefix(data, len, &prefix, NULL);
        return false;
    }
    FUZZ_CHECK(coras_json_parse_prefix(data, len, &prefix, NULL) == 0);
    FUZZ_CHECK(coras_json_compact(data, len, &raw, NULL) == 0);
    write_value(root, &first);
    if (round_trip(&first, &second) && round_trip(&second, &third))
        FUZZ_CHECK(strcmp(second.ptr, third.ptr) == 0);
    return true;
}
