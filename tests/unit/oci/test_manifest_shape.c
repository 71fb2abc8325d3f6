/* SPDX-License-Identifier: Apache-2.0 */
/* Which documents Go's structures take: each row was put to upstream's program as well. */
#include "oci/manifest_shape.h"

#include <string.h>

#include "oci/mediatype.h"
#include "rows.h"

static const struct {
    const char *text, *fault; /* NULL: it is taken */
} images[] = {
    {"{}", NULL},
    {"null", NULL},
    {"{\"config\":{},\"layers\":[]}", NULL},
    {"{\"config\":null,\"layers\":null,\"subject\":null,\"annotations\":null}", NULL},
    {"{\"layers\":[null,{}]}", NULL},
    {"{\"layers\":[{\"digest\":\"x\",\"size\":-5}]}", NULL},
    {"{\"layers\":[{\"annotations\":{\"a\":null}}]}", NULL},
    {"{\"manifests\":5,\"blobs\":5}", NULL},
    {"{\"layers\":5,\"layers\":[]}", NULL},
    {"[]", "not a JSON object"},
    {"{\"config\":5}", "config: not a JSON object"},
    {"{\"config\":{\"size\":\"2\"}}", "config.size: not an integer"},
    {"{\"layers\":{}}", "layers: not a list"},
    {"{\"Layers\":5}", "layers: not a list"},
    {"{\"layers\":[5]}", "layers[0]: not a JSON object"},
    {"{\"layers\":[{},{\"size\":5.5}]}", "layers[1].size: not an integer"},
    {"{\"layers\":[{\"size\":1e3}]}", "layers[0].size: not an integer"},
    {"{\"layers\":[{\"mediaType\":5}]}", "layers[0].mediaType: not a string"},
    {"{\"layers\":[{\"urls\":\"x\"}]}", "layers[0].urls: not a list of strings"},
    {"{\"layers\":[{\"urls\":[5]}]}", "layers[0].urls: not a list of strings"},
    {"{\"layers\":[{\"data\":\"!!!\"}]}", "layers[0].data: not base64"},
    {"{\"layers\":[{\"platform\":5}]}", "layers[0].platform: not a JSON object"},
    {"{\"layers\":[{\"platform\":{\"os\":5}}]}", "layers[0].platform.os: not a string"},
    {"{\"subject\":\"x\"}", "subject: not a JSON object"},
    {"{\"annotations\":{\"a\":5}}", "annotations: not a map of strings"},
    {"{\"annotations\":[]}", "annotations: not a map of strings"},
    {"{\"schemaVersion\":\"2\"}", "schemaVersion: not an integer"},
    {"{\"artifactType\":5}", "artifactType: not a string"},
};

static void members_have_the_types_of_gos_structures(void **state)
{
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(images); i++) {
        coras_auto(coras_error) error = NULL;
        IN_ROW(images[i].text);
        int rc = coras_manifest_check_shape(images[i].text, strlen(images[i].text),
                                            CORAS_MT_OCI_MANIFEST, &error);
        assert_int_equal(rc, images[i].fault ? CORAS_ERR_INVALID_MANIFEST : 0);
        if (images[i].fault)
            assert_non_null(strstr(coras_error_message(error), images[i].fault));
    }
}

static int check(const char *text, const char *media_type)
{
    return coras_manifest_check_shape(text, strlen(text), media_type, NULL);
}

static void each_kind_has_its_members(void **state)
{
    (void)state;
    assert_int_equal(check("{\"manifests\":{}}", CORAS_MT_OCI_INDEX), CORAS_ERR_INVALID_MANIFEST);
    assert_int_equal(check("{\"layers\":5,\"config\":7}", CORAS_MT_OCI_INDEX), 0);
    assert_int_equal(check("{\"manifests\":5}", CORAS_MT_DOCKER_LIST), CORAS_ERR_INVALID_MANIFEST);
    assert_int_equal(
        check("{\"layers\":5}", "application/vnd.docker.distribution.manifest.v2+json"),
        CORAS_ERR_INVALID_MANIFEST);
    assert_int_equal(check("{\"blobs\":5}", "application/vnd.oci.artifact.manifest.v1+json"),
                     CORAS_ERR_INVALID_MANIFEST);
    assert_int_equal(check("{\"layers\":5}", "a/b"), 0);
}

static int check_one(coras_error **err)
{
    const char *text = "{\"layers\":[{\"data\":\"aGk=\",\"platform\":{\"os\":\"linux\"}}]}";

    return coras_manifest_check_shape(text, strlen(text), CORAS_MT_OCI_MANIFEST, err);
}

static void lack_of_memory_is_reported(void **state)
{
    (void)state;
    fail_each_allocation(check_one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_have_the_types_of_gos_structures),
        cmocka_unit_test(each_kind_has_its_members),
        cmocka_unit_test(lack_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
