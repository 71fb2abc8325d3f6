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

#include "base/map.h"
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

/* Who writes a config that names the layers: asked when every digest is known. */
struct coras_config_writer {
    int (*write)(void *user, const coras_artifact *a, coras_buf *out, coras_error **err);
    void (*release)(void *user); /* may be NULL */
    void *user;
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
    struct coras_config_writer config_writer; /* write NULL: the config is there already */
    struct {
        struct coras_artifact_item *items;
        size_t len, cap;
    } layers;
    coras_map *names; /* under which files were added; NULL: none yet */
};

/* An artifact without anything, to be filled by those below. */
CORAS_MUST_CHECK int coras_artifact_new(coras_artifact **ret, coras_error **err);
/*
 * Take over an open regular file as the next layer, titled `name`. fd = -1 afterwards, also on
 * failure. `expected` is the digest that somebody else has found: it is used without reading the
 * file, and compared while the file is sent; NULL: none.
 */
CORAS_MUST_CHECK int coras_artifact_take_file(coras_artifact *a, int *fd, const char *name,
                                              const char *media_type, const coras_digest *expected,
                                              const coras_run *run,
                                              struct coras_artifact_item **ret, coras_error **err);
/* A config of this type, which `writer` (taken over) makes when the layers are known. */
CORAS_MUST_CHECK int coras_artifact_take_config_writer(coras_artifact *a, const char *media_type,
                                                       const struct coras_config_writer *writer,
                                                       coras_error **err);
/* Have the config written, if it is not there yet. Every layer's digest is known. */
CORAS_MUST_CHECK int coras_artifact_finish_config(coras_artifact *a, coras_error **err);

/* TOO_LARGE when the manifest will be larger than registries take, as far as it is known. */
CORAS_MUST_CHECK int coras_artifact_check_size(const coras_artifact *a, coras_error **err);

/* Build the manifest; every digest is known. INVALID_ARGUMENT in upstream's words for bad types and
 * dates. */
CORAS_MUST_CHECK int coras_artifact_manifest(const coras_artifact *a, coras_buf *bytes,
                                             coras_descriptor *ret, coras_error **err);
/* The checks of coras_artifact_manifest() that need no digest. */
CORAS_MUST_CHECK int coras_artifact_check(const coras_artifact *a, coras_error **err);

#endif
