/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations of the distribution API, one per route: each answers the exchange, or (those with
 * a body) prepares for it and answers at the end.
 */
#ifndef SERVE_API_OPERATIONS_H
#define SERVE_API_OPERATIONS_H

#include "serve/http/exchange.h"

/* blobs.c: GET, HEAD, DELETE /blobs/DIGEST */
void serve_blob_get(struct serve_exchange *x);
void serve_blob_delete(struct serve_exchange *x);
/* Whether the repository (NULL: any) holds the blob, and its file is there in full length.
 * NOT_FOUND. */
CORAS_MUST_CHECK int serve_blob_check(struct serve_exchange *x, const char *repository,
                                      const coras_digest *digest, coras_error **err);
/* 201 with the blob's Location: uploads and mounts end so. */
void serve_blob_created(struct serve_exchange *x, const coras_digest *digest);

/* uploads.c: POST /blobs/uploads/, then GET, PATCH, PUT, DELETE of the session */
void serve_upload_start(struct serve_exchange *x);
void serve_upload_status(struct serve_exchange *x);
void serve_upload_chunk(struct serve_exchange *x);
void serve_upload_cancel(struct serve_exchange *x);
/* A piece of the body of POST, PATCH and PUT; then its end. */
void serve_upload_data(struct serve_exchange *x, const void *data, size_t len);
void serve_upload_end(struct serve_exchange *x);

/* manifests.c: GET, HEAD, PUT, DELETE /manifests/REFERENCE */
void serve_manifest_get(struct serve_exchange *x);
void serve_manifest_put_begin(struct serve_exchange *x);
void serve_manifest_put_end(struct serve_exchange *x);
void serve_manifest_delete(struct serve_exchange *x);

/* lists.c: /tags/list, /_catalog, /referrers/DIGEST */
void serve_tags_list(struct serve_exchange *x);
void serve_catalog_list(struct serve_exchange *x);
void serve_referrers_list(struct serve_exchange *x);

#endif
