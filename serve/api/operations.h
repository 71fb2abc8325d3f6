/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations of the distribution API, one per route: each answers the exchange, or (those with
 * a body) prepares for it and answers at the end.
 */
#ifndef SERVE_API_OPERATIONS_H
#define SERVE_API_OPERATIONS_H

#include "serve/http/exchange.h"
#include "serve/http/paging.h"
#include "serve/http/ranges.h"

/* blobs.c: GET, HEAD, DELETE /blobs/DIGEST */
void serve_blob_get(struct serve_exchange *x);
void serve_blob_delete(struct serve_exchange *x);
/* The steps of an answer with a blob, for whoever has its bytes. */
void serve_blob_describe(struct serve_exchange *x, const coras_digest *digest);
/* Whether the client has it already: then that is the answer. */
bool serve_blob_is_known(struct serve_exchange *x, const coras_digest *digest);
/* What is asked of a blob of this size. */
enum serve_range_kind serve_blob_range(const struct serve_exchange *x, int64_t size,
                                       struct serve_range *ret);
/* Status, offset and length of the body; size -1: nobody knows yet. false: there is no such part,
 * which is the answer. */
bool serve_blob_answer_range(struct serve_exchange *x, int64_t size, enum serve_range_kind kind,
                             const struct serve_range *range);
/* It is being read until the exchange is over. */
void serve_blob_hold(struct serve_exchange *x);
void serve_blob_answer_unknown(struct serve_exchange *x);
/* With what is stored of it. false: nothing, and no answer. */
bool serve_blob_answer_stored(struct serve_exchange *x);
/* Whether the repository (NULL: any) holds the blob, and its file is there in full length;
 * ret_size may be NULL. NOT_FOUND. */
CORAS_MUST_CHECK int serve_blob_check(struct serve_exchange *x, const char *repository,
                                      const coras_digest *digest, int64_t *ret_size,
                                      coras_error **err);
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
/* 200 with a manifest, or 304. `content` NULL: to a HEAD. */
void serve_manifest_answer(struct serve_exchange *x, const coras_descriptor *desc,
                           const char *content);
void serve_manifest_put_begin(struct serve_exchange *x);
void serve_manifest_put_end(struct serve_exchange *x);
void serve_manifest_delete(struct serve_exchange *x);

/* lists.c: /tags/list, /_catalog, /referrers/DIGEST */
void serve_tags_list(struct serve_exchange *x);
void serve_catalog_list(struct serve_exchange *x);
void serve_referrers_list(struct serve_exchange *x);
/* A page of the repositories that the asker may list. */
CORAS_MUST_CHECK int serve_visible_repositories(struct serve_exchange *x,
                                                const struct serve_page *page, coras_strlist *names,
                                                bool *ret_more, coras_error **err);

#endif
