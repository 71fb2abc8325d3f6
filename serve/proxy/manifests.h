/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests of repositories that have an upstream: from here while they are known and fresh, else
 * from there, kept on the way. What was pushed here wins over what the upstream has.
 */
#ifndef SERVE_PROXY_MANIFESTS_H
#define SERVE_PROXY_MANIFESTS_H

#include "serve/http/exchange.h"

/* GET, HEAD /manifests/REFERENCE */
void serve_proxied_manifest_get(struct serve_exchange *x);
/* Have a manifest here that is about to be named. NOT_FOUND when it cannot be brought, and with
 * something pending when the operation is to run again. */
CORAS_MUST_CHECK int serve_proxied_manifest_bring(struct serve_exchange *x,
                                                  const coras_digest *digest, coras_error **err);
/* After the reference of the exchange was deleted here: the next who wants it asks the upstream. */
void serve_proxied_forget(struct serve_exchange *x);

#endif
