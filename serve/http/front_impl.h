/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the front share: front.c (connections), request.c (the course of a request),
 * intake.c (bodies of uploads), reply.c (answers), head.c (heads that are refused), wake.c (waking
 * the library). They alone see the HTTP library.
 *
 * A few threads of the library serve all connections, each its own ones, and call us. What takes
 * its time is done by a worker while the connection is parked; then the library calls again for the
 * same thing, and finds it done.
 */
#ifndef SERVE_HTTP_FRONT_IMPL_H
#define SERVE_HTTP_FRONT_IMPL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include "base/limits.h"
#include "serve/http/acceptor.h"
#include "serve/http/clients.h"
#include "serve/http/front.h"
#include "serve/http/parking.h"
#include "serve/http/pulse.h"
#include "serve/http/wake.h"

/* What the library has for a connection. Half of it is the receive buffer at first. A head must fit
 * in, with a header of 64 KiB that means nothing to us, and the head of the answer. The library
 * clears all of it between two requests, so an open connection that was asked something costs it in
 * full. */
#define SERVE_CONNECTION_MEMORY (80 * CORAS_KIB)

/* Threads that serve connections. */
#define SERVE_LOOPS_MOST 8

struct serve_front {
    struct serve_registry *registry;           /* const, like everything that is no atomic */
    struct serve_loop loops[SERVE_LOOPS_MOST]; /* threads of the library, which the pulse wakes */
    unsigned loop_count;
    unsigned turn;            /* the acceptor's: whose the next connection is */
    serve_acceptor *acceptor; /* of the main thread; NULL: no connection is taken any more */
    serve_pulse *pulse;
    serve_clients *clients;
    serve_parking *parking;
    serve_workers *workers;
    serve_budget *blocks; /* of uploads: bytes */
    atomic_uint running;
    atomic_bool draining;
    atomic_bool stopping;
};

/* What comes next of a request. */
enum serve_step {
    SERVE_STEP_OPEN,
    SERVE_STEP_BEGIN,
    SERVE_STEP_ASK, /* begin again, with upstreams */
    SERVE_STEP_HEAD_END,
    SERVE_STEP_BODY,
    SERVE_STEP_END,
    SERVE_STEP_ANSWER
};

/* The body of an upload: one block is filled while the other one is hashed and written. */
struct serve_intake {
    size_t cap;      /* of each block; 0: nothing has come */
    size_t budgeted; /* bytes */
    char *blocks[2];
    int64_t taken; /* bytes, in all */
    pthread_mutex_t lock;
    size_t len;       /* lock; of the one that is filled */
    unsigned filling; /* lock, when a worker is at it */
    size_t given;     /* bytes of the other one, which the worker has */
    atomic_bool busy; /* a worker is at it */
    serve_job job;
};

/* One request. While a worker has it, or its connection sleeps, nobody else touches it. */
typedef struct serve_request {
    struct serve_front *front;
    serve_client *client; /* NULL: without a watch over it */
    struct MHD_Connection *connection;
    struct serve_exchange exchange;
    const char *received_target; /* the library's; while the head is looked at */
    char *method, *user_agent;   /* for the log, which may come after the connection's end */
    int64_t began_ms;
    bool begun; /* the head was looked at */
    enum serve_step step;
    int64_t drained;
    serve_parked parked;
    serve_waiter waiter; /* wakes it */
    int64_t wait_ms;     /* how long it waits next before it looks by itself */
    serve_job job;
    void (*work)(struct serve_request *r); /* of the job */
    atomic_bool is_working;
    struct serve_intake intake;
    atomic_uint users;  /* the library, and workers */
    int64_t streamed;   /* bytes of a body that came into being meanwhile */
    char *block;        /* of such a body, read by a worker */
    int64_t block_at;   /* where it begins */
    ssize_t block_got;  /* as the stream's function returned */
    bool block_is_read; /* there is something in it, or to tell */
} serve_request;

/* ---- request.c ---- */
void *serve_request_new(serve_front *f, const char *target, struct MHD_Connection *connection);
/* The library calls for it: the head is there; so many bytes; the end. It may call again. */
enum MHD_Result serve_request_step(serve_request *r, const char *method, const char *version,
                                   const char *data, size_t *len);
/* The library is through with it. */
void serve_request_completed(serve_request *r);
/* Whoever is the last to use it clears it away. */
void serve_request_let_go(serve_request *r);
void serve_request_enter(const serve_request *r, enum serve_phase phase);
/* Have a worker do it, or do it now (SERVE_WORK_NONE). false: the connection sleeps meanwhile. */
bool serve_request_do(serve_request *r, enum serve_work kind, void (*work)(serve_request *r));
/* Until a worker has set this to false and woken it. false: the connection sleeps meanwhile. */
bool serve_request_settle(serve_request *r, const atomic_bool *busy);
/* Sleep until the waiter is woken, or for a while. false: it goes on at once. Armed before. */
bool serve_request_wait(serve_request *r);
int64_t serve_request_drain_limit(const struct serve_exchange *x);

/* ---- intake.c ---- */
/* Take what fits. false: the connection sleeps, and comes again with the rest. */
bool serve_intake_take(serve_request *r, const char *data, size_t *len);
/* By a worker: the last block. */
void serve_intake_flush(serve_request *r);
void serve_intake_clear(serve_request *r);

/* ---- reply.c ---- */
enum MHD_Result serve_reply(serve_request *r);
int64_t serve_reply_bytes(const serve_request *r); /* of the body, that the client was to get */

/* ---- head.c ---- */
/* The parts of a request line, where they were received; the target's end may be overwritten. */
struct serve_head_text {
    const char *method, *target, *version;
    size_t target_len;
};
/* false: two parties could read it differently; the connection must not go on. */
bool serve_head_check(struct MHD_Connection *connection, const struct serve_head_text *text,
                      struct serve_exchange *x);
const char *serve_head_value(void *connection, const char *name);

#endif
