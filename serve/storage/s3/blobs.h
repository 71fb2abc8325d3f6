/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs in a store that speaks S3, as a kind of blobs (storage/blobs.h). Those without a place are
 * still files of the directory, from before there was a store.
 */
#ifndef SERVE_STORAGE_S3_BLOBS_H
#define SERVE_STORAGE_S3_BLOBS_H

#include "serve/storage/blob_store.h"
#include "serve/storage/metadata.h"
#include "serve/storage/s3/store.h"

struct serve_s3_blobs {
    serve_blobs blobs; /* first: it is a kind of them */
    serve_s3 *store;
    serve_blob_store *directory;
};
/* Both are borrowed. */
void serve_s3_blobs_init(struct serve_s3_blobs *b, serve_s3 *store, serve_blob_store *directory);

/* Remove what lost its row at `before_s` (wall clock) or earlier; true when there may be more. */
CORAS_MUST_CHECK int serve_s3_clear_leftovers(serve_s3 *store, serve_metadata *metadata,
                                              int64_t before_s, bool *ret_more, coras_error **err);
/* Look at some of what is in the store: what was written before `before_s` and nobody knows is
 * removed. *last (a string or NULL; kept from call to call) is where the look has come to; NULL
 * again at the end. */
CORAS_MUST_CHECK int serve_s3_clear_strays(serve_s3 *store, serve_metadata *metadata,
                                           int64_t before_s, char **last, coras_error **err);

#endif
