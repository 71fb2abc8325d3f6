/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File names for layers of tools that write none: Docker's first version and Ollama go by the type
 * of a layer.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "model/mediatypes.h"
#include "model/package_impl.h"

static const struct {
    enum coras_type_family family;
    const char *what;
    enum coras_layer_group group;
} groups[] = {
    {CORAS_TYPE_DOCKER, "gguf", CORAS_GROUP_DOCKER_GGUF},
    {CORAS_TYPE_DOCKER, "safetensors", CORAS_GROUP_DOCKER_SAFETENSORS},
    {CORAS_TYPE_DOCKER, "mmproj", CORAS_GROUP_DOCKER_PROJECTOR},
    {CORAS_TYPE_DOCKER, "chat.template", CORAS_GROUP_DOCKER_TEMPLATE},
    {CORAS_TYPE_DOCKER, "license", CORAS_GROUP_DOCKER_LICENSE},
    {CORAS_TYPE_DOCKER, "dduf", CORAS_GROUP_DOCKER_DDUF},
    {CORAS_TYPE_OLLAMA, "model", CORAS_GROUP_OLLAMA_MODEL},
    {CORAS_TYPE_OLLAMA, "projector", CORAS_GROUP_OLLAMA_PROJECTOR},
    {CORAS_TYPE_OLLAMA, "adapter", CORAS_GROUP_OLLAMA_ADAPTER},
    {CORAS_TYPE_OLLAMA, "draft", CORAS_GROUP_OLLAMA_DRAFT},
    {CORAS_TYPE_OLLAMA, "template", CORAS_GROUP_OLLAMA_TEMPLATE},
    {CORAS_TYPE_OLLAMA, "prompt", CORAS_GROUP_OLLAMA_TEMPLATE}, /* its older name */
    {CORAS_TYPE_OLLAMA, "system", CORAS_GROUP_OLLAMA_SYSTEM},
    {CORAS_TYPE_OLLAMA, "params", CORAS_GROUP_OLLAMA_PARAMS},
    {CORAS_TYPE_OLLAMA, "messages", CORAS_GROUP_OLLAMA_MESSAGES},
    {CORAS_TYPE_OLLAMA, "license", CORAS_GROUP_OLLAMA_LICENSE},
    {CORAS_TYPE_OLLAMA, "embed", CORAS_GROUP_OLLAMA_EMBED},
};

static enum coras_layer_group group_of(const struct coras_layer_type *type)
{
    for (size_t i = 0; i < CORAS_ARRAY_LEN(groups); i++)
        if (type->family == groups[i].family && coras_layer_is_for(type, groups[i].what))
            return groups[i].group;
    return CORAS_GROUP_NONE;
}

void coras_package_group(struct coras_package_layer *layers, size_t count)
{
    size_t sizes[CORAS_GROUP_COUNT] = {0};

    for (size_t i = 0; i < count; i++) {
        layers[i].group = group_of(&layers[i].type);
        layers[i].before = sizes[layers[i].group]++;
    }
    for (size_t i = 0; i < count; i++)
        layers[i].group_size = sizes[layers[i].group];
}

static int copy_path(const char *path, char **ret, coras_error **err)
{
    *ret = path ? coras_strdup(path) : NULL;
    return path && !*ret ? coras_fail_no_memory(err) : 0;
}

/* By the annotations, else `otherwise`, which may be NULL. */
static int copy_named(coras_package *p, const struct coras_package_layer *layer,
                      const char *otherwise, char **ret, coras_error **err)
{
    const char *named = NULL;

    CORAS_TRY(coras_package_named(p, layer->desc, &named, err));
    return copy_path(named ? named : otherwise, ret, err);
}

/* ---- Docker Model Runner ---- */

bool coras_docker_goes_by_type(const coras_manifest *m)
{
    return m->config.media_type &&
           coras_str_starts(m->config.media_type, CORAS_MT_DOCKER_MODEL_CONFIG "0.1+");
}

/* "model.gguf", or "model-00001-of-00003.gguf" in the order of the layers. */
static int numbered(const struct coras_package_layer *layer, const char *end, char **ret,
                    coras_error **err)
{
    *ret = layer->group_size == 1 ? coras_asprintf("model.%s", end)
                                  : coras_asprintf("model-%05zu-of-%05zu.%s", layer->before + 1,
                                                   layer->group_size, end);
    return *ret ? 0 : coras_fail_no_memory(err);
}

static int docker_safetensors(coras_package *p, const struct coras_package_layer *layer, char **ret,
                              coras_error **err)
{
    CORAS_TRY(copy_named(p, layer, NULL, ret, err));
    return *ret ? 0 : numbered(layer, "safetensors", ret, err);
}

