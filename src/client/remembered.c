/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of what is kept in the cache directory (remembered.h).
 */
#include "client/remembered.h"

#include "base/alloc.h"
#include "base/fs.h"
#include "oci/digest.h"

char *coras_remembered_dir(const char *cache_dir, const char *kind)
{
    coras_auto_free char *dir = coras_path_join(cache_dir, kind);

    return dir && coras_mkdir_all(AT_FDCWD, dir, 0700, NULL) == 0 ? coras_steal(&dir) : NULL;
}

char *coras_remembered_path(const char *dir, const char *name)
{
    char hex[CORAS_DIGEST_TEXT_MAX];
    coras_digest hashed;

    if (coras_digest_of(CORAS_SHA256, name, strlen(name), &hashed, NULL) < 0)
        return NULL;
    return coras_path_join(dir, coras_digest_hex(&hashed, hex));
}
