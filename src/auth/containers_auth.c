/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking up a credential in an auth.json.
 */
#include "auth/containers_auth.h"

#include <unistd.h>
#include "base/error.h"
#include "base/fs.h"
#include "auth/credential_helper.h"

int coras_authjson_get(const coras_dockerconfig *file, const char *registry, const char *repository,
                       const coras_strlist *refused, const coras_cancel *cancel, coras_cred *ret,
                       coras_error **err)
{
    const char *host = coras_streq(registry, "registry-1.docker.io") ? "docker.io" : registry;
    const char *helper = coras_json_get_string(coras_json_get(file->root, "credHelpers"), host);

    if (!helper || !*helper)
        return coras_dockerconfig_get_longest(file, host, repository, refused, ret, err);
    int rc = coras_helper_get(helper, host, cancel, ret, err);
    if (rc <= 0)
        return rc;
    ret->found_in = coras_asprintf("%s under the key \"%s\"", file->path, host);
    if (ret->found_in && !(refused && coras_strlist_has(refused, ret->found_in)))
        return 1;
    rc = ret->found_in ? 0 : coras_fail_no_memory(err);
    coras_cred_clear(ret);
    return rc;
}
