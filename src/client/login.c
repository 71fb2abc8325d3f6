/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logging in: a credential is checked against the registry, then kept. Logging out.
 */
#include "base/error.h"
#include "coras/reference.h"
#include "client/client_impl.h"
#include "auth/docker_config.h"

static int take_typed(const coras_credential *typed, coras_cred *ret, coras_error **err)
{
    bool named = typed->username && *typed->username;
    char **place = named ? &ret->password : &ret->refresh_token;

    *place = coras_strdup(typed->secret);
    if (named)
        ret->username = coras_strdup(typed->username);
    ret->found_in = coras_strdup("what was typed");
    bool ok = *place && ret->found_in && (!named || ret->username);
    return ok ? 0 : coras_fail_no_memory(err);
}

/* GET /v2/ in a state of its own: nothing of other requests helps, nothing stays behind. */
static int validate(coras_client *client, const char *registry, const coras_cred *cred,
                    coras_error **err)
{
    static const int not_found[] = {404, 0};
    coras_auto_free char *base_url = NULL;
    coras_auto_free char *url = NULL;
    coras_auto(coras_auth) auth = NULL;
    coras_auto(coras_response) r = NULL;

    CORAS_TRY(coras_client_base_url(client, registry, &base_url, err));
    url = coras_asprintf("%s/v2/", base_url);
    if (!url)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_auth_new(&client->sender, NULL, registry, base_url, &auth, err));
    CORAS_TRY(coras_cred_copy(cred, &auth->fixed, err));
    coras_request req = {.method = "GET", .url = url, .registry = registry, .small = true};
    CORAS_TRY(coras_client_send_as(client, auth, &req, not_found, &r, err));
    if (coras_response_status(r) == 404) {
        coras_fail(err, CORAS_ERR_NOT_FOUND, "not found");
        coras_advise_with(err, CORAS_HINT_NOT_A_REGISTRY, registry);
        return CORAS_ERR_NOT_FOUND;
    }
    return 0;
}

int coras_login(coras_client *client, const char *registry, const coras_credential *credential,
                coras_error **err)
{
    coras_auto_value(coras_cred) cred = {0};
    coras_auto_free char *path = NULL;

    if (!client || !registry || !credential || !credential->secret)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "login without registry or secret");
    CORAS_TRY(coras_registry_validate(registry, err));
    CORAS_TRY(take_typed(credential, &cred, err));
    CORAS_TRY(coras_credentials_check(client->credentials, err));
    int rc = validate(client, registry, &cred, err);
    if (rc < 0)
        return coras_wrap(err, rc, "failed to validate the credentials for %s", registry);
    CORAS_TRY(coras_credentials_write_path(client->credentials, &path, err));
    rc =
        coras_dockerconfig_store(path, coras_cred_key(registry), &cred, client->sender.cancel, err);
    return rc < 0 ? coras_wrap(err, rc, "failed to store the credentials for %s", registry) : 0;
}

int coras_logout(const char *registry, const char *const *registry_configs,
                 const coras_environment *environment, coras_error **err)
{
    coras_auto_free char *path = NULL;

    if (!registry)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "logout without registry");
    environment = coras_environment_or_none(environment);
    CORAS_TRY(coras_credentials_check_files(registry_configs, environment, err));
    CORAS_TRY(coras_credentials_find_write_path(registry_configs, environment, &path, err));
    int rc = coras_dockerconfig_store(path, coras_cred_key(registry), NULL, NULL, err);
    if (rc < 0)
        return coras_wrap(err, rc, "failed to delete the credential for %s", registry);
    return 0;
}
