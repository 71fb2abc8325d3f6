/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rings: caches that ask each other in a circle. Each says in Via (RFC 9110 7.6.3) which ways a
 * request has come, so that one that meets itself stops. Pure.
 */
#ifndef SERVE_PROXY_RING_H
#define SERVE_PROXY_RING_H

#include "base/common.h"

/* A way that is longer leads nowhere. */
#define SERVE_RING_WAYS_MAX 8

/* Whether a request that came by these ways (NULL: by none) was here before, or has wandered too
 * far, or says more of them than anybody would. `own` is one of our entries, "1.1 name". */
bool serve_ring_is_closed(const char *own, const char *via);
/* The ways for the next request: a new string, NULL when out of memory. */
char *serve_ring_extend(const char *own, const char *via);

#endif
