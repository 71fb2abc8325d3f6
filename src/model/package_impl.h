/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of reading a package (package.c): names by tool (package_names.c), the config
 * (package_config.c), whether paths can stand beside each other (package_paths.c).
 */
#ifndef CORAS_MODEL_PACKAGE_IMPL_H
#define CORAS_MODEL_PACKAGE_IMPL_H

#include "model/layer_type.h"
#include "model/package.h"

/* Layers that Docker and Ollama tell apart by their type alone. */
enum coras_layer_group {
    CORAS_GROUP_NONE,
    CORAS_GROUP_DOCKER_GGUF,
    CORAS_GROUP_DOCKER_SAFETENSORS,
    CORAS_GROUP_DOCKER_PROJECTOR,
    CORAS_GROUP_DOCKER_TEMPLATE,
    CORAS_GROUP_DOCKER_LICENSE,
    CORAS_GROUP_DOCKER_DDUF,
    CORAS_GROUP_OLLAMA_MODEL,
    CORAS_GROUP_OLLAMA_PROJECTOR,
    CORAS_GROUP_OLLAMA_ADAPTER,
    CORAS_GROUP_OLLAMA_DRAFT,
    CORAS_GROUP_OLLAMA_TEMPLATE,
    CORAS_GROUP_OLLAMA_SYSTEM,
    CORAS_GROUP_OLLAMA_PARAMS,
    CORAS_GROUP_OLLAMA_MESSAGES,
    CORAS_GROUP_OLLAMA_LICENSE,
    CORAS_GROUP_OLLAMA_EMBED,
    CORAS_GROUP_COUNT,
};

/* One layer, while its place is looked for. */
struct coras_package_layer {
    const coras_descriptor *desc;
    const char *name; /* the member `name`; or NULL */
    size_t index;
    struct coras_layer_type type;
    enum coras_layer_group group;
    size_t before, group_size; /* in its group */
};

/* Find the group of each and its place in it. */
void coras_package_group(struct coras_package_layer *layers, size_t count);

/* The file path that the annotations name: filepath, else title; NULL: none. Adds a warning when
 * they disagree. */
CORAS_MUST_CHECK int coras_package_named(coras_package *p, const coras_descriptor *desc,
                                         const char **ret, coras_error **err);

/* "<path or digest of the layer>: <text>", escaped. */
CORAS_MUST_CHECK int coras_package_warn(coras_package *p, const coras_descriptor *desc,
                                        const char *text, coras_error **err);

/*
 * The path of a layer of a tool that goes by types: a new string in *ret. NULL and *ret_known: it
 * becomes nothing; NULL and not: it should become a file and nobody knows which.
 */
CORAS_MUST_CHECK int coras_docker_path(coras_package *p, const struct coras_package_layer *layer,
                                       char **ret, bool *ret_known, coras_error **err);
CORAS_MUST_CHECK int coras_ollama_path(coras_package *p, const struct coras_package_layer *layer,
                                       char **ret, bool *ret_known, coras_error **err);
/* Docker's first version: files go by type, whatever their annotations say. */
bool coras_docker_goes_by_type(const coras_manifest *m);

/* What the config adds to the entries. */
CORAS_MUST_CHECK int coras_package_apply_config(coras_package *p, const coras_manifest *m,
                                                const void *config, size_t len, coras_error **err);

/* Why a stranger's path is none of a file below a directory; NULL: it is one. */
const char *coras_package_judge_path(const char *path);
/* Clean it: UNSAFE_PATH. */
CORAS_MUST_CHECK int coras_package_clean_path(const char *path, char **ret, coras_error **err);
/* Drop what is there twice; refuse what cannot stand beside each other. */
CORAS_MUST_CHECK int coras_package_check_paths(coras_package *p, coras_error **err);

#endif
