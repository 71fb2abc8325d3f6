/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Upload sessions: unfinished blobs. A session outlives its connection, and the server. There is a
 * kind for each sort of place where blobs are kept, which fills the table of verbs: files of the
 * directory (file_sessions.h), and parts in a store elsewhere.
 *
 * One request at a time works on a session: serve_session_acquire() gives it exclusively. What was
 * finished is remembered for a while, so that a repeated last request is answered like the first.
 */
#ifndef SERVE_STORAGE_SESSIONS_H
#define SERVE_STORAGE_SESSIONS_H

#include "oci/digest.h"
#include "serve/api/routes.h"

typedef struct serve_sessions serve_sessions;

/* How to end the request that holds a session, from another thread: `cut` makes it fail soon. */
struct serve_session_holder {
    void (*cut)(void *user); /* NULL: it cannot be ended */
    void *user;
};

/* What every kind of session has; each kind's own struct begins with it. */
typedef struct serve_session {
    char id[SERVE_SESSION_ID_LEN + 1];  /* const */
    char *repository;                   /* const */
    char *user;                         /* const; "" for nobody in particular */
    int algorithm;                      /* holder: of the running hash */
    int64_t size;                       /* holder, who changes it atomically: bytes that count */
    bool is_finishing;                  /* holder, who changes it atomically: no more bytes come */
    struct serve_session_holder holder; /* the table's lock; while held */
} serve_session;

struct serve_session_beginning {
    const char *repository;
    const char *user;    /* NULL: nobody in particular; then the address owns it */
    const char *network; /* what counts as one address */
    int algorithm;
};
struct serve_session_request {
    const char *id, *repository, *user;
    struct serve_session_holder holder; /* who asks; alive until the session is given back */
    bool look_only;                     /* leave alone who holds it */
};
/* Where finished content goes: `move` takes the upload file `name` below `uploads_fd`, open as
 * `fd` and flushed when it was verified, to its final place, durably. Neither is called for
 * what lies in a store elsewhere already: its row is all that is to be changed. */
struct serve_session_place {
    int (*move)(void *user, int uploads_fd, const char *name, int fd, coras_error **err);
    /* It has come there: make a blob of it. Who waits for the session finds it gone only
     * afterwards. NULL: there is nothing to do. */
    int (*record)(void *user, coras_error **err);
    void *user;
};

struct serve_session_ops {
    void (*close)(serve_sessions *t);
    int (*begin)(serve_sessions *t, const struct serve_session_beginning *beginning,
                 serve_session **ret, coras_error **err);
    int (*acquire)(serve_sessions *t, const struct serve_session_request *request,
                   serve_session **ret, int64_t *ret_size, coras_error **err);
    int (*settle)(serve_sessions *t, serve_session *s, coras_error **err); /* NULL: nothing to do */
    void (*release)(serve_sessions *t, serve_session *s);
    void (*drop)(serve_sessions *t, serve_session *s);
    int (*append)(serve_sessions *t, serve_session *s, const void *data, size_t len,
                  coras_error **err);
    int (*verify)(serve_sessions *t, serve_session *s, const coras_digest *digest,
                  coras_error **err);
    int (*publish)(serve_sessions *t, serve_session **s, const coras_digest *digest,
                   const struct serve_session_place *place, coras_error **err);
    bool (*was_finished)(serve_sessions *t, const char *id, const char *repository,
                         const coras_digest *digest);
    int64_t (*count)(serve_sessions *t);
    void (*expire)(serve_sessions *t, int64_t now_s);
};
struct serve_sessions { /* each kind's own begins with it */
    const struct serve_session_ops *ops;
};

static inline void serve_sessions_close(serve_sessions *t)
{
    if (t)
        t->ops->close(t);
}
CORAS_DEFINE_AUTO(serve_sessions, serve_sessions_close)

/* A new session, acquired. When there are too many, one of whoever has the most makes room: the one
 * that was left longest. TOO_LARGE when all are in use. */
CORAS_MUST_CHECK static inline int
serve_session_begin(serve_sessions *t, const struct serve_session_beginning *beginning,
                    serve_session **ret, coras_error **err)
{
    return t->ops->begin(t, beginning, ret, err);
}
/*
 * Take a session for oneself. Waits a moment for a holder that may be gone already. One that made
 * no progress meanwhile is cut off: its client lost the connection, and is back. One that has all
 * bytes, and is about to make a blob of them, is waited for. NOT_FOUND: none, or of another
 * repository or user. EXISTS: somebody else keeps it; *ret_size is how far they have come.
 */
