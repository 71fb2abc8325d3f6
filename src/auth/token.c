/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking a token service, and keeping what it gives.
 */
#include "auth/token.h"

#include "auth/upgrade.h"
#include "base/clock.h"
#include "codec/date.h"
#include "base/error.h"
#include "codec/json.h"
#include "base/limits.h"

enum {
    DEFAULT_LIFE_S = 60, /* when the service does not say */
    SHORTEST_LIFE_S = 10,
    CLOCK_SKEW_S = 60,
    WAIT_MS = 100, /* between two looks at the cancel flag */
    REALM_MAX = 2 * CORAS_KIB,
};

static const char client_id[] = "coras";

struct coras_token {
    char *token;        /* NULL: none yet */
    int64_t expires_ms; /* monotonic */
    bool fetching;
    unsigned flight;    /* number of the current or last fetch */
    unsigned users;     /* threads that hold it while they wait */
    coras_error *error; /* how the last fetch failed */
};

void coras_token_release(void *value)
{
    struct coras_token *t = value;

    coras_free_secret(t->token);
    coras_error_free(t->error);
    free(t);
}

/* ---- the answer ---- */

/* RFC 6750 2.1: b64token. Anything else must not get into a header. */
static bool is_header_safe(const char *token)
{
    for (const char *p = token; *p; p++)
        if (*p <= ' ' || *p >= 0x7f)
            return false;
    return *token;
}

/* Seconds that have passed since the token was issued, if that can be believed. */
static int64_t age_s(const coras_json *root, int64_t wall_s)
{
    const char *text = coras_json_get_string(root, "issued_at");
    int64_t issued;

    if (!text || coras_parse_rfc3339(text, &issued, NULL) < 0)
        return 0;
    int64_t age = wall_s - issued;
    return age > 0 && age <= CLOCK_SKEW_S ? age : 0;
}

/* How long the token is used: less than the service promised, so that none expires on its way. */
static int64_t life_s(const coras_json *root, int64_t wall_s)
{
    int64_t life;

    if (!coras_json_int(coras_json_get(root, "expires_in"), &life))
        life = DEFAULT_LIFE_S;
    else if (life > CORAS_LIMIT_TOKEN_LIFE_S)
        life = CORAS_LIMIT_TOKEN_LIFE_S;
    else if (life > 0)
        life -= life / 10 > 10 ? life / 10 : 10;
    if (life < SHORTEST_LIFE_S)
        return SHORTEST_LIFE_S;
    life -= age_s(root, wall_s);
    return life < SHORTEST_LIFE_S ? SHORTEST_LIFE_S : life;
}

int coras_token_parse(coras_str body, int64_t wall_s, struct coras_token_reply *ret,
                      coras_error **err)
{
    coras_auto(coras_json) root = NULL;

    if (coras_json_parse(body.ptr, body.len, &root, NULL) < 0)
        return coras_fail(err, CORAS_ERR_UNAUTHORIZED, "token response is not valid JSON");
    const char *token = coras_json_get_string(root, "access_token");
    if (!token || !*token)
        token = coras_json_get_string(root, "token");
    if (!token || !*token)
        return coras_fail(err, CORAS_ERR_UNAUTHORIZED, "empty token returned");
    if (!is_header_safe(token))
        return coras_fail(err, CORAS_ERR_UNAUTHORIZED, "token with invalid characters returned");
    ret->token = coras_strdup(token);
    ret->expires_in_s = life_s(root, wall_s);
    return ret->token ? 0 : coras_fail_no_memory(err);
}

/* ---- the request ---- */

struct fetch {
    coras_auth *auth;
    struct coras_origin *origin; /* of the registry */
    const char *realm, *service, *scopes;
    const coras_cred *cred;
    int64_t deadline_ms; /* of the request that needs it */
};

static void put_pair(coras_buf *b, char separator, const char *name, const char *value)
{
    coras_buf_printf(b, "%c%s=", separator, name);
    coras_url_put_query(b, value);
}

static void put_scopes(coras_buf *b, const char *scopes, char *separator)
{
    coras_auto_buf one = CORAS_BUF_UNLIMITED;

    while (*scopes) {
        size_t n = strcspn(scopes, " ");
        coras_buf_reset(&one);
        coras_buf_put(&one, scopes, n);
        put_pair(b, *separator, "scope", one.ptr);
        *separator = '&';
        scopes += n + (scopes[n] == ' ');
    }
}

static int send_to_realm(const struct fetch *f, const coras_request *req, const char *authorization,
                         coras_response **ret, coras_error **err)
{
    coras_url realm;

    CORAS_TRY(coras_url_parse(req->url, &realm, err));
    const coras_str *host = &f->origin->url.host;
    bool same_host =
        realm.host.len == host->len && strncasecmp(realm.host.ptr, host->ptr, host->len) == 0;
    struct coras_send s = {
        .sender = f->auth->sender,
        .request = req,
        .url = &realm,
        .origin = f->origin,
        .authorization = authorization,
        .auth_origin = &realm,
        .guarded = same_host ? NULL : "bearer realm",
        .is_token = true,
    };
    return coras_send_follow(&s, ret, err);
}

