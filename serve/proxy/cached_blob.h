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
/* The same where nobody may be asked: whether it is on its way already, and the answer with it. */
bool serve_cached_blob_follow(struct serve_exchange *x);
/*
 * Have the blob here, held by the repository of the exchange, as if it was pushed: for a manifest
 * that names it. NOT_FOUND when the upstream does not have it, without an upstream, and with
 * something pending when it is on its way: the operation runs again then.
 */
CORAS_MUST_CHECK int serve_cached_blob_bring(struct serve_exchange *x, const coras_digest *digest,
                                             coras_error **err);
/* One that will be brought after another that is on its way: so that it comes meanwhile. Nothing is
 * said of a failure, which whoever brings it hears. */
void serve_cached_blob_expect(struct serve_exchange *x, const coras_digest *digest);

#endif
