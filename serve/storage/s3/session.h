/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One session while a request holds it: sessions.c takes it and gives it back, session_parts.c
 * collects its bytes, session_flight.c sends them. Inside of serve/storage/s3 only.
 */
#ifndef SERVE_STORAGE_S3_SESSION_H
#define SERVE_STORAGE_S3_SESSION_H

#include <pthread.h>
#include "oci/running_hash.h"
#include "serve/storage/s3/sessions.h"

/* A part on its way to the store, while the next one is collected. */
struct serve_s3_flight {
    pthread_t thread;
    bool is_running;
    int fd; /* its bytes; else a file for the tail after this one, or -1 */
    int64_t length;
    char payload[CORAS_DIGEST_TEXT_MAX]; /* their SHA-256 in hex */
    int rc;                              /* what became of it */
    coras_error *failure;
};

typedef struct serve_s3_session {
    serve_session session;      /* first: it is one */
    serve_upload_row row;       /* as the metadata have it; the flight's while it is running */
    coras_running_hash *hash;   /* over all of it */
    coras_running_hash *inside; /* over the tail: what the part's payload is signed with */
    int fd;                     /* the tail: what is no part yet */
    int64_t tail;               /* its length */
    int64_t parts;              /* that were sent or are on their way */
    struct serve_s3_flight flight;
    struct serve_s3_sessions *table; /* const */
    bool is_stored;                  /* the object is whole: nothing more can be appended */
    bool is_settled;                 /* its row is saved, and nobody holds it any more */
    bool is_lost;                    /* another process has it, a part was lost, or it is void */
    int64_t extended_ms;             /* when the hold on it was extended */
    struct serve_s3_session *next;   /* the table's lock */
} serve_s3_session;

struct serve_s3_sessions {
    serve_sessions sessions; /* first: it is one */
    struct serve_s3_sessions_options options;
    char holder[SERVE_SESSION_ID_LEN + 1]; /* const; what this process calls itself */
    pthread_mutex_t lock;
    pthread_cond_t released;
    serve_s3_session *held; /* lock; by requests of this process */
    atomic_int flights;     /* threads that send parts */
};

/* So many parts are sent while the next ones come; the others keep their clients waiting. */
#define SERVE_S3_FLIGHTS 32

/* So long others leave it alone when its holder says nothing. */
#define SERVE_S3_HOLD_MS 12000
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
CORAS_MUST_CHECK int serve_s3_session_pack(serve_s3_session *s, coras_error **err);
/* Size and state of the hash go into the row. */
CORAS_MUST_CHECK int serve_s3_session_note(serve_s3_session *s, coras_error **err);
/* An unnamed file for a tail. */
CORAS_MUST_CHECK int serve_s3_tail_open(const struct serve_s3_sessions *t, int *ret_fd,
                                        coras_error **err);

/* ---- parts on their way ---- */

/* The tail goes on its way as a part, and an empty one begins. What became of the one before is
 * told first. */
CORAS_MUST_CHECK int serve_s3_flight_begin(serve_s3_session *s, coras_error **err);
/* Until nothing is on its way, and the metadata know of what was. A part that was lost loses the
 * session: a next request goes on after the last one that was not. */
CORAS_MUST_CHECK int serve_s3_flight_end(serve_s3_session *s, coras_error **err);

/* The tail as the last part, with nothing on its way. The metadata hear nothing of it: it stays the
 * tail until the object is whole, and is sent again otherwise. *ret_tag is a new string. */
CORAS_MUST_CHECK int serve_s3_send_last(serve_s3_session *s, char **ret_tag, coras_error **err);

/* What serve_session_append() and serve_session_verify() do. */
CORAS_MUST_CHECK int serve_s3_session_append(serve_sessions *t, serve_session *s, const void *data,
                                             size_t len, coras_error **err);
CORAS_MUST_CHECK int serve_s3_session_verify(serve_sessions *t, serve_session *s,
                                             const coras_digest *digest, coras_error **err);

#endif
