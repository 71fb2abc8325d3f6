/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are at the store, now: credentials that run out are written anew by whoever issues them,
 * into the same file, while the server runs.
 *
 * Threads: any, once it is open.
 */
#ifndef SERVE_STORAGE_S3_IDENTITY_H
#define SERVE_STORAGE_S3_IDENTITY_H

#include <pthread.h>
#include "base/str.h"
#include "serve/storage/s3/sign.h"

struct serve_s3_identity {
    pthread_mutex_t lock;
    struct serve_s3_credentials now; /* lock */
    int64_t read_ms;                 /* lock; when they were read */
};

void serve_s3_identity_init(struct serve_s3_identity *i);
void serve_s3_identity_clear(struct serve_s3_identity *i);

/* Read them. Those from before go on to hold when they cannot be read. CONFIG. */
CORAS_MUST_CHECK int serve_s3_identity_read(struct serve_s3_identity *i, coras_error **err);
/* A copy of them, read again when that was some seconds ago. */
CORAS_MUST_CHECK int serve_s3_identity_get(struct serve_s3_identity *i,
                                           struct serve_s3_credentials *ret, coras_error **err);
/* The store has refused `used`: whether there are others now. */
bool serve_s3_identity_renew(struct serve_s3_identity *i, const struct serve_s3_credentials *used);

CORAS_MUST_CHECK int serve_s3_credentials_copy(const struct serve_s3_credentials *from,
                                               struct serve_s3_credentials *ret, coras_error **err);
/* As the tools of that world find them: from the environment, else from their file. CONFIG. */
CORAS_MUST_CHECK int serve_s3_credentials_find(struct serve_s3_credentials *ret, coras_error **err);
/* The credentials of a profile in the text of such a file. NOT_FOUND. */
CORAS_MUST_CHECK int serve_s3_credentials_parse(coras_str text, const char *profile,
                                                struct serve_s3_credentials *ret,
                                                coras_error **err);

#endif