CORAS_MUST_CHECK static inline int
serve_session_acquire(serve_sessions *t, const struct serve_session_request *request,
                      serve_session **ret, int64_t *ret_size, coras_error **err)
{
    return t->ops->acquire(t, request, ret, ret_size, err);
}
/* What was appended outlives this process from now on. To be called before a client is told of it,
 * and followed by the release. */
CORAS_MUST_CHECK static inline int serve_session_settle(serve_sessions *t, serve_session *s,
                                                        coras_error **err)
{
    return t->ops->settle ? t->ops->settle(t, s, err) : 0;
}
static inline void serve_session_set_finishing(serve_session *s, bool is_finishing)
{
    __atomic_store_n(&s->is_finishing, is_finishing, __ATOMIC_RELAXED);
}
/* Give it back; it stays. */
static inline void serve_session_release(serve_sessions *t, serve_session *s)
{
    if (!s)
        return;
    serve_session_set_finishing(s, false);
    t->ops->release(t, s);
}
/* Give it back and remove it with its bytes. */
static inline void serve_session_drop(serve_sessions *t, serve_session *s)
{
    if (s)
        t->ops->drop(t, s);
}

/* Append bytes, hashing them. On failure what was written counts. */
CORAS_MUST_CHECK static inline int serve_session_append(serve_sessions *t, serve_session *s,
                                                        const void *data, size_t len,
                                                        coras_error **err)
{
    return t->ops->append(t, s, data, len, err);
}
/* Check the content against `digest`, and have it on the disk. DIGEST_MISMATCH leaves the session
 * as it was. Takes long for what is large: call it without any lock. */
CORAS_MUST_CHECK static inline int serve_session_verify(serve_sessions *t, serve_session *s,
                                                        const coras_digest *digest,
                                                        coras_error **err)
{
    serve_session_set_finishing(s, true);
    return t->ops->verify(t, s, digest, err);
}
/* Move the content, verified as `digest`, to its place, and record it. When it could not be moved
 * the session stays as it was; else it is gone, *s is NULL, and when it was recorded it is
 * remembered as finished. */
CORAS_MUST_CHECK static inline int serve_session_publish(serve_sessions *t, serve_session **s,
                                                         const coras_digest *digest,
                                                         const struct serve_session_place *place,
                                                         coras_error **err)
{
    return t->ops->publish(t, s, digest, place, err);
}
/* Whether a session of this id was finished as this blob in this repository lately. */
static inline bool serve_session_was_finished(serve_sessions *t, const char *id,
                                              const char *repository, const coras_digest *digest)
{
    return t->ops->was_finished(t, id, repository, digest);
}

/* How many there are. */
static inline int64_t serve_sessions_count(serve_sessions *t)
{
    return t->ops->count(t);
}
/* Remove what was not touched for a week; forget old finished ones. */
static inline void serve_sessions_expire(serve_sessions *t, int64_t now_s)
{
    t->ops->expire(t, now_s);
}

/* A new id: 128 random bits in the form of a UUID. */
void serve_session_make_id(char id[static SERVE_SESSION_ID_LEN + 1]);
/* Who shares the room for sessions with it: the user, or the address of nobody in particular. New
 * string; NULL without memory. */
char *serve_session_owner_name(const struct serve_session_beginning *beginning);
/* Whether it belongs to whoever asks. */
bool serve_session_may_see(const serve_session *s, const struct serve_session_request *request);
/* Whether to wait on for whoever holds it, who has had SERVE_SESSION_HOLDER_WAIT_MS since it was
 * `size_before` bytes long, and is cut off if it has not come further; `since_ms`: when waiting
 * began. With the table's lock. */
bool serve_session_wait_on(serve_session *s, const struct serve_session_request *request,
                           int64_t size_before, int64_t since_ms);

/* As long as other registries keep them; and how many. */
#define SERVE_SESSION_AGE_MAX_S (7 * 24 * 3600)
#define SERVE_SESSIONS_MAX      16384
/* How long a request waits for the connection that held the session to be noticed as gone. */
#define SERVE_SESSION_HOLDER_WAIT_MS 1000
/* And for one that finishes it, which takes as long as the disk or the store. */
#define SERVE_SESSION_FINISH_WAIT_MS 30000

#endif
