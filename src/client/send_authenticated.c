/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One authenticated exchange, from request to answer or error.
 */
#include "base/error.h"
#include "base/limits.h"
#include "base/trace.h"
#include "auth/upgrade.h"
#include "client/client_impl.h"

enum { MOST_TRIES = 3 }; /* without a token, with an old one, with a new one */

static bool is_allowed(const coras_response *r, const int *allowed)
{
    if (r->status >= 200 && r->status < 300)
        return true;
    for (; allowed && *allowed; allowed++)
        if (r->status == *allowed)
            return true;
    return false;
}

static bool is_unfollowed_redirect(const coras_request *req, const coras_response *r)
{
    return req->no_foreign_redirect && r->status >= 300 && r->status < 400 &&
           coras_response_header(r, "Location");
}

/* Once per registry and text. */
static bool is_new_warning(coras_client *client, const char *registry, const char *text)
{
    static char seen;
    coras_auto_free char *key = coras_asprintf("%s\n%s", registry, text);
    bool is_new = false;

    if (!key)
        return false;
    pthread_mutex_lock(&client->lock);
    if (!coras_map_has(client->warned, key))
        is_new = coras_map_set(client->warned, key, &seen, NULL) == 0;
    pthread_mutex_unlock(&client->lock);
    return is_new;
}

/* `299 - "text"` (RFC 7234 5.5), the only form that registries use. */
static void warn(coras_client *client, const char *registry, const char *value)
{
    static const char head[] = "299 - \"";
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;

    if (!coras_str_starts(value, head))
        return;
    const char *p = value + sizeof(head) - 1;
    for (; *p && *p != '"'; p++) {
        if (*p == '\\' && p[1])
            p++;
        coras_buf_putc(&text, *p);
    }
    if (*p != '"' || !is_new_warning(client, registry, text.ptr))
        return;
    coras_auto_free char *data = coras_asprintf("registry=%s", registry);
    coras_escape(&shown, text.ptr, text.len, CORAS_LIMIT_ERROR_TEXT);
    coras_trace_warning(data, "%s", shown.ptr);
}

static void pass_warnings(coras_client *client, const char *registry, const coras_response *r)
{
    const char *value;

    for (size_t i = 0; (value = coras_response_header_at(r, "Warning", i)); i++)
        warn(client, registry, value);
}

static bool is_refusal(const coras_response *r)
{
    return r->status == 401 || r->status == 403;
}

static bool has_own_authorization(const coras_auth *auth)
{
    return coras_header_list_at(&auth->sender->custom, "Authorization", 0) != NULL;
}

/* Whether the refusal is the registry's, at the place where it is asked (from now on). */
static int may_answer(coras_auth *auth, const coras_url *asked, const coras_response *r,
                      coras_error **err)
{
    if (!is_refusal(r))
        return 0;
    if (coras_url_origin_equal(&r->at, &coras_auth_current_origin(auth)->url))
        return 1;
    return coras_auth_upgrade(auth, asked, r, err);
}

/* A request on its way: what it asks for, and with which right. */
struct asking {
    coras_auth *auth;
    const coras_request *request;
    coras_url url; /* of the request */
    coras_grant grant;
};

/* One try with the grant, wherever the registry is by now; after a refusal, unless it is the last,
 * 1 when there is a better one. */
static int try_once(struct asking *a, bool is_last, coras_response **ret, coras_error **err)
{
    coras_auto_free char *text = NULL;
    coras_url url;
    bool own;

    CORAS_TRY(coras_auth_place(a->auth, &a->url, &text, &url, &own, err));
    own = own && !has_own_authorization(a->auth);
    struct coras_send s = {
        .sender = a->auth->sender,
        .request = a->request,
        .url = &url,
        .origin = coras_auth_current_origin(a->auth),
        .authorization = own ? a->grant.header : NULL,
    };
    CORAS_TRY(coras_send_follow(&s, ret, err));
    int may = own && !is_last ? may_answer(a->auth, &url, *ret, err) : 0;
    return may > 0 ? coras_auth_answer(a->auth, a->request, *ret, &a->grant, err) : may;
}

static int try_all(struct asking *a, coras_response **ret, coras_error **err)
{
    bool own = coras_url_origin_equal(&a->url, &a->auth->origin.url) ||
               coras_url_origin_equal(&a->url, &coras_auth_current_origin(a->auth)->url);

    if (own && !has_own_authorization(a->auth))
        CORAS_TRY(coras_auth_begin(a->auth, a->request, &a->grant, err));
    for (int tries = 1;; tries++) {
        coras_auto(coras_response) r = NULL;
        int better = try_once(a, tries == MOST_TRIES, &r, err);
        CORAS_TRY(better);
        if (!better) {
            *ret = coras_steal(&r);
            return 0;
        }
    }
}

/* Sends until the registry is content with our grant or there is no better one. */
static int send_granted(coras_auth *auth, const coras_request *req, coras_response **ret,
                        coras_error **err)
{
    struct asking a = {.auth = auth, .request = req};

    CORAS_TRY(coras_url_parse(req->url, &a.url, err));
    int rc = try_all(&a, ret, err);
    coras_grant_clear(&a.grant);
    return rc;
}

int coras_client_send_as(coras_client *client, coras_auth *auth, const coras_request *req,
                         const int *allowed, coras_response **ret, coras_error **err)
{
    coras_auto(coras_response) r = NULL;

    CORAS_TRY(send_granted(auth, req, &r, err));
    if (!r->foreign)
        pass_warnings(client, auth->registry, r);
    if (is_allowed(r, allowed) || is_unfollowed_redirect(req, r)) {
        *ret = coras_steal(&r);
        return 0;
    }
    int rc = coras_response_to_error(req, r, err);
    coras_client_hint(client, auth, req, r, err);
    return rc;
}

int coras_client_send(coras_client *client, const coras_request *req, const int *allowed,
                      coras_response **ret, coras_error **err)
{
    coras_auth *auth;

    CORAS_TRY(coras_client_registry(client, req->registry, &auth, err));
    return coras_client_send_as(client, auth, req, allowed, ret, err);
}
