/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops: what a user asks for, each a walk of the engine between targets. May use engine, store, net,
 * oci, base.
 *
 * artifact.h: a prepared artifact, shared by pack.c (files to content), artifact_manifest.c
 * (content to manifest) and push.c (to a target).
 */
#ifndef CORAS_OPS_ARTIFACT_H
#define CORAS_OPS_ARTIFACT_H

#include "transfer/local_file.h"
#include "oci/descriptor.h"
#include "oci/manifest.h"

CORAS_DEFINE_AUTO(coras_artifact, coras_artifact_free)

/* One blob of the artifact: a file, a packed directory, or bytes in memory. */
struct coras_artifact_item {
    coras_descriptor desc; /* digest NONE until the file's hash is known */
    coras_local_file file; /* fd -1: `memory` */
    coras_buf memory;
    bool announced;    /* START was posted */
    bool follow_links; /* out of a directory that is packed */
};

struct coras_artifact {
    enum coras_image_spec image_spec;
    char *artifact_type; /* as asked; NULL: default */
    bool has_config_file;
    bool follow_links; /* out of directories that are packed */
    coras_annotations annotations;
    bool has_subject;
    coras_descriptor subject;
    struct coras_artifact_item config;
    struct {
        struct coras_artifact_item *items;
        size_t len, cap;
    } layers;
};

/* Build the manifest; every digest is known. INVALID_ARGUMENT in upstream's words for bad types and
 * dates. */
CORAS_MUST_CHECK int coras_artifact_manifest(const coras_artifact *a, coras_buf *bytes,
                                             coras_descriptor *ret, coras_error **err);
/* The checks of coras_artifact_manifest() that need no digest. */
CORAS_MUST_CHECK int coras_artifact_check(const coras_artifact *a, coras_error **err);

#endif
