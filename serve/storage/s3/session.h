/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One session while a request holds it: sessions.c takes it and gives it back, session_parts.c
 * sends its bytes. Inside of serve/storage/s3 only.
 */
#ifndef SERVE_STORAGE_S3_SESSION_H
#define SERVE_STORAGE_S3_SESSION_H

#include "oci/running_hash.h"
#include "serve/storage/s3/sessions.h"

typedef struct serve_s3_session {
    serve_session session;         /* first: it is one */
    serve_upload_row row;          /* as the metadata have it, but for size and state */
    coras_running_hash *hash;      /* over all of it */
    coras_running_hash *inside;    /* over the tail: what the part's payload is signed with */
    int fd;                        /* the tail: what is no part yet */
    int64_t tail;                  /* its length */
    bool is_stored;                /* the object is whole: nothing more can be appended */
    bool is_settled;               /* its row is saved, and nobody holds it any more */
    bool is_lost;                  /* another process has it, or it is void */
    int64_t extended_s;            /* when the hold on it was extended */
    struct serve_s3_session *next; /* the table's lock */
} serve_s3_session;

struct serve_s3_sessions {
    serve_sessions sessions; /* first: it is one */
    struct serve_s3_sessions_options options;
    char holder[SERVE_SESSION_ID_LEN + 1]; /* const; what this process calls itself */
    pthread_mutex_t lock;
    pthread_cond_t released;
    serve_s3_session *held; /* lock; by requests of this process */
};

/* So long others leave it alone when its holder says nothing. */
#define SERVE_S3_HOLD_S 12
/* Parts are as large as a store takes ten thousand of for the largest blobs; this is the size of
 * the first thousand, each thousand after it has larger ones. */
#define SERVE_S3_PART_BYTES (8 * (int64_t)CORAS_MIB)
/* No part but the last may be smaller. */
#define SERVE_S3_PART_LEAST (5 * (int64_t)CORAS_MIB)

/* From now on for a while. */
struct serve_upload_hold serve_s3_hold(const struct serve_s3_sessions *t);

/* An unnamed file for the tail, and hashes over nothing. */
CORAS_MUST_CHECK int serve_s3_session_start(struct serve_s3_sessions *t, serve_s3_session *s,
                                            coras_error **err);
/* The same as the row says. */
CORAS_MUST_CHECK int serve_s3_session_resume(struct serve_s3_sessions *t, serve_s3_session *s,
                                             coras_error **err);
/* What the next request finds goes into the row. */
CORAS_MUST_CHECK int serve_s3_session_pack(struct serve_s3_sessions *t, serve_s3_session *s,
                                           coras_error **err);

/* What serve_session_append() and serve_session_verify() do. */
CORAS_MUST_CHECK int serve_s3_session_append(serve_sessions *t, serve_session *s, const void *data,
                                             size_t len, coras_error **err);
CORAS_MUST_CHECK int serve_s3_session_verify(serve_sessions *t, serve_session *s,
                                             const coras_digest *digest, coras_error **err);

#endif
