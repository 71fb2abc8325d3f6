/*
 * Which proxy a URL goes through: the environment's variables as Go's net/http reads them. Targets
 * on localhost or a loopback address are never proxied.
 */
#ifndef CORAS_HTTP_PROXY_H
#define CORAS_HTTP_PROXY_H

#include "http/url.h"

struct coras_proxy_env {
    const char *http;  /* HTTP_PROXY, else http_proxy; NULL or "": none */
    const char *https; /* HTTPS_PROXY, else https_proxy */
    const char *none;  /* NO_PROXY, else no_proxy */
};
/* Borrowed from the environment. */
struct coras_proxy_env coras_proxy_env_get(void);

/* The proxy's URL as configured, or NULL for a direct connection. */
const char *coras_proxy_for(const struct coras_proxy_env *env, const coras_url *url);
/* The host in it, without brackets; views into `proxy`. */
coras_str coras_proxy_host(const char *proxy);

#endif
