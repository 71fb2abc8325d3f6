/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/mediatype.h
 * Names that specifications give to kinds of content and to annotations. Spec: image-spec 1.1, "OCI
 * Image Media Types" and "Annotations"; Docker's "Image Manifest Version 2, Schema 2".
 */
#ifndef CORAS_MEDIATYPE_H
#define CORAS_MEDIATYPE_H

#include "coras/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Manifest of an image or artifact. */
#define CORAS_MT_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
/** List of manifests, for several platforms or of several artifacts. */
#define CORAS_MT_OCI_INDEX "application/vnd.oci.image.index.v1+json"
/** Docker's manifest of an image. */
#define CORAS_MT_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
/** Docker's list of manifests. */
#define CORAS_MT_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
/** Config of a runnable image. */
#define CORAS_MT_OCI_CONFIG "application/vnd.oci.image.config.v1+json"
/** A layer: a tar archive; also the default type of a pushed file. */
#define CORAS_MT_OCI_LAYER "application/vnd.oci.image.layer.v1.tar"
/** A layer: a compressed tar archive; the default type of a pushed directory. */
#define CORAS_MT_OCI_LAYER_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"
/** Default type of a config file whose type nobody gave. */
#define CORAS_MT_UNKNOWN_CONFIG "application/vnd.unknown.config.v1+json"
/** Default type of an artifact whose type nobody gave. */
#define CORAS_MT_UNKNOWN_ARTIFACT "application/vnd.unknown.artifact.v1"

/** Annotation: the name of a file. */
#define CORAS_ANN_TITLE "org.opencontainers.image.title"
/** Annotation: when the content was made, RFC 3339. */
#define CORAS_ANN_CREATED "org.opencontainers.image.created"

/**
 * Whether content of this type is a list of manifests.
 *
 * @param media_type  without parameters; NULL is none
 * @return true for an OCI index and for Docker's manifest list
 *
 * Pure; thread-safe.
 * Since 0.1.
 * Source: src/oci/mediatype.c.
 */
CORAS_API bool coras_media_type_is_index(const char *media_type);

#ifdef __cplusplus
}
#endif
#endif
