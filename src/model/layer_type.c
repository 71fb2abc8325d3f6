/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking media types of layers apart.
 */
#include "model/layer_type.h"

#include "model/mediatypes.h"

static const struct {
    const char *begin;
    enum coras_type_family family;
} families[] = {
    {CORAS_MT_MODELPACK, CORAS_TYPE_MODELPACK}, {CORAS_MT_MODELPACK_OLD, CORAS_TYPE_MODELPACK},
    {CORAS_MT_KITOPS, CORAS_TYPE_KITOPS},       {CORAS_MT_DOCKER_MODEL, CORAS_TYPE_DOCKER},
    {CORAS_MT_OLLAMA, CORAS_TYPE_OLLAMA},       {CORAS_MT_OCI_LAYER, CORAS_TYPE_IMAGE},
    {CORAS_MT_DOCKER_LAYER, CORAS_TYPE_IMAGE},
};

static const struct {
    const char *end;
    enum coras_compression compression;
} compressions[] = {
    {"+gzip", CORAS_COMPRESSION_GZIP},
    {"+zstd", CORAS_COMPRESSION_ZSTD},
    {".gzip", CORAS_COMPRESSION_GZIP}, /* Docker's images */
    {".zstd", CORAS_COMPRESSION_ZSTD},
};

static bool cut_end(coras_str *s, const char *end)
{
    size_t len = strlen(end);

    if (s->len < len || memcmp(s->ptr + s->len - len, end, len) != 0)
        return false;
    s->len -= len;
    return true;
}

static bool has_forms(enum coras_type_family family)
{
    return family != CORAS_TYPE_OTHER && family != CORAS_TYPE_OLLAMA;
}

/* Only what says "tar" or "raw" can be compressed: others may end in anything. */
static void read_form(struct coras_layer_type *t, coras_str type)
{
    enum coras_compression compression = CORAS_COMPRESSION_NONE;

    for (size_t i = 0; i < CORAS_ARRAY_LEN(compressions); i++)
        if (cut_end(&type, compressions[i].end)) {
            compression = compressions[i].compression;
            break;
        }
    bool is_tar = cut_end(&type, ".tar");
    if (!is_tar && !cut_end(&type, ".raw"))
        return;
    t->form = is_tar ? CORAS_LAYER_TAR : CORAS_LAYER_RAW;
    t->compression = compression;
}

struct coras_layer_type coras_layer_type_of(const char *media_type)
{
    struct coras_layer_type t = {.parameters = CORAS_STR("")};
    const char *text = media_type ? media_type : "";
    coras_str type = {text, strcspn(text, ";")};

    if (text[type.len] == ';')
        t.parameters = coras_str_of(text + type.len + 1);
    type = coras_str_trim(type);
    t.what = type;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(families); i++) {
        size_t len = strlen(families[i].begin);
        if (type.len < len || memcmp(type.ptr, families[i].begin, len) != 0)
            continue;
        t.family = families[i].family;
        t.what = (coras_str){type.ptr + len, type.len - len};
        break;
    }
    if (has_forms(t.family))
        read_form(&t, type);
    return t;
}

bool coras_layer_is_for(const struct coras_layer_type *type, const char *what)
{
    size_t len = strlen(what);

    return type->what.len >= len && memcmp(type->what.ptr, what, len) == 0 &&
           (type->what.len == len || type->what.ptr[len] == '.');
}

coras_str coras_layer_parameter(const struct coras_layer_type *type, const char *key)
{
    coras_str rest = type->parameters;

    while (rest.len > 0) {
        const char *end = memchr(rest.ptr, ';', rest.len);
        coras_str one = {rest.ptr, end ? (size_t)(end - rest.ptr) : rest.len};
        rest = end ? (coras_str){end + 1, rest.len - one.len - 1} : (coras_str){rest.ptr, 0};
        const char *equals = memchr(one.ptr, '=', one.len);
        if (!equals)
            continue;
        size_t key_len = (size_t)(equals - one.ptr);
        coras_str value = {equals + 1, one.len - key_len - 1};
        if (!coras_str_eq(coras_str_trim((coras_str){one.ptr, key_len}), key))
            continue;
        return coras_str_trim(value);
    }
    return CORAS_STR("");
}
