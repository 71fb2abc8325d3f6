/* SPDX-License-Identifier: Apache-2.0 */
/* Between cached_blob.c (whom to ask for a blob) and fill_answer.c (answering with a fill). */
#ifndef SERVE_PROXY_CACHED_BLOB_IMPL_H
#define SERVE_PROXY_CACHED_BLOB_IMPL_H

#include "serve/proxy/cached_blob.h"
#include "serve/proxy/fill.h"
#include "serve/proxy/said.h"

/* A client with another registry to ask must hear in this time that there is nothing here. */
#define SERVE_FIRST_BYTE_MS 5000

struct serve_blob_asked {
    struct serve_exchange *exchange;
    const coras_digest *digest;
    unsigned label; /* of the upstream, for metrics */
    struct serve_said said;
    bool has_said; /* no: this is why */
    bool is_again; /* the fill of another repository was of no use */
};

/* cached_blob.c */
void serve_blob_asked_count(const struct serve_blob_asked *a, enum serve_metric_result result);
/* GET of it, from the store, or by a fill that is joined or begun. */
void serve_blob_asked_get(struct serve_blob_asked *a);
/* That was the end of it. */
void serve_blob_asked_fail(struct serve_blob_asked *a, int rc, const coras_error *failure);

/* fill_answer.c */
/* Answer with the bytes of the fill, of which the caller's hold is taken, when they come. */
CORAS_MUST_CHECK int serve_fill_answer(const struct serve_blob_asked *a, serve_fill *f, bool began,
                                       coras_error **err);

#endif