static int get_form(const struct fetch *f, coras_response **ret, coras_error **err)
{
    coras_auto_buf url = CORAS_BUF_INIT(CORAS_LIMIT_URL);
    coras_auto_secret char *basic = coras_cred_basic(f->cred);
    char separator = strchr(f->realm, '?') ? '&' : '?';

    coras_buf_puts(&url, f->realm);
    put_scopes(&url, f->scopes, &separator);
    if (*f->service)
        put_pair(&url, separator, "service", f->service);
    CORAS_TRY(coras_buf_done(&url, err));
    coras_request req = {
        .method = "GET",
        .url = url.ptr,
        .registry = f->auth->registry,
        .body_limit = CORAS_LIMIT_TOKEN_BODY,
        .small = true,
        .deadline_ms = f->deadline_ms,
    };
    return send_to_realm(f, &req, basic, ret, err);
}

static int post_form(const struct fetch *f, coras_response **ret, coras_error **err)
{
    static const coras_header form = {"Content-Type", "application/x-www-form-urlencoded"};
    coras_auto_buf body = CORAS_BUF_INIT(CORAS_LIMIT_URL);

    coras_buf_printf(&body, "client_id=%s&grant_type=refresh_token", client_id);
    put_pair(&body, '&', "refresh_token", f->cred->refresh_token);
    if (*f->scopes)
        put_pair(&body, '&', "scope", f->scopes);
    put_pair(&body, '&', "service", f->service);
    int rc = coras_buf_done(&body, err);
    if (rc == 0) {
        coras_memory memory = {body.ptr, body.len};
        coras_source source = coras_source_memory(&memory);
        coras_request req = {
            .method = "POST",
            .url = f->realm,
            .registry = f->auth->registry,
            .headers = &form,
            .header_count = 1,
            .source = &source,
            .body_length = (int64_t)body.len,
            .body_limit = CORAS_LIMIT_TOKEN_BODY,
            .small = true,
            .deadline_ms = f->deadline_ms,
        };
        rc = send_to_realm(f, &req, NULL, ret, err);
    }
    coras_wipe(body.ptr, body.len);
    return rc;
}

/* Docker's documentation: a service without POST answers 404 (405 is seen too). */
static bool has_no_post(const coras_response *r)
{
    return r->status == 404 || r->status == 405;
}

static int ask(const struct fetch *f, coras_response **ret, coras_error **err)
{
    bool has_refresh_token = f->cred->refresh_token && *f->cred->refresh_token;

    if (!has_refresh_token)
        return get_form(f, ret, err);
    coras_auto(coras_response) r = NULL;
    CORAS_TRY(post_form(f, &r, err));
    if (has_no_post(r) && f->cred->password)
        return get_form(f, ret, err);
    *ret = coras_steal(&r);
    return 0;
}

static int check_realm(const struct fetch *f, coras_error **err)
{
    coras_auto_free char *shown = coras_escape_dup(f->realm);
    coras_url url;

    if (!shown)
        return coras_fail_no_memory(err);
    if (strlen(f->realm) > REALM_MAX)
        return coras_fail(err, CORAS_ERR_UNTRUSTED_ORIGIN, "bearer realm exceeds %d bytes",
                          REALM_MAX);
    if (coras_url_parse(f->realm, &url, NULL) < 0)
        return coras_fail(err, CORAS_ERR_UNTRUSTED_ORIGIN,
                          "bearer realm \"%s\" is no http or https URL", shown);
    if (f->origin->url.https && !url.https)
        return coras_fail(err, CORAS_ERR_UNTRUSTED_ORIGIN,
                          "bearer realm \"%s\" uses http but registry was contacted over https",
                          shown);
    return 0;
}

static int read_reply(const struct fetch *f, const coras_response *r,
                      struct coras_token_reply *reply, coras_error **err)
{
    coras_request req = {.method = r->method, .url = r->url};

    if (r->status == 200)
        return coras_token_parse(coras_response_body(r), coras_wall_s(), reply, err);
    int rc = coras_response_to_error(&req, r, err);
    coras_error_set_party(err, CORAS_PARTY_TOKEN_SERVICE);
    if (r->status == 401 || r->status == 403) {
        if (f->cred->found_in)
            coras_advise_with(err, CORAS_HINT_TOKEN_CREDENTIAL_REFUSED, f->cred->found_in);
        else
            coras_advise_with(err, CORAS_HINT_NO_ANONYMOUS_TOKEN, f->auth->registry);
        return rc;
    }
    coras_advise_with(err, CORAS_HINT_TOKEN_SERVICE_FAILED, f->auth->registry);
    return coras_error_recode(err, CORAS_ERR_HTTP);
}

