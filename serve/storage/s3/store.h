/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store that speaks S3: where it is, who we are there, and requests to it. They are signed,
 * repeated where that may help, and what the store refuses becomes an error with its own words.
 *
 * Keys are named as the metadata know them, relative to the prefix that all of ours have.
 *
 * Threads: everything may be called from any thread; calls wait for the network.
 *
 * Errors: NOT_FOUND, DENIED, NO_SPACE, HTTP as the store answers; CONNECT, TLS, TIMEOUT.
 * Spec: Amazon Simple Storage Service API Reference (2006-03-01), path style.
 */
#ifndef SERVE_STORAGE_S3_STORE_H
#define SERVE_STORAGE_S3_STORE_H

#include "base/cancel.h"
#include "http/http.h"
#include "serve/operate/metrics.h"
#include "serve/storage/s3/identity.h"

typedef struct serve_s3 {
    coras_http *http;
    coras_environment *environment;
    coras_cancel *cancel;
    struct serve_s3_identity identity;
    char *endpoint; /* const, as all of these: URL without a slash at its end */
    char *host;     /* "host[:port]" of it */
    char *path;     /* of the bucket below it, encoded: "/bucket" */
    char *prefix;   /* of our keys, "" or with a slash at its end */
    char *region;
    serve_metrics *metrics; /* may be NULL */
    atomic_bool is_away;    /* it did not answer when it was asked last */
} serve_s3;

struct serve_s3_options {
    const char *blobs;      /* "s3://BUCKET/PREFIX" */
    const char *endpoint;   /* NULL: that of the region at Amazon */
    const char *region;     /* NULL: us-east-1 */
    serve_metrics *metrics; /* NULL: nothing is counted */
};

/* Reads credentials, connects to nothing. CONFIG: what is missing or malformed. */
CORAS_MUST_CHECK int serve_s3_open(const struct serve_s3_options *options, serve_s3 **ret,
                                   coras_error **err);
/* Ask whether it answers, which is_away then tells. */
void serve_s3_look(serve_s3 *s);
/* Requests that run end soon, and no others begin. */
void serve_s3_stop(serve_s3 *s);
void serve_s3_close(serve_s3 *s);
CORAS_DEFINE_AUTO(serve_s3, serve_s3_close)

/* How long a link is good to begin reading with. */
#define SERVE_S3_LINK_S (15 * 60)
/* Longest name of a part's content that we take. */
#define SERVE_S3_TAG_MAX 256

/* ---- requests ---- */

struct serve_s3_call {
    const char *method;
    const char *key;   /* NULL: the bucket */
    const char *query; /* as serve_s3_signed.query; NULL: none */
    const char *range; /* NULL: none */
    /* body: `length` bytes from `offset` of `body`, whose SHA-256 is `payload`; NULL: none */
    const coras_source *body;
    int64_t offset, length;
    const char *payload;
    const coras_sink *sink; /* where the answer's body goes; NULL: it is kept */
    /* with a sink: looks at the head of a good answer before it; NULL: nobody does */
    int (*accept)(void *user, const coras_response *r, coras_error **err);
    void *accept_user;
    bool once; /* no repetition: the caller has its own plan */
};
/* An answer of 2xx, or an error. */
CORAS_MUST_CHECK int serve_s3_send(serve_s3 *s, const struct serve_s3_call *call,
                                   coras_response **ret, coras_error **err);
/* An error of the store inside an answer that is none by its status; 0: there is none. */
CORAS_MUST_CHECK int serve_s3_check_body(serve_s3 *s, const struct serve_s3_call *call,
                                         const coras_response *r, coras_error **err);

/* ---- objects ---- */

CORAS_MUST_CHECK int serve_s3_put(serve_s3 *s, const char *key, const coras_source *body,
                                  const char *payload, coras_error **err);
/* Bytes [offset, offset + length); a connection that is cut is continued. CHANGED: the object has
 * not as many. */
CORAS_MUST_CHECK int serve_s3_get(serve_s3 *s, const char *key, int64_t offset, int64_t length,
                                  const coras_sink *sink, coras_error **err);
/* How long it is. NOT_FOUND. */
CORAS_MUST_CHECK int serve_s3_size(serve_s3 *s, const char *key, int64_t *ret, coras_error **err);
/* Absent is success. */
CORAS_MUST_CHECK int serve_s3_delete(serve_s3 *s, const char *key, coras_error **err);
/* A URL with which anybody may read it for some minutes. */
CORAS_MUST_CHECK int serve_s3_link(serve_s3 *s, const char *key, coras_buf *ret, coras_error **err);

/* What lies below the prefix belongs to who calls itself `name`, from now on if to nobody yet.
 * EXISTS: to another. */
CORAS_MUST_CHECK int serve_s3_claim(serve_s3 *s, const char *name, coras_error **err);

struct serve_s3_object {
    char *key;         /* as the metadata would know it */
    int64_t written_s; /* wall clock of the store */
};
/* Some keys that begin with `under`, in byte order, after `after` (NULL: from the start); what
 * `visit` fails with ends it. *ret_last, a new string, is the last one; NULL: there are no more. */
CORAS_MUST_CHECK int serve_s3_list(serve_s3 *s, const char *under, const char *after,
                                   int (*visit)(const struct serve_s3_object *object, void *user,
                                                coras_error **err),
                                   void *user, char **ret_last, coras_error **err);

/* ---- objects in parts ---- */

/* *ret_upload is a new string. */
CORAS_MUST_CHECK int serve_s3_begin_parts(serve_s3 *s, const char *key, char **ret_upload,
                                          coras_error **err);
struct serve_s3_part {
    const char *key, *upload;
    int64_t number;           /* from 1 */
    const coras_source *body; /* [offset, offset + length) of it */
    int64_t offset, length;
    const char *payload; /* its SHA-256 in hex */
};
/* *ret_tag, a new string, is what the store calls the content. */
CORAS_MUST_CHECK int serve_s3_put_part(serve_s3 *s, const struct serve_s3_part *part,
                                       char **ret_tag, coras_error **err);
/* The tags of all parts in their order, and how long they are together. */
CORAS_MUST_CHECK int serve_s3_finish_parts(serve_s3 *s, const char *key, const char *upload,
                                           const coras_strlist *tags, int64_t size,
                                           coras_error **err);
/* Unknown is success. */
CORAS_MUST_CHECK int serve_s3_abort_parts(serve_s3 *s, const char *key, const char *upload,
                                          coras_error **err);

#endif
