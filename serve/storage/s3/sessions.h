/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Upload sessions whose bytes go to a store that speaks S3 as they come. What is not a part yet
 * lies in an unnamed file, and between two requests with everything else in the row of the session
 * (storage/metadata_sessions.h), so that any process goes on with it.
 *
 * The object has its final key from the start, which only the session knows: nothing is copied at
 * the end, and nothing can be reached before the metadata say that it is a blob.
 */
#ifndef SERVE_STORAGE_S3_SESSIONS_H
#define SERVE_STORAGE_S3_SESSIONS_H

#include "serve/storage/metadata_sessions.h"
#include "serve/storage/s3/store.h"
#include "serve/storage/sessions.h"

struct serve_s3_sessions_options {
    serve_s3 *store;          /* borrowed, as the next */
    serve_metadata *metadata; /* with the rows */
    int work_fd;              /* directory for unnamed files; borrowed */
    bool alone;               /* no other process uses the rows */
};
CORAS_MUST_CHECK int serve_s3_sessions_open(const struct serve_s3_sessions_options *options,
                                            serve_sessions **ret, coras_error **err);

#endif
