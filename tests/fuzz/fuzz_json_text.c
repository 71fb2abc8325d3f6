/* SPDX-License-Identifier: Apache-2.0 */
/* Raw JSON: indenting and compacting do not change a document, slices are documents. */
#include "fuzz.h"

#include "codec/json.h"

static void check_slice(coras_str value)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;

    FUZZ_CHECK(coras_json_compact(value.ptr, value.len, &out, NULL) == 0);
}

static bool visit_member(const char *key, coras_str value, void *user)
{
    FUZZ_CHECK(coras_utf8_valid(key, strlen(key)));
    check_slice(value);
    ++*(size_t *)user;
    return true;
}

static bool visit_element(size_t i, coras_str value, void *user)
{
    FUZZ_CHECK(i == (*(size_t *)user)++);
    check_slice(value);
    return true;
}

bool fuzz_one(const char *data, size_t len)
{
    coras_auto_buf compact = CORAS_BUF_UNLIMITED;
    coras_auto_buf indented = CORAS_BUF_UNLIMITED;
    coras_auto_buf again = CORAS_BUF_UNLIMITED;
    size_t count = 0;
    bool ok = coras_json_compact(data, len, &compact, NULL) == 0;

    FUZZ_CHECK(ok == (coras_json_indent(data, len, &indented, NULL) == 0));
    if (!ok) {
        FUZZ_CHECK(compact.len == 0 && indented.len == 0);
        FUZZ_CHECK(coras_json_raw_members(data, len, visit_member, &count, NULL) < 0);
        return false;
    }
    FUZZ_CHECK(coras_json_compact(indented.ptr, indented.len, &again, NULL) == 0);
    FUZZ_CHECK(again.len == compact.len && memcmp(again.ptr, compact.ptr, compact.len) == 0);
    (void)!coras_json_raw_members(data, len, visit_member, &count, NULL); /* no object: refused */
    count = 0;
    (void)!coras_json_raw_elements(data, len, visit_element, &count, NULL);
    return true;
}
