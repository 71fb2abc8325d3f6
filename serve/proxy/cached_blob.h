/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A blob that the repository does not hold here, and whose upstream may: the answer to GET and HEAD
 * of it. What is known here of another repository is given only after this one's upstream has said
 * that it holds it too, or a private blob could be read under any public name.
 */
#ifndef SERVE_PROXY_CACHED_BLOB_H
#define SERVE_PROXY_CACHED_BLOB_H

#include "serve/http/exchange.h"

/* GET or HEAD of x->route.digest, which was not found here. */
void serve_cached_blob_get(struct serve_exchange *x);
/*
 * Have the blob here, held by the repository of the exchange, as if it was pushed: for a manifest
 * that names it. NOT_FOUND when the upstream does not have it, and without an upstream.
 */
CORAS_MUST_CHECK int serve_cached_blob_bring(struct serve_exchange *x, const coras_digest *digest,
                                             coras_error **err);

#endif
