/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which proxy a URL goes through: the environment's proxies as Go's net/http understands them.
 * Targets on localhost or a loopback address are never proxied.
 */
#ifndef CORAS_HTTP_PROXY_H
#define CORAS_HTTP_PROXY_H

#include "base/environment.h"
#include "http/url.h"

/* The proxy's URL as configured, or NULL for a direct connection. */
const char *coras_proxy_for(const coras_environment *env, const coras_url *url);
/* The host in it, without brackets; views into `proxy`. */
coras_str coras_proxy_host(const char *proxy);

#endif
