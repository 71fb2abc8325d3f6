/* SPDX-License-Identifier: Apache-2.0 */
/* Which media types are manifests, and of which kind. */
#include "oci/mediatype.h"

#include "support.h"

static void kinds_are_told_by_exact_type(void **state)
{
    static const struct {
        const char *media_type;
        enum coras_manifest_kind kind;
    } cases[] = {
        {CORAS_MT_OCI_MANIFEST, CORAS_KIND_IMAGE},
        {CORAS_MT_OCI_INDEX, CORAS_KIND_INDEX},
        {CORAS_MT_DOCKER_MANIFEST, CORAS_KIND_DOCKER_IMAGE},
        {CORAS_MT_DOCKER_LIST, CORAS_KIND_DOCKER_LIST},
        {CORAS_MT_OCI_ARTIFACT, CORAS_KIND_ARTIFACT},
        {CORAS_MT_OCI_CONFIG, CORAS_KIND_BLOB},
        {CORAS_MT_OCI_EMPTY, CORAS_KIND_BLOB},
        {"application/vnd.docker.distribution.manifest.v1+json", CORAS_KIND_BLOB},
        {"Application/vnd.oci.image.index.v1+json", CORAS_KIND_BLOB},
        {CORAS_MT_OCI_INDEX " ", CORAS_KIND_BLOB},
        {"", CORAS_KIND_BLOB},
        {NULL, CORAS_KIND_BLOB},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        enum coras_manifest_kind kind = coras_media_type_kind(cases[i].media_type);
        assert_int_equal(kind, cases[i].kind);
        assert_int_equal(coras_media_type_is_manifest(cases[i].media_type),
                         kind != CORAS_KIND_BLOB);
        assert_false(coras_kind_is_index(kind) && coras_kind_is_image(kind));
    }
}

static void foreign_layers_are_told_by_exact_type(void **state)
{
    (void)state;
    assert_true(coras_media_type_is_foreign_layer(
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"));
    assert_true(coras_media_type_is_foreign_layer(
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"));
    assert_false(coras_media_type_is_foreign_layer(CORAS_MT_OCI_LAYER));
    assert_false(coras_media_type_is_foreign_layer(
        "application/vnd.oci.image.layer.nondistributable.v1.tar+xz"));
    assert_false(coras_media_type_is_foreign_layer(""));
    assert_false(coras_media_type_is_foreign_layer(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_told_by_exact_type),
        cmocka_unit_test(foreign_layers_are_told_by_exact_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
