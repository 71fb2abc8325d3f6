/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names in Ollama's store (ollama_store.h).
 */
#include "ops/models/ollama_store.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "oci/digest.h"

enum { PART_BYTES = 80 }; /* of each part; Ollama's own bound for most of them */

static bool is_part_byte(char c, bool host)
{
    return coras_is_alnum(c) || c == '-' || c == '_' || c == '.' || (host && c == ':');
}

/* A part becomes a directory, so it must not be able to be "..". */
static bool is_part(coras_str part, bool host)
{
    if (part.len == 0 || part.len > PART_BYTES || !coras_is_alnum(part.ptr[0]))
        return false;
    for (size_t i = 0; i < part.len; i++)
        if (!is_part_byte(part.ptr[i], host))
            return false;
    return true;
}

struct ollama_name {
    coras_str host, space, model, tag;
};

/* From the right: the tag, then the model, then whose it is, then where from. */
static void split_name(const char *text, struct ollama_name *ret)
{
    const char *slash = strrchr(text, '/');
    const char *model = slash ? slash + 1 : text, *colon = strchr(model, ':');

    *ret = (struct ollama_name){.host = CORAS_STR("registry.ollama.ai"),
                                .space = CORAS_STR("library"),
                                .tag = CORAS_STR("latest")};
    ret->model = (coras_str){model, colon ? (size_t)(colon - model) : strlen(model)};
    if (colon)
        ret->tag = coras_str_of(colon + 1);
    if (!slash)
        return;
    coras_str before = {text, (size_t)(slash - text)};
    const char *host_end = memchr(before.ptr, '/', before.len);
    if (!host_end) {
        ret->space = before;
        return;
    }
    ret->host = (coras_str){before.ptr, (size_t)(host_end - before.ptr)};
    ret->space = (coras_str){host_end + 1, before.len - ret->host.len - 1};
}

int coras_ollama_manifest_path(const char *name, char **ret, coras_error **err)
{
    struct ollama_name n;

    split_name(name, &n);
    if (!is_part(n.host, true) || !is_part(n.space, false) || !is_part(n.model, false) ||
        !is_part(n.tag, false)) {
        coras_auto_free char *shown = coras_escape_dup(name);
        return coras_fail(err, CORAS_ERR_INVALID_REFERENCE,
                          "\"%s\" is no name of a model of Ollama", shown ? shown : "");
    }
    *ret = coras_asprintf("manifests/%.*s/%.*s/%.*s/%.*s", (int)n.host.len, n.host.ptr,
                          (int)n.space.len, n.space.ptr, (int)n.model.len, n.model.ptr,
                          (int)n.tag.len, n.tag.ptr);
    return *ret ? 0 : coras_fail_no_memory(err);
}

char *coras_ollama_blob_path(const coras_digest *digest)
{
    char hex[CORAS_DIGEST_TEXT_MAX];

    if (digest->algorithm != CORAS_SHA256)
        return NULL;
    return coras_asprintf("blobs/sha256-%s", coras_digest_hex(digest, hex));
}
