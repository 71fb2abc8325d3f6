/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors: what is refused, copies, JSON in Go's order. */
#include "oci/manifest.h"

#include "oci/digest.h"
#include "support.h"

#define DIG     "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define WITH(x) "{\"mediaType\":\"a/b\",\"digest\":\"" DIG "\"," x "}"

static void refuses_what_is_no_descriptor(void **state)
{
    static const struct {
        const char *in, *message; /* NULL: accepted */
    } cases[] = {
        {WITH("\"size\":2"), NULL},
        {WITH("\"size\":0"), NULL},
        {WITH("\"size\":9223372036854775807"), NULL},
        {WITH("\"size\":2,\"unknown\":[1]"), NULL},
        {WITH("\"size\":-1"), "d.size: negative"},
        {WITH("\"size\":-9223372036854775808"), "d.size: negative"},
        {WITH("\"size\":6.5"), "d.size: not an integer"},
        {WITH("\"size\":2.0"), "d.size: not an integer"},
        {WITH("\"size\":1e3"), "d.size: not an integer"},
        {WITH("\"size\":\"6\""), "d.size: not an integer"},
        {WITH("\"size\":null"), "d.size: not an integer"},
        {WITH("\"size\":true"), "d.size: not an integer"},
        {"null", "d: not a JSON object"},
        {"[]", "d: not a JSON object"},
        {"\"" DIG "\"", "d: not a JSON object"},
        {"{\"mediaType\":1,\"digest\":\"" DIG "\",\"size\":2}", "d.mediaType: not a string"},
        {"{\"mediaType\":\"a/b\",\"size\":2}", "d.digest: missing"},
        {"{\"mediaType\":\"a/b\",\"digest\":7,\"size\":2}", "d.digest: not a string"},
        {"{\"mediaType\":\"a/b\",\"digest\":\"sha256:../../x\",\"size\":2}",
         "d.digest: invalid checksum digest length"},
        {"{\"mediaType\":\"a/b\",\"digest\":\"md5:abc\",\"size\":2}",
         "d.digest: unsupported digest algorithm"},
        {WITH("\"size\":2,\"urls\":[\"http://x\"]"), NULL},
        {WITH("\"size\":2,\"urls\":null"), NULL},
        {WITH("\"size\":2,\"urls\":[]"), NULL},
        {WITH("\"size\":2,\"urls\":\"x\""), "d.urls: not a list of strings"},
        {WITH("\"size\":2,\"urls\":[1]"), "d.urls: not a list of strings"},
        {WITH("\"size\":2,\"annotations\":{\"a\":1}"),
         "d.annotations: value of \"a\" is no string"},
        {WITH("\"size\":2,\"annotations\":[]"), "d.annotations: not a JSON object"},
        {WITH("\"size\":2,\"data\":\"e30=\""), NULL},
        {WITH("\"size\":2,\"data\":null"), NULL},
        {WITH("\"size\":2,\"data\":\"\""), NULL},
        {WITH("\"size\":2,\"data\":\"fX0=\""), NULL},
        {WITH("\"size\":3,\"data\":\"e30=\""), NULL},
        {"{\"DIGEST\":\"" DIG "\",\"SIZE\":2}", NULL},
        {WITH("\"x\":1"), "d.size: missing"},
        {WITH("\"size\":2,\"data\":\"e30\""), "d.data: not base64 text"},
        {WITH("\"size\":2,\"data\":\"e3=0\""), "d.data: not base64 text"},
        {WITH("\"size\":2,\"data\":\"====\""), "d.data: not base64 text"},
        {WITH("\"size\":2,\"data\":\"e30 \""), "d.data: not base64 text"},
        {WITH("\"size\":2,\"data\":5"), "d.data: not base64 text"},
        {WITH("\"size\":2,\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\"}"), NULL},
        {WITH("\"size\":2,\"platform\":null"), NULL},
        {WITH("\"size\":2,\"platform\":\"linux\""), "d.platform: not a JSON object"},
        {WITH("\"size\":2,\"platform\":{\"os\":1}"), "d.platform.os: not a string"},
        {WITH("\"size\":2,\"artifactType\":1"), "d.artifactType: not a string"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
        coras_auto(coras_error) err = NULL;
        coras_auto(coras_json) v = NULL;
        assert_ok(coras_json_parse(cases[i].in, strlen(cases[i].in), &v, NULL), NULL);
        int rc = coras_descriptor_from_json(v, "d", &d, &err);
        if (cases[i].message) {
            assert_failed(rc, err, CORAS_ERR_INVALID_MANIFEST, cases[i].message);
            assert_int_equal(coras_descriptor_from_json(v, "d", &d, NULL),
                             CORAS_ERR_INVALID_MANIFEST);
            assert_null(d.media_type);
        } else {
            assert_ok(rc, err);
        }
    }
}

static void writes_members_in_gos_order(void **state)
{
    static const char full[] =
        "{\"mediaType\":\"a/b\",\"digest\":\"" DIG
        "\",\"size\":2,\"urls\":[\"http://x/?a\\u0026b\"],"
        "\"annotations\":{\"a\":\"1\",\"b\":\"\"},\"data\":\"e30=\",\"platform\":{\"architecture\":"
        "\"arm\",\"os\":\"linux\"},\"artifactType\":\"c/d\"}";
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
    coras_auto_value(coras_descriptor) copy = CORAS_DESCRIPTOR_INIT;
    coras_auto_value(coras_descriptors) list = {0};
    coras_auto_free char *text = NULL;
    coras_auto(coras_json) v = NULL;

    (void)state;
    assert_ok(coras_json_parse(full, sizeof(full) - 1, &v, NULL), NULL);
    assert_ok(coras_descriptor_from_json(v, "d", &d, NULL), NULL);
    assert_int_equal(d.data_len, 2);
    assert_memory_equal(d.data, "{}", 2);
    assert_ok(coras_descriptor_copy(&copy, &d, NULL), NULL);
    assert_ok(coras_descriptor_copy(&copy, &d, NULL), NULL); /* over content */
    assert_ok(coras_descriptors_add(&list, &copy, NULL), NULL);
    coras_descriptor_clear(&d);
    coras_descriptor_clear(&copy);
    assert_ok(coras_descriptor_to_json(&list.items[0], &text, NULL), NULL);
    assert_string_equal(text, full);
}

static void bytes_have_a_descriptor(void **state)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
    coras_auto_free char *text = NULL;

    (void)state;
    assert_ok(coras_descriptor_of_bytes("a/b", "{}", 2, &d, NULL), NULL);
    assert_ok(coras_descriptor_to_json(&d, &text, NULL), NULL);
    assert_string_equal(text, WITH("\"size\":2"));
    assert_null(coras_descriptor_title(&d));
    assert_ok(coras_annotations_set(&d.annotations, CORAS_ANN_TITLE, "f", NULL), NULL);
    assert_string_equal(coras_descriptor_title(&d), "f");
}

