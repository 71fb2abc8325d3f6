/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Upload sessions: unfinished blobs. ROOT/uploads/<id> holds the bytes, <id>.json whose they are; a
 * session outlives its connection, and the server. Its offset is the length of the file.
 *
 * One request at a time works on a session: serve_session_acquire() gives it exclusively. What was
 * finished is remembered for a while, so that a repeated last request is answered like the first.
 */
#ifndef SERVE_STORAGE_SESSIONS_H
#define SERVE_STORAGE_SESSIONS_H

#include "serve/storage/blob_store.h"
#include "serve/api/routes.h"

typedef struct serve_sessions serve_sessions;

/* How to end the request that holds a session, from another thread: `cut` makes it fail soon. */
struct serve_session_holder {
    void (*cut)(void *user); /* NULL: it cannot be ended */
    void *user;
};

struct serve_session_owner;

typedef struct serve_session {
    char id[SERVE_SESSION_ID_LEN + 1]; /* const */
    char *repository;                  /* const */
    char *user;                        /* const; "" for nobody in particular */
    int algorithm;                     /* holder: of the running hash */
    int fd;                            /* holder: open while held */
    int64_t size;                      /* holder, who changes it atomically: bytes on disk */
    int64_t flushed;                   /* holder: bytes whose writing out was begun */
    coras_hasher *hasher; /* holder: over the first `size` bytes; NULL = read them again */
    bool held;            /* the table's lock */
    struct serve_session_holder holder; /* the table's lock; while held */
    int64_t touched_s;                  /* the table's lock; wall clock */
    struct serve_session_owner *owner;  /* the table's lock; set while it is in the table */
} serve_session;

/* Reads what an earlier process left. `store` is borrowed. */
CORAS_MUST_CHECK int serve_sessions_open(serve_blob_store *store, serve_sessions **ret,
                                         coras_error **err);
void serve_sessions_close(serve_sessions *t);
CORAS_DEFINE_AUTO(serve_sessions, serve_sessions_close)

struct serve_session_beginning {
    const char *repository;
    const char *user;    /* NULL: nobody in particular; then the address owns it */
    const char *network; /* what counts as one address */
    int algorithm;
};
/* A new session, acquired. When there are too many, one of whoever has the most makes room: the one
 * that was left longest. TOO_LARGE when all are in use. */
CORAS_MUST_CHECK int serve_session_begin(serve_sessions *t,
                                         const struct serve_session_beginning *beginning,
                                         serve_session **ret, coras_error **err);
struct serve_session_request {
    const char *id, *repository, *user;
    struct serve_session_holder holder; /* who asks; alive until the session is given back */
    bool look_only;                     /* leave alone who holds it */
};
/*
 * Take a session for oneself. Waits a moment for a holder that may be gone already. One that made
 * no progress meanwhile is cut off: its client lost the connection, and is back. NOT_FOUND: none,
 * or of another repository or user. EXISTS: somebody else keeps it; *ret_size is how far they have
 * come.
 */
CORAS_MUST_CHECK int serve_session_acquire(serve_sessions *t,
                                           const struct serve_session_request *request,
                                           serve_session **ret, int64_t *ret_size,
                                           coras_error **err);
/* Give it back; it stays. */
void serve_session_release(serve_sessions *t, serve_session *s);
/* Give it back and remove it with its bytes. */
void serve_session_drop(serve_sessions *t, serve_session *s);

/* Append bytes, hashing them. On failure what was written counts. */
CORAS_MUST_CHECK int serve_session_append(serve_session *s, const void *data, size_t len,
                                          coras_error **err);
/* Check the content against `digest`, and have it on the disk. DIGEST_MISMATCH leaves the session
 * as it was. Takes long for what is large: call it without any lock. */
CORAS_MUST_CHECK int serve_session_verify(serve_session *s, const coras_digest *digest,
                                          coras_error **err);
/* Where finished content goes: `move` takes the upload file `name` below `uploads_fd`, open as
 * `fd`, to its final place, durably. */
struct serve_session_place {
    int (*move)(void *user, int uploads_fd, const char *name, int fd, coras_error **err);
    void *user;
};
/* Move the content, verified as `digest`, to its place. On success the session is gone (remembered
 * as finished), *s is NULL. */
CORAS_MUST_CHECK int serve_session_publish(serve_sessions *t, serve_session **s,
                                           const coras_digest *digest,
                                           const struct serve_session_place *place,
                                           coras_error **err);
/* Whether a session of this id was finished as this blob in this repository lately. */
bool serve_session_was_finished(serve_sessions *t, const char *id, const char *repository,
                                const coras_digest *digest);

/* How many there are. */
int64_t serve_sessions_count(serve_sessions *t);

/* Remove what was not touched for a week; forget old finished ones. */
void serve_sessions_expire(serve_sessions *t, int64_t now_s);

#endif
