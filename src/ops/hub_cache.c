/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names in the cache of the hub's clients (hub_cache.h).
 */
#include "ops/hub_cache.h"

#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"

static const char model_prefix[] = "models--";

bool coras_hub_is_repository(const char *name)
{
    return coras_str_starts(name, model_prefix) || coras_str_starts(name, "datasets--") ||
           coras_str_starts(name, "spaces--");
}

char *coras_hub_repository_of(const char *path)
{
    static const char part[] = "/snapshots/";
    const char *at = strstr(path, part);

    for (; at; at = strstr(at + 1, part)) {
        coras_auto_free char *repository = coras_strndup(path, (size_t)(at - path));
        if (repository && coras_hub_is_repository(coras_path_base(repository)))
            return coras_steal(&repository);
    }
    return NULL;
}

char *coras_hub_blobs_of(const char *path)
{
    coras_auto_free char *repository = coras_hub_repository_of(path);

    return repository ? coras_path_join(repository, "blobs") : NULL;
}

char *coras_hub_model_name(const char *repository)
{
    const char *base = coras_path_base(repository);
    coras_auto_buf name = CORAS_BUF_UNLIMITED;
    char *ret = NULL;

    if (!coras_str_starts(base, model_prefix))
        return NULL;
    base += sizeof(model_prefix) - 1;
    for (const char *dashes = strstr(base, "--"); dashes; dashes = strstr(base, "--")) {
        coras_buf_put(&name, base, (size_t)(dashes - base));
        coras_buf_putc(&name, '/');
        base = dashes + 2;
    }
    coras_buf_puts(&name, base);
    return coras_buf_take(&name, &ret, NULL) == 0 ? ret : NULL;
}

static bool is_hex(const char *name, size_t len)
{
    if (strlen(name) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!coras_is_hex_lower(name[i]))
            return false;
    return true;
}

bool coras_hub_is_commit(const char *name)
{
    return is_hex(name, 40);
}

bool coras_hub_blob_digest(const char *name, coras_digest *ret)
{
    if (!is_hex(name, 64))
        return false;
    coras_auto_free char *text = coras_asprintf("sha256:%s", name);
    return text && coras_digest_parse(text, ret, NULL) == 0;
}