static void knows_the_empty_descriptor(void **state)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
    coras_auto_value(coras_descriptor) typed = CORAS_DESCRIPTOR_INIT;
    coras_auto_free char *text = NULL;
    const coras_descriptor none = CORAS_DESCRIPTOR_INIT;

    (void)state;
    assert_ok(coras_descriptor_empty(NULL, true, &d, NULL), NULL);
    assert_ok(coras_descriptor_to_json(&d, &text, NULL), NULL);
    assert_string_equal(text, "{\"mediaType\":\"" CORAS_MT_OCI_EMPTY "\",\"digest\":\"" DIG
                              "\",\"size\":2,\"data\":\"e30=\"}");
    assert_true(coras_descriptor_is_empty(&d, true));
    assert_ok(coras_descriptor_empty("a/b", false, &typed, NULL), NULL);
    assert_null(typed.data);
    assert_true(coras_descriptor_is_empty(&typed, false));
    assert_false(coras_descriptor_is_empty(&typed, true));
    typed.size = 3;
    assert_false(coras_descriptor_is_empty(&typed, false));
    assert_false(coras_descriptor_is_empty(&none, false));
    assert_false(coras_descriptor_is_empty(&none, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_no_descriptor),
        cmocka_unit_test(writes_members_in_gos_order),
        cmocka_unit_test(bytes_have_a_descriptor),
        cmocka_unit_test(knows_the_empty_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
