/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Media types and annotation keys: every string of the specifications, and every one of ours
 * (`dev.coras.`, `application/vnd.coras.`), stands here, or in coras/mediatype.h if programs need
 * it, and nowhere else.
 */
#ifndef CORAS_OCI_MEDIATYPE_H
#define CORAS_OCI_MEDIATYPE_H

#include <stdbool.h>
#include <stddef.h>

#include "coras/mediatype.h"

#define CORAS_MT_OCI_ARTIFACT  "application/vnd.oci.artifact.manifest.v1+json"
#define CORAS_MT_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define CORAS_MT_OCI_EMPTY     "application/vnd.oci.empty.v1+json"
#define CORAS_MT_OCTET_STREAM  "application/octet-stream"

#define CORAS_ANN_REF_NAME       "org.opencontainers.image.ref.name"
#define CORAS_ANN_CONTENT_DIGEST "io.deis.oras.content.digest"
#define CORAS_ANN_CONTENT_UNPACK "io.deis.oras.content.unpack"
#define CORAS_ANN_LICENSES       "org.opencontainers.image.licenses"
#define CORAS_ANN_REVISION       "org.opencontainers.image.revision"
#define CORAS_ANN_SOURCE         "org.opencontainers.image.source"
#define CORAS_ANN_VENDOR         "org.opencontainers.image.vendor"
#define CORAS_ANN_VERSION        "org.opencontainers.image.version"

/* Of the layer of a weight file: how many bytes from its start its header takes, and their digest.
 * What is read of it by a range can be verified then. */
#define CORAS_ANN_HEADER_SIZE   "dev.coras.header.size"
#define CORAS_ANN_HEADER_DIGEST "dev.coras.header.digest"

/* Of a file's layer: its format by content; and why loading it can run code. */
#define CORAS_ANN_FORMAT "dev.coras.format"
#define CORAS_ANN_UNSAFE "dev.coras.unsafe"
/* Of a model's manifest, followed by the name of a field of its model card. */
#define CORAS_ANN_CARD "dev.coras.card."

/* Of the layer of a weight file: how many bytes from its start its header takes, and their digest.
 * What is read of it by a range can be verified then. */
#define CORAS_ANN_HEADER_SIZE   "dev.coras.header.size"
#define CORAS_ANN_HEADER_DIGEST "dev.coras.header.digest"

/* The content `{}` that stands for "nothing". Spec: image-spec 1.1, "Guidance for an Empty
 * Descriptor". */
#define CORAS_EMPTY_JSON      "{}"
#define CORAS_EMPTY_JSON_SIZE 2
#define CORAS_EMPTY_JSON_DIGEST                                                                    \
    "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

/* What we accept when we ask for a manifest, in upstream's order. */
#define CORAS_ACCEPT_MANIFESTS                                                                     \
    CORAS_MT_DOCKER_MANIFEST ", " CORAS_MT_DOCKER_LIST ", " CORAS_MT_OCI_MANIFEST                  \
                             ", " CORAS_MT_OCI_INDEX ", " CORAS_MT_OCI_ARTIFACT

enum coras_manifest_kind {
    CORAS_KIND_BLOB = 0, /* not a manifest */
    CORAS_KIND_IMAGE,    /* OCI image manifest */
    CORAS_KIND_INDEX,
    CORAS_KIND_DOCKER_IMAGE,
    CORAS_KIND_DOCKER_LIST,
    CORAS_KIND_ARTIFACT, /* of the 1.1 release candidates; read only */
};
enum coras_manifest_kind coras_media_type_kind(const char *media_type);
static inline bool coras_media_type_is_manifest(const char *media_type)
{
    return coras_media_type_kind(media_type) != CORAS_KIND_BLOB;
}
static inline bool coras_kind_is_index(enum coras_manifest_kind k)
{
    return k == CORAS_KIND_INDEX || k == CORAS_KIND_DOCKER_LIST;
}
static inline bool coras_kind_is_image(enum coras_manifest_kind k)
{
    return k == CORAS_KIND_IMAGE || k == CORAS_KIND_DOCKER_IMAGE;
}
/* Layers that stay where they are, such as those of Windows: no registry has to have them. */
bool coras_media_type_is_foreign_layer(const char *media_type);

#endif
