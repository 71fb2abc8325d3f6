/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resolves what a registry answers as the place to go on at, and refuses what may not be followed.
 */
#include "registry/url_policy.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/trace.h"
#include "client/client.h"
#include "http/url.h"

static bool same_host(const coras_url *a, const coras_url *b)
{
    return a->host.len == b->host.len && strncasecmp(a->host.ptr, b->host.ptr, a->host.len) == 0;
}

/* The path and query of `url` at the registry's own origin. */
static int move_to_base(const char *base_url, const coras_url *url, char **ret, coras_error **err)
{
    coras_auto_buf b = CORAS_BUF_INIT(CORAS_LIMIT_URL);

    coras_buf_puts(&b, base_url);
    coras_buf_put(&b, url->path.ptr, url->path.len);
    if (url->query.ptr) {
        coras_buf_putc(&b, '?');
        coras_buf_put(&b, url->query.ptr, url->query.len);
    }
    coras_trace_warning(NULL,
                        "the registry behind \"%s\" sends locations with the scheme http: its "
                        "proxy should set X-Forwarded-Proto",
                        base_url);
    return coras_buf_take(&b, ret, err);
}

int coras_location_resolve(const char *base_url, const char *answered_url, const char *ref,
                           char **ret, bool *ret_own, coras_error **err)
{
    coras_auto_free char *url = NULL;
    coras_url base, to;

    CORAS_TRY(coras_url_resolve(answered_url, ref, &url, err));
    CORAS_TRY(coras_url_parse(url, &to, err));
    CORAS_TRY(coras_url_parse(base_url, &base, err));
    *ret_own = coras_url_origin_equal(&to, &base);
    if (!*ret_own && base.https && !to.https && same_host(&to, &base)) {
        *ret_own = true;
        return move_to_base(base_url, &to, ret, err);
    }
    *ret = coras_steal(&url);
    return 0;
}

/* A foreign place for an upload. */
static int check_foreign(const char *base_url, const char *to_url, coras_error **err)
{
    coras_url base, to;

    CORAS_TRY(coras_url_parse(to_url, &to, err));
    CORAS_TRY(coras_url_parse(base_url, &base, err));
    if (to.https)
        return 0;
    if (base.https)
        return coras_fail(err, CORAS_ERR_UNTRUSTED_ORIGIN,
                          "blob upload Location \"%.*s\" downgrades scheme from https",
                          (int)to.authority.len, to.authority.ptr);
    return coras_fail(err, CORAS_ERR_UNTRUSTED_ORIGIN,
                      "blob upload Location \"%.*s\" is on a different host than the registry "
                      "\"%.*s\"",
                      (int)to.authority.len, to.authority.ptr, (int)base.authority.len,
                      base.authority.ptr);
}

int coras_upload_location(const char *base_url, const char *answered_url, const char *location,
                          char **ret, coras_error **err)
{
    coras_auto_free char *url = NULL;
    bool own;

    CORAS_TRY(coras_location_resolve(base_url, answered_url, location, &url, &own, err));
    if (!own)
        CORAS_TRY(check_foreign(base_url, url, err));
    *ret = coras_steal(&url);
    return 0;
}

int coras_upload_close_url(const char *session, const char *digest, char **ret, coras_error **err)
{
    coras_auto_buf b = CORAS_BUF_INIT(CORAS_LIMIT_URL);

    coras_buf_puts(&b, session);
    coras_buf_putc(&b, strchr(session, '?') ? '&' : '?');
    coras_buf_puts(&b, "digest=");
    coras_url_put_query(&b, digest);
    return coras_buf_take(&b, ret, err);
}
