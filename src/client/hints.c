/*
 * Advice for answers that refuse: what was tried, and what people usually forget at that registry.
 */
#include "base/error.h"
#include "client/client_impl.h"
#include "http/retry_after.h"

/* What is special about the registry, "" when nothing is known. */
static const char *registry_advice(const char *registry, int status)
{
    if (coras_streq(registry, "ghcr.io"))
        return status == 403 ? "; at ghcr.io the token needs write:packages (to read: "
                               "read:packages) and access to the organisation"
                             : "; at ghcr.io the password is a token with read:packages or "
                               "write:packages";
    if (strstr(registry, ".dkr.ecr.") || coras_streq(registry, "public.ecr.aws"))
        return "; a password from 'aws ecr get-login-password' is valid for 12 hours, the user is "
               "AWS";
    if (coras_streq(registry, "docker.io") || coras_streq(registry, "registry-1.docker.io"))
        return "; on Docker Hub repositories are NAMESPACE/NAME, official images library/NAME";
    if (coras_str_ends(registry, ".azurecr.io"))
        return "; 'az acr login' or a token of the registry gives access for some hours";
    if (coras_str_ends(registry, ".pkg.dev") || coras_str_ends(registry, "gcr.io"))
        return "; the user is oauth2accesstoken with a password from 'gcloud auth "
               "print-access-token'";
    return "";
}

static void hint_refusal(coras_auth *auth, const coras_request *req, int status, coras_error **err)
{
    coras_auto_value(coras_cred) cred = {0};
    const char *advice = registry_advice(auth->registry, status);
    coras_auto(coras_error) ignored = NULL; /* the refusal is the news, not the look-up */

    if (coras_auth_credential(auth, req, &cred, &ignored) < 0)
        return;
    if (coras_cred_is_empty(&cred)) {
        coras_hint(err,
                   "the request was anonymous: no credential for the key \"%s\"; log in with "
                   "'login %s'%s",
                   coras_cred_key(auth->registry), auth->registry, advice);
        return;
    }
    coras_auto_free char *user =
        cred.username && *cred.username ? coras_escape_dup(cred.username) : NULL;
    coras_hint(err, "tried %s%s%s from %s%s", user ? "user \"" : "an identity token",
               user ? user : "", user ? "\"" : "", cred.found_in ? cred.found_in : "login", advice);
}

static void hint_busy(const coras_response *r, coras_error **err)
{
    int64_t wait = coras_response_retry_after_s(r);

    if (wait > 0)
        coras_hint(err, "the registry asks to wait %lld s before the next request",
                   (long long)wait);
    else if (r->status == 429)
        coras_hint(err, "too many requests: wait, log in for a higher limit, or use fewer "
                        "transfers at a time (--concurrency)");
}

/* In the words of Go's server, of nginx and of Apache. */
static bool wants_tls(const coras_response *r)
{
    static const char *const texts[] = {"HTTP request to an HTTPS server",
                                        "plain HTTP request was sent to HTTPS port",
                                        "speaking plain HTTP to an SSL-enabled server"};

    for (size_t i = 0; r->status == 400 && i < CORAS_ARRAY_LEN(texts); i++)
        if (memmem(r->body.ptr, r->body.len, texts[i], strlen(texts[i])))
            return true;
    return false;
}

void coras_client_hint(coras_client *client, coras_auth *auth, const coras_request *req,
                       const coras_response *r, coras_error **err)
{
    (void)client;
    if (r->foreign && (r->status == 401 || r->status == 403))
        coras_hint(err, "the refusal comes from the host that the registry redirects to; no "
                        "credential is sent there");
    else if (r->status == 407)
        coras_hint(err, "give the proxy's user and password in HTTP_PROXY or HTTPS_PROXY");
    else if (r->status == 401 || r->status == 403)
        hint_refusal(auth, req, r->status, err);
    else if (r->status == 429 || r->status == 503)
        hint_busy(r, err);
    else if (wants_tls(r))
        coras_hint(err, "the registry speaks TLS: leave --plain-http out, or use "
                        "--plain-http=false for localhost");
}
