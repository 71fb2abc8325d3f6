/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answering challenges: which scopes are wanted, which grant a request carries, what to do when it
 * is refused.
 */
#include "auth/auth.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "auth/scope.h"
#include "auth/token.h"

void coras_auth_free(coras_auth *a)
{
    if (!a)
        return;
    coras_cred_clear(&a->fixed);
    free(a->registry);
    free(a->origin.base_url);
    coras_origin_free(a->secure);
    free(a->realm);
    free(a->service);
    coras_map_free(a->tokens);
    coras_map_free(a->wider);
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

int coras_auth_new(const struct coras_sender *sender, coras_credentials *credentials,
                   const char *registry, const char *base_url, coras_auth **ret, coras_error **err)
{
    coras_auto(coras_auth) a = coras_new(coras_auth);

    if (!a)
        return coras_fail_no_memory(err);
    pthread_mutex_init(&a->lock, NULL);
    coras_cond_init(&a->changed);
    a->sender = sender;
    a->credentials = credentials;
    a->registry = coras_strdup(registry);
    a->origin.base_url = coras_strdup(base_url);
    a->tokens = coras_map_new(coras_token_release);
    a->wider = coras_map_new(free);
    if (!a->registry || !a->origin.base_url || !a->tokens || !a->wider)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_url_parse(a->origin.base_url, &a->origin.url, err));
    *ret = coras_steal(&a);
    return 0;
}

void coras_grant_clear(coras_grant *g)
{
    coras_free_secret(g->header);
    free(g->scopes);
    *g = (coras_grant){0};
}

int coras_auth_credential(coras_auth *a, const coras_request *req, coras_cred *ret,
                          coras_error **err)
{
    coras_auto_free char *repository = coras_scopes_repository(req->scopes);

    if (!a->credentials)
        return coras_cred_copy(&a->fixed, ret, err);
    return coras_credentials_get(a->credentials, a->registry, repository, ret, err);
}

/* ---- scopes ---- */

/* What the request wants, cleaned; the challenge's scope (may be NULL) is joined to it. */
static int want(const coras_request *req, const char *challenge_scope, char **ret,
                coras_error **err)
{
    coras_auto_value(coras_strlist) all = {0};
    coras_auto_value(coras_strlist) clean = {0};
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    for (size_t i = 0; req->scopes && req->scopes[i]; i++)
        CORAS_TRY(coras_strlist_add(&all, req->scopes[i], err));
    if (challenge_scope)
        CORAS_TRY(coras_scopes_add_challenge(&all, challenge_scope, err));
    CORAS_TRY(coras_scopes_clean(&all, &clean, err));
    coras_scopes_put(&text, &clean);
    return coras_buf_take(&text, ret, err);
}

/* Scopes that the registry asked for when the same were wanted before. */
static int widen(coras_auth *a, char **scopes, coras_error **err)
{
    pthread_mutex_lock(&a->lock);
    const char *known = coras_map_get(a->wider, *scopes);
    char *wider = known ? coras_strdup(known) : NULL;
    pthread_mutex_unlock(&a->lock);
    if (!known)
        return 0;
    if (!wider)
        return coras_fail_no_memory(err);
    free(*scopes);
    *scopes = wider;
    return 0;
}

static int remember_wider(coras_auth *a, const char *wanted, const char *asked, coras_error **err)
{
    char *copy = coras_strdup(asked);

    if (!copy)
        return coras_fail_no_memory(err);
    pthread_mutex_lock(&a->lock);
    if (coras_map_len(a->wider) >= CORAS_LIMIT_REMEMBERED)
        coras_map_drop(a->wider, NULL);
    int rc = coras_map_set(a->wider, wanted, copy, err);
    pthread_mutex_unlock(&a->lock);
    if (rc < 0)
        free(copy);
    return rc;
}

/* ---- grants ---- */

/* Upstream's form of a failure between a challenge and its answer. */
static int wrap(coras_error **err, int rc, const coras_request *req)
{
    coras_auto_buf url = CORAS_BUF_UNLIMITED;

    if (rc == CORAS_ERR_CANCELLED)
        return rc;
    coras_url_put_for_message(&url, req->url);
    coras_error_set_url(err, url.ptr);
    return coras_wrap(err, rc, "%s \"%s\"", req->method, url.ptr);
}

static int grant_bearer(coras_auth *a, const coras_request *req, char **take_scopes,
                        const char *rejected, coras_grant *ret, coras_error **err)
{
    coras_auto_secret char *token = NULL;
    bool fresh;

    int rc = coras_token_get(a, req, *take_scopes, rejected, &token, &fresh, err);
    if (rc < 0)
        return wrap(err, rc, req);
    char *header = coras_asprintf("Bearer %s", token);
    if (!header)
        return coras_fail_no_memory(err);
    coras_grant_clear(ret);
    ret->scheme = CORAS_AUTH_BEARER;
    ret->header = header;
    ret->scopes = coras_steal(take_scopes);
    ret->fresh = fresh;
    return 0;
}

