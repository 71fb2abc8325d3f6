/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fill: one blob on its way from an upstream into a file here, and everybody who reads it
 * meanwhile. There is one for a digest, however many ask, and it belongs to nobody: its own thread
 * (filler.c) writes, readers follow as far as it has come and never touch the upstream.
 *
 * The digest is known at the end alone. So nobody gets the last bytes before it is: an answer that
 * ends is an answer that was verified, and one that was not is cut short, which every client
 * notices.
 *
 * Threads: everything may be called by any thread, unless it is said to be the filler's.
 */
#ifndef SERVE_PROXY_FILL_H
#define SERVE_PROXY_FILL_H

#include <pthread.h>
#include "oci/digest.h"
#include "serve/http/waiter.h"
#include "serve/proxy/upstream.h"
#include "serve/proxy/window.h"

/* What readers do not get before the verdict. */
#define SERVE_FILL_HELD_BACK (64 * CORAS_KIB)

enum serve_fill_state {
    SERVE_FILL_RUNNING, /* or waiting for its turn */
    SERVE_FILL_DONE,    /* all of it is here, and verified */
    SERVE_FILL_FAILED
};

struct serve_fills;
struct serve_ahead;

typedef struct serve_fill {
    coras_digest digest;       /* const, like everything down to the lock */
    struct serve_fills *fills; /* the table that it is in */
    serve_upstream *upstream;
    char *repository; /* at the upstream */
    char *via;        /* the ways of the request that began it; or NULL */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum serve_fill_state state;       /* lock */
    bool is_running;                   /* lock; its turn has come */
    int fd;                            /* lock; -1 before there is a file; open until the end */
    int64_t got;                       /* lock; bytes of the file that can be read */
    int64_t found;                     /* lock; that an earlier life had left, in order */
    int64_t size;                      /* lock; of the whole; -1: nobody knows yet */
    int64_t measured_ms, measured_got; /* lock; when its present run began to flow, and where */
    bool is_measured;                  /* lock; the upstream has said what it says about the size */
    unsigned round;       /* lock; counts up when it begins anew: what was read is void */
    coras_error *failure; /* lock; FAILED */
    int64_t told_ms;      /* lock; when readers were woken last */
    coras_strlist
        repositories;          /* lock; ours, for which an upstream has said that it has the blob */
    bool is_recorded;          /* lock; their links were made, or could not be: whoever comes later
                                  makes his own */
    bool is_kept;              /* lock; it was stored */
    int64_t left_ms;           /* lock; when the last reader left, or there was none yet */
    serve_follower *followers; /* lock; that read of it */
    serve_waiter *waiters;     /* lock; of these, and others */
    serve_window *window;      /* lock; it is not kept: the last bytes that came. NULL: it is */
    struct serve_ahead *ahead; /* const once made; what was brought out of turn */

    unsigned users;          /* the table's lock */
    struct serve_fill *next; /* the table's lock; that waits for its turn */
} serve_fill;

/* NULL when out of memory. */
serve_fill *serve_fill_new(struct serve_fills *fills, serve_upstream *upstream,
                           const char *repository, const coras_digest *digest);
void serve_fill_free(serve_fill *f);

/* Bytes from the start that may be given to readers. Pure. */
int64_t serve_fill_limit(enum serve_fill_state state, int64_t got, int64_t size);

/* Whether the repository (one of ours) is known to hold it. */
bool serve_fill_is_confirmed(serve_fill *f, const char *repository);
/* Note so. false: too late, the caller makes the link itself. */
bool serve_fill_confirm(serve_fill *f, const char *repository);

/* ---- for its filler ---- */
void serve_fill_set_file(serve_fill *f, int fd); /* takes it */
/* SIZE_MISMATCH when another is known already. */
CORAS_MUST_CHECK int serve_fill_set_size(serve_fill *f, int64_t size, coras_error **err);
/* So many bytes more can be read. */
void serve_fill_advance(serve_fill *f, int64_t bytes);
/* Nothing of what was there counts any more, nor what was brought ahead, which is stopped. */
void serve_fill_restart(serve_fill *f);
void serve_fill_finish(serve_fill *f);
/* From here on nothing is written. NO_MEMORY. */
CORAS_MUST_CHECK int serve_fill_open_window(serve_fill *f, coras_error **err);
/* Hand some of the bytes through the window, when its readers have made room: how many. 0: nobody
 * reads any more. */
size_t serve_fill_pass(serve_fill *f, const void *data, size_t len, const coras_cancel *cancel);
/* How long nobody has read of it by now. */
int64_t serve_fill_idle_ms(serve_fill *f);
/* What became of its file, after all of it was verified. */
void serve_fill_set_kept(serve_fill *f, bool is_kept);
void serve_fill_fail(serve_fill *f, const coras_error *failure);

/* ---- for readers ---- */
void serve_fill_follow(serve_fill *f, serve_follower *follower);
/* `waiter` is woken no more; NULL allowed. */
void serve_fill_unfollow(serve_fill *f, serve_follower *follower, serve_waiter *waiter);
/* It wants the byte at `position`, and none before. With the lock. */
void serve_fill_move(serve_fill *f, serve_follower *follower, int64_t position);
/* Whether a reader of the whole can still begin with it. */
bool serve_fill_can_join(serve_fill *f);
struct serve_fill_wait {
    bool (*is_gone)(void *user); /* whoever waits has left */
    void *user;
    int64_t deadline_ms;  /* monotonic; 0: as long as it takes. It is for an upstream that says
                             nothing: waiting for one's turn, or for a slow one, is another thing. */
    serve_waiter *waiter; /* is woken when there is something new */
};
/* Whether the filler has come past `position`, or to the end. With the lock. */
bool serve_fill_can_read(const serve_fill *f, int64_t position);
/* Readers hear of a change: with the lock. */
void serve_fill_tell(serve_fill *f);
/*
 * Be woken when `position` (-1: anything) has changed. Who is woken is off the list, and so is, by
 * serve_fill_forget(), who was woken by something else. TIMEOUT; CANCELLED when the reader is gone:
 * then nobody is woken. With the lock.
 */
CORAS_MUST_CHECK int serve_fill_enlist(serve_fill *f, const struct serve_fill_wait *wait,
                                       int64_t position, coras_error **err);
void serve_fill_forget(serve_fill *f, serve_waiter *waiter);
/* The failure of one that has failed. With the lock. */
int serve_fill_why(const serve_fill *f, coras_error **err);

/* Whether the size is known, or cannot be before the end: *ret_size is -1 then, and the result 1.
 * 0: the waiter is woken. TIMEOUT; CANCELLED; why it failed. */
CORAS_MUST_CHECK int serve_fill_look_size(serve_fill *f, const struct serve_fill_wait *wait,
                                          int64_t *ret_size, coras_error **err);
/* Whether it is a blob of the registry, and linked: 1. 0: the waiter is woken. TIMEOUT; CANCELLED;
 * why it failed; NO_SPACE: it was not kept. */
CORAS_MUST_CHECK int serve_fill_look_recorded(serve_fill *f, const struct serve_fill_wait *wait,
                                              coras_error **err);

#endif