static int fetch_token(coras_auth *a, const coras_request *req, const char *scopes,
                       const char *realm, const char *service, struct coras_token_reply *reply,
                       coras_error **err)
{
    coras_auto_value(coras_cred) cred = {0};
    coras_auto(coras_response) r = NULL;
    struct fetch f = {
        a, coras_auth_current_origin(a), realm, service, scopes, &cred, req->deadline_ms};

    CORAS_TRY(coras_auth_credential(a, req, &cred, err));
    if (cred.access_token && *cred.access_token) {
        reply->token = coras_strdup(cred.access_token);
        reply->expires_in_s = INT32_MAX;
        return reply->token ? 0 : coras_fail_no_memory(err);
    }
    CORAS_TRY(check_realm(&f, err));
    CORAS_TRY(ask(&f, &r, err));
    if (cred.spare && (r->status == 401 || r->status == 403)) {
        CORAS_TRY(coras_credentials_refuse(a->credentials, &cred, err));
        return fetch_token(a, req, scopes, realm, service, reply, err);
    }
    return read_reply(&f, r, reply, err);
}

/* ---- the cache ---- */

static bool is_idle(const void *token)
{
    return ((const struct coras_token *)token)->users == 0;
}

/* A cache that serves for months is asked for any number of repositories. */
static int find_or_add(coras_auth *a, const char *scopes, struct coras_token **ret,
                       coras_error **err)
{
    struct coras_token *t = coras_map_get(a->tokens, scopes);

    if (!t && coras_map_len(a->tokens) >= CORAS_LIMIT_REMEMBERED)
        coras_map_drop(a->tokens, is_idle);
    if (!t) {
        t = coras_new(struct coras_token);
        if (!t)
            return coras_fail_no_memory(err);
        int rc = coras_map_set(a->tokens, scopes, t, err);
        if (rc < 0) {
            coras_token_release(t);
            return rc;
        }
    }
    *ret = t;
    return 0;
}

static bool is_usable(const struct coras_token *t, const char *rejected)
{
    return t->token && coras_now_ms() < t->expires_ms &&
           !(rejected && coras_streq(t->token, rejected));
}

static void wait_a_little(coras_auth *a)
{
    struct timespec until = coras_deadline_ms(WAIT_MS);

    pthread_cond_timedwait(&a->changed, &a->lock, &until);
}

/* Wait for the fetch of another thread; its failure is ours too. Under the lock. */
static int join_flight(coras_auth *a, struct coras_token *t, coras_error **err)
{
    unsigned flight = t->flight;

    while (t->fetching && t->flight == flight) {
        CORAS_TRY(coras_cancel_check(a->sender->cancel, err));
        wait_a_little(a);
    }
    if (t->flight != flight || !t->error)
        return 0;
    int rc = coras_error_code(t->error);
    if (err)
        *err = coras_error_dup(t->error);
    return rc;
}

static int fly(coras_auth *a, struct coras_token *t, const coras_request *req, const char *scopes,
               coras_error **err)
{
    coras_auto_free char *realm = coras_strdup(a->realm ? a->realm : "");
    coras_auto_free char *service = coras_strdup(a->service ? a->service : "");
    coras_auto(coras_error) failure = NULL;
    struct coras_token_reply reply = {0};

    t->fetching = true;
    t->flight++;
    pthread_mutex_unlock(&a->lock);
    int rc = realm && service ? fetch_token(a, req, scopes, realm, service, &reply, &failure)
                              : coras_fail_no_memory(&failure);
    pthread_mutex_lock(&a->lock);
    t->fetching = false;
    coras_error_clear(&t->error);
    if (rc == 0) {
        coras_free_secret(t->token);
        t->token = reply.token;
        t->expires_ms = coras_now_ms() + reply.expires_in_s * 1000;
    } else {
        t->error = coras_error_dup(failure);
        coras_error_propagate(err, &failure);
    }
    pthread_cond_broadcast(&a->changed);
    return rc;
}

static int make_usable(coras_auth *a, struct coras_token *t, const coras_request *req,
                       const char *scopes, const char *rejected, bool *fresh, coras_error **err)
{
    while (!is_usable(t, rejected)) {
        if (t->fetching) {
            CORAS_TRY(join_flight(a, t, err));
        } else {
            CORAS_TRY(fly(a, t, req, scopes, err));
            /* The same text again is an answer, too: the request will show what it is worth. */
            rejected = NULL;
        }
        *fresh = true;
    }
    return 0;
}

static int get_locked(coras_auth *a, const coras_request *req, const char *scopes,
                      const char *rejected, char **ret, bool *fresh, coras_error **err)
{
    struct coras_token *t;
    int rc;

    CORAS_TRY(find_or_add(a, scopes, &t, err));
    t->users++;
    rc = make_usable(a, t, req, scopes, rejected, fresh, err);
    t->users--;
    if (rc < 0)
        return rc;
    *ret = coras_strdup(t->token);
    return *ret ? 0 : coras_fail_no_memory(err);
}

int coras_token_get(coras_auth *a, const coras_request *req, const char *scopes,
                    const char *rejected, char **ret, bool *ret_fresh, coras_error **err)
{
    *ret_fresh = false;
    pthread_mutex_lock(&a->lock);
    int rc = get_locked(a, req, scopes, rejected, ret, ret_fresh, err);
    pthread_mutex_unlock(&a->lock);
    return rc;
}