static int grant_basic(coras_auth *a, const coras_request *req, coras_grant *ret, coras_error **err)
{
    coras_auto_value(coras_cred) cred = {0};

    int rc = coras_auth_credential(a, req, &cred, err);
    if (rc < 0)
        return wrap(err, rc, req);
    if (coras_cred_is_empty(&cred)) {
        rc = coras_fail(err, CORAS_ERR_NO_CREDENTIAL, "basic credential not found");
        const char *file = a->credentials ? coras_credentials_file(a->credentials) : NULL;
        coras_advise_with(err, CORAS_HINT_NO_CREDENTIAL, coras_cred_key(a->registry), file);
        return rc;
    }
    char *header = coras_cred_basic(&cred);
    if (!header) {
        rc = coras_fail(err, CORAS_ERR_UNAUTHORIZED, "missing username or password for basic auth");
        return wrap(err, rc, req);
    }
    coras_grant_clear(ret);
    ret->scheme = CORAS_AUTH_BASIC;
    ret->header = header;
    ret->fresh = true;
    return 0;
}

int coras_auth_begin(coras_auth *a, const coras_request *req, coras_grant *ret, coras_error **err)
{
    coras_auto_free char *scopes = NULL;

    pthread_mutex_lock(&a->lock);
    enum coras_auth_scheme scheme = a->scheme;
    pthread_mutex_unlock(&a->lock);
    if (scheme == CORAS_AUTH_NONE)
        return 0;
    if (scheme == CORAS_AUTH_BASIC)
        return grant_basic(a, req, ret, err);
    CORAS_TRY(want(req, NULL, &scopes, err));
    CORAS_TRY(widen(a, &scopes, err));
    return grant_bearer(a, req, &scopes, NULL, ret, err);
}

/* ---- challenges ---- */

static int read_challenges(const coras_response *r, coras_challenges *l, coras_error **err)
{
    const char *line;

    for (size_t i = 0; (line = coras_response_header_at(r, "WWW-Authenticate", i)); i++)
        CORAS_TRY(coras_challenges_parse(line, l, err));
    return 0;
}

static const coras_challenge *find_bearer(const coras_challenges *l)
{
    for (size_t i = 0; i < l->len; i++) {
        const char *realm = coras_challenge_get(&l->items[i], "realm");
        if (coras_streq(l->items[i].scheme, "bearer") && realm && *realm)
            return &l->items[i];
    }
    return NULL;
}

static int learn_bearer(coras_auth *a, const coras_challenge *c, coras_error **err)
{
    const char *service = coras_challenge_get(c, "service");
    char *new_realm = coras_strdup(coras_challenge_get(c, "realm"));
    char *new_service = coras_strdup(service ? service : "");

    if (!new_realm || !new_service) {
        free(new_realm);
        free(new_service);
        return coras_fail_no_memory(err);
    }
    pthread_mutex_lock(&a->lock);
    a->scheme = CORAS_AUTH_BEARER;
    free(a->realm);
    free(a->service);
    a->realm = new_realm;
    a->service = new_service;
    pthread_mutex_unlock(&a->lock);
    return 0;
}

static int answer_bearer(coras_auth *a, const coras_request *req, const coras_challenge *c,
                         coras_grant *grant, coras_error **err)
{
    coras_auto_free char *wanted = NULL;
    coras_auto_free char *scopes = NULL;
    const char *rejected = NULL;

    CORAS_TRY(want(req, NULL, &wanted, err));
    CORAS_TRY(want(req, coras_challenge_get(c, "scope"), &scopes, err));
    if (grant->scheme == CORAS_AUTH_BEARER && coras_streq(grant->scopes, scopes)) {
        if (grant->fresh)
            return 0;
        rejected = grant->header + strlen("Bearer ");
    }
    CORAS_TRY(learn_bearer(a, c, err));
    if (!coras_streq(wanted, scopes))
        CORAS_TRY(remember_wider(a, wanted, scopes, err));
    CORAS_TRY(grant_bearer(a, req, &scopes, rejected, grant, err));
    return 1;
}

/* Whether another credential may do where a spare one was refused. */
static int has_other_credential(coras_auth *a, const coras_request *req, coras_error **err)
{
    coras_auto_value(coras_cred) cred = {0};
    coras_auto_value(coras_cred) other = {0};

    CORAS_TRY(coras_auth_credential(a, req, &cred, err));
    if (!cred.spare)
        return 0;
    CORAS_TRY(coras_credentials_refuse(a->credentials, &cred, err));
    CORAS_TRY(coras_auth_credential(a, req, &other, err));
    return !coras_cred_is_empty(&other);
}

static int answer_basic(coras_auth *a, const coras_request *req, coras_grant *grant,
                        coras_error **err)
{
    if (grant->scheme == CORAS_AUTH_BASIC) {
        int more = has_other_credential(a, req, err);
        if (more <= 0)
            return more;
    }
    CORAS_TRY(grant_basic(a, req, grant, err));
    pthread_mutex_lock(&a->lock);
    a->scheme = CORAS_AUTH_BASIC;
    pthread_mutex_unlock(&a->lock);
    return 1;
}

int coras_auth_answer(coras_auth *a, const coras_request *req, const coras_response *refusal,
                      coras_grant *grant, coras_error **err)
{
    coras_auto_value(coras_challenges) list = {0};
    int rc = 0;

    CORAS_TRY(read_challenges(refusal, &list, err));
    const coras_challenge *bearer = find_bearer(&list);
    if (refusal->status == 403) {
        const char *error = bearer ? coras_challenge_get(bearer, "error") : NULL;
        if (!error || !coras_streq(error, "insufficient_scope"))
            return 0;
    }
    if (bearer)
        rc = answer_bearer(a, req, bearer, grant, err);
    else if (coras_challenges_find(&list, "basic"))
        rc = answer_basic(a, req, grant, err);
    return rc;
}
