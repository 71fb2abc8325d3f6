/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers with blobs that are in a store elsewhere: the client is sent there, or the bytes pass
 * through here.
 */
#ifndef SERVE_API_FAR_BLOB_H
#define SERVE_API_FAR_BLOB_H

#include "serve/http/exchange.h"

/* 307 with a link to it. The headers that describe the blob are there already. */
void serve_far_blob_redirect(struct serve_exchange *x, serve_far_blob *far);
/* The body of the answer, whose offset and length are set, is brought from there. Takes the blob
 * over, on failure too. */
CORAS_MUST_CHECK int serve_far_blob_stream(struct serve_exchange *x, serve_far_blob *far,
                                           coras_error **err);

#endif
