/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Advice for answers that refuse: what was tried, and what people usually forget at that registry.
 */
#include "base/error.h"
#include "client/client_impl.h"
#include "http/retry_after.h"

/* What is special about the registry; NULL when nothing is known. */
static const char *registry_advice(const char *registry, int status)
{
    if (coras_streq(registry, "ghcr.io"))
        return status == 403 ? "at ghcr.io the token needs write:packages (to read: "
                               "read:packages) and access to the organisation"
                             : "at ghcr.io the password is a token with read:packages or "
                               "write:packages";
    if (strstr(registry, ".dkr.ecr.") || coras_streq(registry, "public.ecr.aws"))
        return "a password from 'aws ecr get-login-password' is valid for 12 hours, the user is "
               "AWS";
    if (coras_streq(registry, "docker.io") || coras_streq(registry, "registry-1.docker.io"))
        return "on Docker Hub repositories are NAMESPACE/NAME, official images library/NAME";
    if (coras_str_ends(registry, ".azurecr.io"))
        return "'az acr login' or a token of the registry gives access for some hours";
    if (coras_str_ends(registry, ".pkg.dev") || coras_str_ends(registry, "gcr.io"))
        return "the user is oauth2accesstoken with a password from 'gcloud auth "
               "print-access-token'";
    return NULL;
}

static void hint_refusal(coras_auth *auth, const coras_request *req, int status, coras_error **err)
{
    coras_auto_value(coras_cred) cred = {0};
    const char *advice = registry_advice(auth->registry, status);
    coras_auto(coras_error) ignored = NULL; /* the refusal is the news, not the look-up */

    if (coras_auth_credential(auth, req, &cred, &ignored) < 0)
        return;
    if (coras_cred_is_empty(&cred)) {
        coras_advise_with(err, CORAS_HINT_LOG_IN, coras_cred_key(auth->registry), auth->registry,
                          advice);
        return;
    }
    coras_auto_free char *user =
        cred.username && *cred.username ? coras_escape_dup(cred.username) : NULL;
    coras_advise_with(err, CORAS_HINT_CREDENTIAL_TRIED, user, cred.found_in, advice);
}

static void hint_busy(const coras_response *r, coras_error **err)
{
    int64_t wait = coras_response_retry_after_s(r);
    coras_auto_free char *seconds = coras_asprintf("%lld", (long long)wait);

    if (wait > 0)
        coras_advise_with(err, CORAS_HINT_WAIT, seconds);
    else if (r->status == 429)
        coras_advise(err, CORAS_HINT_LIMIT_CONCURRENCY);
}

/* A server of HTTPS that is spoken to in plain HTTP answers 400, in as many words as there are
 * servers; a registry's own 400 has a code. */
static bool may_want_tls(const coras_response *r, coras_error *const *err)
{
    return r->status == 400 && coras_str_starts(r->url, "http://") &&
           !coras_error_registry_code(*err);
}

void coras_client_hint(coras_client *client, coras_auth *auth, const coras_request *req,
                       const coras_response *r, coras_error **err)
{
    (void)client;
    if (!err || !*err)
        return;
    if (r->foreign && (r->status == 401 || r->status == 403))
        coras_advise(err, CORAS_HINT_REFUSED_ELSEWHERE);
    else if (r->status == 407)
        coras_advise(err, CORAS_HINT_PROXY_CREDENTIAL);
    else if (r->status == 401 || r->status == 403)
        hint_refusal(auth, req, r->status, err);
    else if (r->status == 429 || r->status == 503)
        hint_busy(r, err);
    else if (may_want_tls(r, err))
        coras_advise(err, CORAS_HINT_USE_TLS);
}
