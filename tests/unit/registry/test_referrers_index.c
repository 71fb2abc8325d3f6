/* SPDX-License-Identifier: Apache-2.0 */
/* The list under a referrers tag: read, extended, written. */
#include "support.h"
#include "codec/json.h"
#include "registry/referrers_index.h"

#define HEX_A      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B      "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ENTRY(hex) "{\"mediaType\":\"a/b\",\"digest\":\"sha256:" hex "\",\"size\":1}"
#define INDEX(list)                                                                                \
    "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","              \
    "\"manifests\":" list "}"

static coras_digest digest_of(const char *hex)
{
    coras_digest d = {0};
    coras_auto_free char *text = coras_asprintf("sha256:%s", hex);

    assert_int_equal(coras_digest_parse(text, &d, NULL), 0);
    return d;
}

static void lists_are_read(void **state)
{
    static const struct {
        const char *text;
        int rc;
        size_t entries;
        bool cleaned;
    } rows[] = {
        {INDEX("[]"), 0, 0, false},
        {INDEX("null"), 0, 0, false},
        {INDEX("[" ENTRY(HEX_A) "," ENTRY(HEX_B) "]"), 0, 2, false},
        {INDEX("[" ENTRY(HEX_A) "," ENTRY(HEX_A) "]"), 0, 1, true},
        {INDEX("[{}," ENTRY(HEX_A) ",null]"), 0, 1, true},
        {"{\"schemaVersion\":2,\"manifests\":[]}", 0, 0, false},
        {"{\"mediaType\":\"a/b\",\"manifests\":[]}", CORAS_ERR_INVALID_MANIFEST, 0, false},
        {"{\"schemaVersion\":2,\"layers\":[]}", 0, 0, false},
        {INDEX("[1]"), CORAS_ERR_INVALID_MANIFEST, 0, false},
        {INDEX("{}"), CORAS_ERR_INVALID_MANIFEST, 0, false},
        {"[]", CORAS_ERR_INVALID_MANIFEST, 0, false},
        {"<html>", CORAS_ERR_INVALID_JSON, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_value(coras_referrers_index) l = {0};
        int rc = coras_referrers_index_parse(rows[i].text, strlen(rows[i].text), &l, NULL);
        if (rc != rows[i].rc)
            fail_msg("%s gave %d", rows[i].text, rc);
        assert_int_equal(l.entries.len, rows[i].entries);
        assert_int_equal(l.cleaned, rows[i].cleaned);
    }
}

static void entries_come_and_go(void **state)
{
    static const char text[] = INDEX("[" ENTRY(HEX_A) "]");
    coras_auto_value(coras_referrers_index) l = {0};
    coras_auto_value(coras_descriptor) b = CORAS_DESCRIPTOR_INIT;
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    coras_digest da = digest_of(HEX_A), db = digest_of(HEX_B);

    (void)state;
    assert_int_equal(coras_referrers_index_parse(text, sizeof(text) - 1, &l, NULL), 0);
    assert_int_equal(coras_descriptor_set(&b, "a/b", &db, 1, NULL), 0);
    assert_int_equal(coras_referrers_index_add(&l, &b, NULL), 1);
    assert_int_equal(coras_referrers_index_add(&l, &b, NULL), 0);
    assert_true(coras_referrers_index_has(&l, &db));
    assert_int_equal(coras_referrers_index_write(&l, &out, NULL), 0);
    assert_string_equal(out.ptr, INDEX("[" ENTRY(HEX_A) "," ENTRY(HEX_B) "]"));
    assert_true(coras_referrers_index_remove(&l, &da));
    assert_false(coras_referrers_index_remove(&l, &da));
    assert_true(coras_referrers_index_remove(&l, &db));
    coras_buf_reset(&out);
    assert_int_equal(coras_referrers_index_write(&l, &out, NULL), 0);
    assert_string_equal(out.ptr, INDEX("[]"));
}

static void filters_are_told(void **state)
{
    static const struct {
        const char *header;
        bool applied;
    } rows[] = {
        {"artifactType", true},
        {"a, artifactType ,b", true},
        {"annotations", false},
        {"artifactTypes", false},
        {"", false},
        {NULL, false},
        {",artifactType", true},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++)
        assert_int_equal(coras_referrers_filter_applied(rows[i].header), rows[i].applied);
}

static int read_change_write(coras_error **err)
{
    static const char text[] = INDEX("[" ENTRY(HEX_A) "]");
    coras_auto_value(coras_referrers_index) l = {0};
    coras_auto_value(coras_descriptor) b = CORAS_DESCRIPTOR_INIT;
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    coras_digest db = {.algorithm = CORAS_SHA256, .bytes = {1}};

    CORAS_TRY(coras_referrers_index_parse(text, sizeof(text) - 1, &l, err));
    CORAS_TRY(coras_descriptor_set(&b, "a/b", &db, 1, err));
    int changed = coras_referrers_index_add(&l, &b, err);
    CORAS_TRY(changed);
    return coras_referrers_index_write(&l, &out, err);
}

static void memory_may_end_anywhere(void **state)
{
    (void)state;
    fail_each_allocation(read_change_write);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_read),
        cmocka_unit_test(entries_come_and_go),
        cmocka_unit_test(filters_are_told),
        cmocka_unit_test(memory_may_end_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
