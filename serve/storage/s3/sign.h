/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing requests as stores that speak S3 want it. Pure: text in, text out; the time is an
 * argument. Spec: AWS Signature Version 4.
 */
#ifndef SERVE_STORAGE_S3_SIGN_H
#define SERVE_STORAGE_S3_SIGN_H

#include "oci/digest.h"

struct serve_s3_credentials {
    char *id, *secret;
    char *token; /* of credentials that expire; NULL: they do not */
};
void serve_s3_credentials_clear(struct serve_s3_credentials *c); /* wiped */
typedef struct serve_s3_credentials serve_s3_credentials;
CORAS_DEFINE_AUTO_VALUE(serve_s3_credentials, serve_s3_credentials_clear)

/* What is signed of a request. */
struct serve_s3_signed {
    const char *method;
    const char *host;    /* "host[:port]", as it is sent */
    const char *path;    /* encoded, as it is sent */
    const char *query;   /* encoded, sorted by name, each name with a "="; "" for none */
    const char *range;   /* the header; NULL: none */
    const char *payload; /* SHA-256 of the body in hex */
};

struct serve_s3_signer {
    const struct serve_s3_credentials *credentials;
    const char *region;
};

/* SHA-256 of nothing: the payload of requests without a body. */
#define SERVE_S3_EMPTY_PAYLOAD "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
/* Room for "20130524T000000Z" with its end. */
#define SERVE_S3_DATE_MAX 17

/* "20130524T000000Z" of seconds since 1970. */
void serve_s3_date(int64_t at_s, char date[static SERVE_S3_DATE_MAX]);
/* The value of Authorization; "x-amz-date" and, where there is one, "x-amz-security-token" and
 * "x-amz-content-sha256" are among the headers that it signs. */
CORAS_MUST_CHECK int serve_s3_authorization(const struct serve_s3_signer *signer,
                                            const struct serve_s3_signed *request, int64_t at_s,
                                            coras_buf *ret, coras_error **err);
/* The query of a link that lets whoever has it send this request (method, host and path of
 * `request`) for some seconds. */
CORAS_MUST_CHECK int serve_s3_presign(const struct serve_s3_signer *signer,
                                      const struct serve_s3_signed *request, int64_t at_s,
                                      int64_t valid_s, coras_buf *ret, coras_error **err);
/* A path with its slashes, everything else that a URL gives a meaning encoded. */
void serve_s3_put_path(coras_buf *out, const char *path);

#endif
