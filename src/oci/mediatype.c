/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which media types are manifests, and of which kind (mediatype.h).
 */
#include "oci/mediatype.h"

#include <string.h>
#include "base/common.h"

enum coras_manifest_kind coras_media_type_kind(const char *media_type)
{
    static const struct {
        const char *media_type;
        enum coras_manifest_kind kind;
    } kinds[] = {
        {CORAS_MT_OCI_MANIFEST, CORAS_KIND_IMAGE},
        {CORAS_MT_OCI_INDEX, CORAS_KIND_INDEX},
        {CORAS_MT_DOCKER_MANIFEST, CORAS_KIND_DOCKER_IMAGE},
        {CORAS_MT_DOCKER_LIST, CORAS_KIND_DOCKER_LIST},
        {CORAS_MT_OCI_ARTIFACT, CORAS_KIND_ARTIFACT},
    };

    for (size_t i = 0; media_type && i < CORAS_ARRAY_LEN(kinds); i++) {
        if (strcmp(media_type, kinds[i].media_type) == 0)
            return kinds[i].kind;
    }
    return CORAS_KIND_BLOB;
}

bool coras_media_type_is_foreign_layer(const char *media_type)
{
    static const char *const types[] = {
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    };

    for (size_t i = 0; media_type && i < CORAS_ARRAY_LEN(types); i++) {
        if (strcmp(media_type, types[i]) == 0)
            return true;
    }
    return false;
}

bool coras_media_type_is_index(const char *media_type)
{
    return media_type && coras_kind_is_index(coras_media_type_kind(media_type));
}
