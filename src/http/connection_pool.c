/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stack of idle handles, and making one.
 */
#include "http/connection_pool.h"

#include "base/alloc.h"
#include "base/error.h"

enum {
    CONNECTIONS_PER_HANDLE = 8, /* a handle meets few hosts: registry, token service, storage */
};

static void handle_free(const struct coras_curl *curl, struct coras_http_handle *h)
{
    if (!h)
        return;
    if (h->easy)
        curl->easy_cleanup(h->easy);
    if (h->multi)
        curl->multi_cleanup(h->multi);
    free(h->origin);
    free(h);
}

void coras_http_pool_init(struct coras_http_pool *pool)
{
    pthread_mutex_init(&pool->lock, NULL);
    pool->idle = NULL;
}

void coras_http_pool_clear(struct coras_http_pool *pool)
{
    const struct coras_curl *curl = NULL;

    if (pool->idle && coras_curl_load(&curl, NULL) == 0) {
        while (pool->idle) {
            struct coras_http_handle *h = pool->idle;
            pool->idle = h->next;
            handle_free(curl, h);
        }
    }
    pthread_mutex_destroy(&pool->lock);
}

static int handle_new(const struct coras_curl *curl, enum coras_http_guard guard,
                      struct coras_http_handle **ret, coras_error **err)
{
    struct coras_http_handle *h = coras_new(struct coras_http_handle);

    if (!h)
        return coras_fail_no_memory(err);
    h->guard = guard;
    h->easy = curl->easy_init();
    h->multi = curl->multi_init();
    if (!h->easy || !h->multi) {
        handle_free(curl, h);
        return coras_fail_no_memory(err);
    }
    curl->multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_PER_HANDLE);
    *ret = h;
    return 0;
}

static struct coras_http_handle *take_idle(struct coras_http_pool *pool, const char *origin,
                                           enum coras_http_guard guard)
{
    struct coras_http_handle **best = NULL;

    pthread_mutex_lock(&pool->lock);
    for (struct coras_http_handle **p = &pool->idle; *p; p = &(*p)->next) {
        if ((*p)->guard != guard)
            continue;
        if (!best)
            best = p;
        if (coras_streq((*p)->origin, origin)) {
            best = p;
            break;
        }
    }
    struct coras_http_handle *h = best ? *best : NULL;
    if (h)
        *best = h->next;
    pthread_mutex_unlock(&pool->lock);
    return h;
}

int coras_http_pool_take(struct coras_http_pool *pool, const struct coras_curl *curl,
                         const coras_url *url, enum coras_http_guard guard,
                         struct coras_http_handle **ret, coras_error **err)
{
    coras_auto_free char *origin =
        coras_asprintf("%d:%.*s:%d", url->https, (int)url->host.len, url->host.ptr, url->port);

    if (!origin)
        return coras_fail_no_memory(err);
    struct coras_http_handle *h = take_idle(pool, origin, guard);
    if (!h)
        CORAS_TRY(handle_new(curl, guard, &h, err));
    free(h->origin);
    h->origin = coras_steal(&origin);
    *ret = h;
    return 0;
}

void coras_http_pool_put(struct coras_http_pool *pool, struct coras_http_handle *handle)
{
    pthread_mutex_lock(&pool->lock);
    handle->next = pool->idle;
    pool->idle = handle;
    pthread_mutex_unlock(&pool->lock);
}
