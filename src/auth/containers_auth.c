#include "auth/containers_auth.h"

#include <unistd.h>
#include "base/error.h"
#include "base/fs.h"
#include "auth/credential_helper.h"

char *coras_authjson_runtime_path(void)
{
    const char *dir = getenv("XDG_RUNTIME_DIR");

    if (dir && *dir)
        return coras_path_join(dir, "containers/auth.json");
    return coras_asprintf("/run/containers/%u/auth.json", (unsigned)getuid());
}

char *coras_authjson_config_path(void)
{
    const char *dir = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");

    if (dir && *dir)
        return coras_path_join(dir, "containers/auth.json");
    return home && *home ? coras_path_join(home, ".config/containers/auth.json") : NULL;
}

static int found(const coras_dockerconfig *file, const char *key, coras_cred *ret,
                 coras_error **err)
{
    ret->found_in = coras_asprintf("%s under the key \"%s\"", file->path, key);
    if (ret->found_in)
        return 1;
    coras_cred_clear(ret);
    return coras_fail_no_memory(err);
}

int coras_authjson_get(const coras_dockerconfig *file, const char *registry, const char *repository,
                       const coras_cancel *cancel, coras_cred *ret, coras_error **err)
{
    const coras_json *auths = coras_json_get(file->root, "auths");
    const char *host = coras_streq(registry, "registry-1.docker.io") ? "docker.io" : registry;
    const char *helper = coras_json_get_string(coras_json_get(file->root, "credHelpers"), host);

    if (helper && *helper) {
        int rc = coras_helper_get(helper, host, cancel, ret, err);
        return rc > 0 ? found(file, host, ret, err) : rc;
    }
    coras_auto_free char *key =
        repository ? coras_asprintf("%s/%s", host, repository) : coras_strdup(host);
    if (!key)
        return coras_fail_no_memory(err);
    for (;;) {
        int rc = coras_dockerconfig_entry(auths, key, ret, err);
        if (rc != 0)
            return rc > 0 ? found(file, key, ret, err) : rc;
        char *slash = strrchr(key, '/');
        if (!slash)
            return 0;
        *slash = '\0';
    }
}