/* What there may be one of; Docker writes none of several. */
static int docker_single(coras_package *p, const struct coras_package_layer *layer,
                         const char *path, char **ret, coras_error **err)
{
    if (layer->group_size > 1)
        return coras_package_warn(p, layer->desc, "one of several of its kind: left out", err);
    return copy_path(path, ret, err);
}

int coras_docker_path(coras_package *p, const struct coras_package_layer *layer, char **ret,
                      bool *ret_known, coras_error **err)
{
    *ret = NULL;
    *ret_known = true;
    switch (layer->group) {
    case CORAS_GROUP_DOCKER_GGUF:
        return numbered(layer, "gguf", ret, err);
    case CORAS_GROUP_DOCKER_SAFETENSORS:
        return docker_safetensors(p, layer, ret, err);
    case CORAS_GROUP_DOCKER_PROJECTOR:
        return docker_single(p, layer, "model.mmproj", ret, err);
    case CORAS_GROUP_DOCKER_TEMPLATE:
        return docker_single(p, layer, "template.jinja", ret, err);
    case CORAS_GROUP_DOCKER_LICENSE:
        return 0; /* no file of the model to Docker */
    case CORAS_GROUP_DOCKER_DDUF:
        return copy_named(p, layer, "model.dduf", ret, err);
    default:
        CORAS_TRY(copy_named(p, layer, NULL, ret, err));
        *ret_known = *ret != NULL;
        return 0;
    }
}

/* ---- Ollama ---- */

static const struct ollama_name {
    const char *stem, *end;
    bool single; /* of several the last counts; else further ones get a number */
} ollama_names[CORAS_GROUP_COUNT] = {
    [CORAS_GROUP_OLLAMA_MODEL] = {"model", ".gguf", true},
    [CORAS_GROUP_OLLAMA_PROJECTOR] = {"mmproj", ".gguf", false},
    [CORAS_GROUP_OLLAMA_ADAPTER] = {"adapter", ".gguf", false},
    [CORAS_GROUP_OLLAMA_DRAFT] = {"draft", ".gguf", false},
    [CORAS_GROUP_OLLAMA_TEMPLATE] = {"template", "", true},
    [CORAS_GROUP_OLLAMA_SYSTEM] = {"system", "", true},
    [CORAS_GROUP_OLLAMA_PARAMS] = {"params", ".json", true},
    [CORAS_GROUP_OLLAMA_MESSAGES] = {"messages", ".json", true},
    [CORAS_GROUP_OLLAMA_LICENSE] = {"license", "", false},
};

static int ollama_by_type(coras_package *p, const struct coras_package_layer *layer, char **ret,
                          coras_error **err)
{
    const struct ollama_name *name = &ollama_names[layer->group];

    if (layer->group == CORAS_GROUP_OLLAMA_EMBED)
        return 0; /* Ollama itself passes it over */
    if (name->single && layer->before + 1 < layer->group_size)
        return coras_package_warn(p, layer->desc, "a later layer of its kind counts: left out",
                                  err);
    *ret = name->single || layer->before == 0
               ? coras_asprintf("%s%s", name->stem, name->end)
               : coras_asprintf("%s-%zu%s", name->stem, layer->before + 1, name->end);
    return *ret ? 0 : coras_fail_no_memory(err);
}

/* A tensor's name is no file name yet. */
static int ollama_by_name(const struct coras_package_layer *layer, coras_str name, char **ret,
                          coras_error **err)
{
    bool is_tensor = coras_layer_is_for(&layer->type, "tensor");

    coras_auto_free char *bare = coras_strndup(name.ptr, name.len);
    if (!bare)
        return coras_fail_no_memory(err);
    *ret = coras_asprintf("%s%s", bare,
                          is_tensor && !coras_str_ends(bare, ".safetensors") ? ".safetensors" : "");
    return *ret ? 0 : coras_fail_no_memory(err);
}

int coras_ollama_path(coras_package *p, const struct coras_package_layer *layer, char **ret,
                      bool *ret_known, coras_error **err)
{
    coras_str name = layer->name && *layer->name ? coras_str_of(layer->name)
                                                 : coras_layer_parameter(&layer->type, "name");

    *ret = NULL;
    *ret_known = true;
    if (name.len)
        return ollama_by_name(layer, name, ret, err);
    if (layer->group != CORAS_GROUP_NONE)
        return ollama_by_type(p, layer, ret, err);
    CORAS_TRY(copy_named(p, layer, NULL, ret, err));
    *ret_known = *ret != NULL;
    return 0;
}
