/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests and indexes: parsing any kind we read, writing the two we make.
 */
#ifndef CORAS_OCI_MANIFEST_H
#define CORAS_OCI_MANIFEST_H

#include "oci/descriptor.h"
#include "oci/mediatype.h"

/*
 * A parsed manifest of any kind. `layers` holds layers, manifests or blobs according to `kind`.
 * The raw bytes are the caller's; nothing here is ever re-serialised into an existing digest.
 */
typedef struct coras_manifest {
    enum coras_manifest_kind kind;
    char *media_type;    /* of the document, or of the descriptor when it has none */
    char *artifact_type; /* or NULL */
    bool has_config;
    coras_descriptor config;
    coras_descriptors layers;
    char *
        *layer_names; /* the member `name` of each layer, which Ollama writes; NULL: none has it */
    bool has_subject;
    coras_descriptor subject;
    coras_annotations annotations;
} coras_manifest;
void coras_manifest_clear(coras_manifest *m);
CORAS_DEFINE_AUTO_VALUE(coras_manifest, coras_manifest_clear)

/*
 * Parse `text`, which was fetched as `media_type`. Refused with INVALID_MANIFEST: no JSON object,
 * an index that says it is an image or has parts of one (and the other way round), missing config,
 * bad descriptors. UNSUPPORTED: Docker schema 1 and types that are no manifest. What nobody attacks
 * with is read as upstream reads it: lists that are absent or null, capitals in keys, Docker's name
 * for OCI's type.
 */
CORAS_MUST_CHECK int coras_manifest_parse(const char *text, size_t len, const char *media_type,
                                          coras_manifest *ret, coras_error **err);

/* Everything the manifest points at, in upstream's order: subject (when present) first, config,
 * then layers or manifests. Borrowed pointers into m; the array is the caller's (free). */
CORAS_MUST_CHECK int coras_manifest_successors(const coras_manifest *m,
                                               const coras_descriptor ***ret, size_t *ret_len,
                                               coras_error **err);

/* The first entry of an index for a platform (borrowed); NULL when there is none. */
const coras_descriptor *coras_manifest_find_platform(const coras_manifest *index,
                                                     const coras_platform *want);

/* What a referrers list says of this manifest: artifactType, else the config's media type for
 * images. May be NULL. */
const char *coras_manifest_effective_artifact_type(const coras_manifest *m);

/* Compact JSON in Go's member order (image manifest: schemaVersion, mediaType, artifactType?,
 * config, layers, subject?, annotations?; index likewise with manifests). kind must be IMAGE,
 * INDEX or DOCKER_LIST (an updated index stays what it was). */
CORAS_MUST_CHECK int coras_manifest_write(const coras_manifest *m, coras_buf *out,
                                          coras_error **err);

/* Descriptor of serialised bytes. */
CORAS_MUST_CHECK int coras_descriptor_of_bytes(const char *media_type, const void *data, size_t len,
                                               coras_descriptor *ret, coras_error **err);

#endif
