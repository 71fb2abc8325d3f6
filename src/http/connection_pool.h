/*
 * Handles of libcurl that wait to be used again, each with the connections that it keeps.
 */
#ifndef CORAS_HTTP_CONNECTION_POOL_H
#define CORAS_HTTP_CONNECTION_POOL_H

#include <pthread.h>
#include "http/curl_api.h"
#include "http/url.h"

/*
 * `guarded` handles have connected only to addresses that passed the origin policy, others to any;
 * they never mix, or a kept connection would by-pass the check.
 */
struct coras_http_handle {
    struct coras_http_handle *next;
    CURL *easy;
    CURLM *multi; /* holds the connections */
    char *origin; /* that it serves, or served last */
    bool guarded;
};

struct coras_http_pool {
    pthread_mutex_t lock;
    struct coras_http_handle *idle; /* lock; used last goes first */
};
void coras_http_pool_init(struct coras_http_pool *pool);
void coras_http_pool_clear(struct coras_http_pool *pool);

/* A handle for the URL's origin: the one that served it before if there is such, else any, else a
 * new one. */
CORAS_MUST_CHECK int coras_http_pool_take(struct coras_http_pool *pool,
                                          const struct coras_curl *curl, const coras_url *url,
                                          bool guarded, struct coras_http_handle **ret,
                                          coras_error **err);
void coras_http_pool_put(struct coras_http_pool *pool, struct coras_http_handle *handle);

#endif
