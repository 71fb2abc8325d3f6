/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of config.json and auth.json: what is found is a credential. */
#include "fuzz.h"

#include "auth/containers_auth.h"

bool fuzz_one(const char *data, size_t len)
{
    static const char *const keys[] = {"h", "h:5000", "https://index.docker.io/v1/"};
    coras_dockerconfig file = {.path = (char[]){"config.json"}};
    bool any = false;

    if (coras_json_parse(data, len, &file.root, NULL) < 0)
        return false;
    const coras_json *auths = coras_json_get(file.root, "auths");
    for (size_t i = 0; i < CORAS_ARRAY_LEN(keys); i++) {
        coras_auto_value(coras_cred) cred = {0};
        coras_auto_secret char *basic = NULL;
        int rc = coras_dockerconfig_entry(auths, keys[i], &cred, NULL);
        FUZZ_CHECK(rc <= 0 || !coras_cred_is_empty(&cred));
        basic = coras_cred_basic(&cred);
        any |= rc > 0;
    }
    coras_json_free(file.root);
    return any;
}
