/* The target in memory answers as a layout does. */
#include "store/memory.h"

#include "content.h"

static coras_target *open_memory(void)
{
    coras_target *t = NULL;
    assert_ok(coras_memory_target_new(&t, NULL), NULL);
    return t;
}

static void keeps_content_and_names(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_memory();
    coras_auto_value(coras_descriptor) d = push_artifact(t, "v1", "layer", NULL);
    coras_auto_value(coras_descriptor) layer = describe(CORAS_MT_OCI_LAYER, "layer");
    coras_auto_value(coras_descriptor) found = CORAS_DESCRIPTOR_INIT;
    coras_auto_free char *bytes = NULL;
    coras_auto(coras_error) err = NULL;
    assert_int_equal(push_text(t, "layer", NULL), CORAS_PUSH_EXISTED);
    assert_ok(coras_fetch_manifest(t, "v1", NULL, &found, &bytes, &err), err);
    assert_true(coras_digest_equal(&found.digest, &d.digest));
    assert_int_equal(strlen(bytes), d.size);
    free(bytes);
    bytes = NULL;
    assert_ok(coras_fetch_bytes(t, &layer, 100, &bytes, &err), err);
    assert_string_equal(bytes, "layer");
    assert_ok(t->ops->tag(t, &d, "a", &err), err);
    assert_tags(t, NULL, "a v1");
    assert_tags(t, "a", "v1");
}

static void refuses_what_is_wrong_or_missing(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_memory();
    coras_auto_value(coras_descriptor) d = describe(CORAS_MT_OCI_MANIFEST, "right");
    coras_auto(coras_error) err = NULL;
    coras_auto(coras_error) err2 = NULL;
    coras_auto(coras_error) err3 = NULL;
    assert_failed(t->ops->push_manifest(t, &d, "wrong", "v1", &err), err, CORAS_ERR_DIGEST_MISMATCH,
                  "mismatched digest");
    assert_failed(coras_resolve(t, "v1", &d, &err2), err2, CORAS_ERR_NOT_FOUND, "not found");
    assert_failed(coras_delete(t, &d, &err3), err3, CORAS_ERR_NOT_FOUND, NULL);
}

static void lists_referrers_and_deletes(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_memory();
    coras_auto_value(coras_descriptor) root = push_artifact(t, "v1", "layer", NULL);
    coras_auto_value(coras_descriptor) sbom = push_artifact(t, NULL, "sbom", &root);
    coras_auto_buf found = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;
    char text[CORAS_DIGEST_TEXT_MAX];
    coras_auto_free char *expected =
        coras_asprintf("%s test/type", coras_digest_format(&sbom.digest, text));
    assert_ok(coras_list_referrers(t, &root, NULL, join_referrer, &found, &err), err);
    assert_string_equal(found.ptr, expected);
    assert_ok(coras_delete(t, &root, &err), err);
    assert_tags(t, NULL, "");
    assert_false(has_content(t, &root));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_content_and_names),
        cmocka_unit_test(refuses_what_is_wrong_or_missing),
        cmocka_unit_test(lists_referrers_and_deletes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
