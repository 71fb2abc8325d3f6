/*
 * The operations of the distribution API, one per route: each answers the exchange, or (those with
 * a body) prepares for it and answers at the end.
 */
#ifndef CORAS_SERVE_API_OPERATIONS_H
#define CORAS_SERVE_API_OPERATIONS_H

#include "serve/http/exchange.h"

/* blobs.c: GET, HEAD, DELETE /blobs/DIGEST */
void coras_blob_get(struct coras_exchange *x);
void coras_blob_delete(struct coras_exchange *x);
/* Whether the repository (NULL: any) holds the blob, and its file is there in full length.
 * NOT_FOUND. */
CORAS_MUST_CHECK int coras_blob_check(struct coras_exchange *x, const char *repository,
                                      const coras_digest *digest, coras_error **err);
/* 201 with the blob's Location: uploads and mounts end so. */
void coras_blob_created(struct coras_exchange *x, const coras_digest *digest);

/* uploads.c: POST /blobs/uploads/, then GET, PATCH, PUT, DELETE of the session */
void coras_upload_start(struct coras_exchange *x);
void coras_upload_status(struct coras_exchange *x);
void coras_upload_chunk(struct coras_exchange *x);
void coras_upload_cancel(struct coras_exchange *x);
/* A piece of the body of POST, PATCH and PUT; then its end. */
void coras_upload_data(struct coras_exchange *x, const void *data, size_t len);
void coras_upload_end(struct coras_exchange *x);

/* manifests.c: GET, HEAD, PUT, DELETE /manifests/REFERENCE */
void coras_manifest_get(struct coras_exchange *x);
void coras_manifest_put_begin(struct coras_exchange *x);
void coras_manifest_put_end(struct coras_exchange *x);
void coras_manifest_delete(struct coras_exchange *x);

/* lists.c: /tags/list, /_catalog, /referrers/DIGEST */
void coras_tags_list(struct coras_exchange *x);
void coras_catalog_list(struct coras_exchange *x);
void coras_referrers_list(struct coras_exchange *x);

#endif
