/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Media types and annotation keys of model packages, as the tools that write them spell them. What
 * ends in a dot is the beginning of a family.
 */
#ifndef CORAS_MODEL_MEDIATYPES_H
#define CORAS_MODEL_MEDIATYPES_H

/* CNCF ModelPack, and the names that it had before. Spec: model-spec, "Media Types". */
#define CORAS_MT_MODELPACK          "application/vnd.cncf.model."
#define CORAS_MT_MODELPACK_MANIFEST CORAS_MT_MODELPACK "manifest.v1+json"
#define CORAS_MT_MODELPACK_CONFIG   CORAS_MT_MODELPACK "config.v1+json"
#define CORAS_MT_MODELPACK_OLD      "application/vnd.cnai.model."
#define CORAS_ANN_FILEPATH          "org.cncf.model.filepath"
#define CORAS_ANN_FILEPATH_OLD      "org.cnai.model.filepath"
#define CORAS_ANN_FILE_METADATA     "org.cncf.model.file.metadata+json"
#define CORAS_ANN_FILE_UNTESTED     "org.cncf.model.file.mediatype.untested"
#define CORAS_ANN_FILE_METADATA_OLD "org.cnai.model.file.metadata+json"

/* KitOps. */
#define CORAS_MT_KITOPS "application/vnd.kitops.modelkit."

/* Docker Model Runner. */
#define CORAS_MT_DOCKER_MODEL        "application/vnd.docker.ai."
#define CORAS_MT_DOCKER_MODEL_CONFIG "application/vnd.docker.ai.model.config.v"

/* Ollama. */
#define CORAS_MT_OLLAMA "application/vnd.ollama.image."

/* Layers of images, with a compression after them. */
#define CORAS_MT_DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar"

#endif
