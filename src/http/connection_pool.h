/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handles of libcurl that wait to be used again, each with the connections that it keeps.
 */
#ifndef CORAS_HTTP_CONNECTION_POOL_H
#define CORAS_HTTP_CONNECTION_POOL_H

#include <pthread.h>
#include "http/curl_api.h"
#include "http/url.h"

/* Which addresses a handle has connected to. Handles of different guards never mix, or a kept
 * connection would by-pass the check. */
enum coras_http_guard {
    CORAS_GUARD_NONE = 0, /* any */
    CORAS_GUARD_INNER,    /* none that only this machine can reach */
    CORAS_GUARD_PRIVATE,  /* nor any of a private network */
};

struct coras_http_handle {
    struct coras_http_handle *next;
    CURL *easy;
    CURLM *multi; /* holds the connections */
    char *origin; /* that it serves, or served last */
    enum coras_http_guard guard;
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
                                          enum coras_http_guard guard,
                                          struct coras_http_handle **ret, coras_error **err);
void coras_http_pool_put(struct coras_http_pool *pool, struct coras_http_handle *handle);

#endif
