/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redirects, followed in our own loop: where each may lead, and which secrets stay behind.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "http/hop.h"
#include "http/failure.h"

static bool is_redirect(const coras_response *r)
{
    switch (r->status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        return coras_response_header(r, "Location") != NULL;
    default:
        return false;
    }
}

static bool is_read(const char *method)
{
    return coras_streq(method, "GET") || coras_streq(method, "HEAD");
}

/* A registry on this machine may point to its neighbours there. */
static bool is_inner(struct coras_origin *origin)
{
    return coras_origin_zone(origin) == CORAS_ZONE_INNER;
}

static int refuse(const coras_url *from, const coras_url *to, const char *why, coras_error **err)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;

    coras_url_put_for_message(&shown, to->text);
    return coras_fail(err, CORAS_ERR_UNTRUSTED_ORIGIN, "redirect from host \"%.*s\" to \"%s\": %s",
                      (int)from->authority.len, from->authority.ptr, shown.ptr, why);
}

/* Where secrets of this exchange may go. */
static const coras_url *secret_origin(const struct coras_send *s)
{
    return s->auth_origin ? s->auth_origin : &s->origin->url;
}

static int check_target(const struct coras_send *s, struct coras_hop *hop, const coras_url *to,
                        coras_error **err)
{
    const coras_url *from = &hop->url;

    if (from->https && !to->https)
        return refuse(from, to, "downgrades scheme from https", err);
    if (coras_url_origin_equal(from, to))
        return 0;
    if (s->is_token && hop->send_body)
        return refuse(from, to, "refusing to resend a token request body to another origin", err);
    if (!coras_url_origin_equal(to, secret_origin(s)))
        hop->left = true;
    if (hop->left && !hop->guarded && (s->is_token || !is_inner(s->origin)))
        hop->guarded = "redirect target";
    return 0;
}

/* 1: follow, hop is set; 0: the redirect is the answer. */
static int next_hop(const struct coras_send *s, struct coras_hop *hop, const coras_response *r,
                    coras_error **err)
{
    coras_auto_free char *text = NULL;
    coras_url to;

    if (r->status == 303 && !coras_streq(hop->method, "HEAD")) {
        if (hop->send_body || coras_streq(hop->method, "DELETE"))
            return 0; /* turned into a GET it would look like a success that it is not */
    } else if (!is_read(hop->method) && r->status != 307 && r->status != 308) {
        return 0;
    }
    CORAS_TRY(coras_url_join(&hop->url, coras_response_header(r, "Location"), &text, &to, err));
    if (s->request->no_foreign_redirect && !coras_url_origin_equal(s->url, &to))
        return 0;
    CORAS_TRY(check_target(s, hop, &to, err));
    free(hop->text);
    hop->text = coras_steal(&text);
    hop->url = to;
    return 1;
}

static int follow(const struct coras_send *s, struct coras_hop *hop, coras_response **ret,
                  coras_error **err)
{
    for (int hops = 0;; hops++) {
        coras_auto(coras_response) r = NULL;
        CORAS_TRY(coras_hop_send(s, hop, &r, err));
        int more = is_redirect(r) ? next_hop(s, hop, r, err) : 0;
        if (more < 0)
            return coras_http_wrap(err, more, hop->method, s->url->text);
        if (!more) {
            r->foreign = !coras_url_origin_equal(&r->at, s->url);
            *ret = coras_steal(&r);
            return 0;
        }
        if (hops == CORAS_LIMIT_REDIRECTS) {
            int rc = coras_fail(err, CORAS_ERR_PROTOCOL, "stopped after %d redirects",
                                CORAS_LIMIT_REDIRECTS);
            return coras_http_wrap(err, rc, hop->method, s->url->text);
        }
    }
}

int coras_send_follow(const struct coras_send *s, coras_response **ret, coras_error **err)
{
    const coras_request *req = s->request;
    struct coras_hop hop = {
        .method = req->method,
        .send_body = !is_read(req->method) && !coras_streq(req->method, "DELETE"),
        .left = !coras_url_origin_equal(s->url, secret_origin(s)),
        .guarded = s->guarded,
        .guard_private = s->guarded && !s->sender->allow_private_tokens &&
                         coras_origin_zone(s->origin) == CORAS_ZONE_PUBLIC,
    };

    CORAS_TRY(coras_url_copy(s->url, &hop.text, &hop.url, err));
    if (hop.left && !hop.guarded && !is_inner(s->origin))
        hop.guarded = "upload location";
    int rc = follow(s, &hop, ret, err);
    free(hop.text);
    return rc;
}
