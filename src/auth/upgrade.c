/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Learning that a registry lives on https, and moving its requests there.
 */
#include "auth/upgrade.h"

#include "base/error.h"
#include "base/limits.h"

struct coras_origin *coras_auth_current_origin(coras_auth *a)
{
    pthread_mutex_lock(&a->lock);
    struct coras_origin *secure = a->secure;
    pthread_mutex_unlock(&a->lock);
    return secure ? secure : &a->origin;
}

static void put_rest(coras_buf *b, const coras_url *url)
{
    coras_buf_put(b, url->path.ptr, url->path.len);
    if (url->query.ptr)
        coras_buf_printf(b, "?%.*s", (int)url->query.len, url->query.ptr);
}

int coras_auth_place(coras_auth *a, const coras_url *asked, char **ret_text, coras_url *ret,
                     bool *ret_own, coras_error **err)
{
    coras_auto_buf moved = CORAS_BUF_INIT(CORAS_LIMIT_URL);
    const struct coras_origin *now = coras_auth_current_origin(a);

    *ret = *asked;
    *ret_own = coras_url_origin_equal(asked, &now->url);
    if (*ret_own || !coras_url_origin_equal(asked, &a->origin.url))
        return 0;
    coras_buf_puts(&moved, now->base_url);
    put_rest(&moved, asked);
    *ret_own = true;
    CORAS_TRY(coras_buf_take(&moved, ret_text, err));
    return coras_url_parse(*ret_text, ret, err);
}

static bool same_text(coras_str a, coras_str b)
{
    return a.len == b.len && (!a.len || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* The same thing at the same host, but over https. */
static bool is_upgrade(const coras_url *from, const coras_url *to)
{
    return !from->https && to->https && from->host.len == to->host.len &&
           strncasecmp(from->host.ptr, to->host.ptr, to->host.len) == 0 &&
           same_text(from->path, to->path) && same_text(from->query, to->query);
}

static int make_origin(const coras_url *url, struct coras_origin **ret, coras_error **err)
{
    struct coras_origin *origin = coras_new(struct coras_origin);
    char *base_url = coras_asprintf("https://%.*s", (int)url->authority.len, url->authority.ptr);

    if (!origin || !base_url || coras_url_parse(base_url, &origin->url, NULL) < 0) {
        free(origin);
        free(base_url);
        return coras_fail_no_memory(err);
    }
    origin->base_url = base_url;
    *ret = origin;
    return 0;
}

int coras_auth_upgrade(coras_auth *a, const coras_url *asked, const coras_response *refusal,
                       coras_error **err)
{
    struct coras_origin *secure;

    if (!coras_url_origin_equal(asked, &a->origin.url) || !is_upgrade(asked, &refusal->at))
        return 0;
    CORAS_TRY(make_origin(&refusal->at, &secure, err));
    pthread_mutex_lock(&a->lock);
    bool is_first = !a->secure;
    if (is_first)
        a->secure = secure;
    pthread_mutex_unlock(&a->lock);
    if (!is_first) /* another thread was faster; pointers to its one are out already */
        coras_origin_free(secure);
    return 1;
}
