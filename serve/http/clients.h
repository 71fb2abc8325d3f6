/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients: the open connections, how many of them one address may have, and how slow they may be.
 * Without bounds here a few thousand connections that send a byte a minute would shut everybody
 * out.
 *
 * Threads: everything may be called from any thread.
 */
#ifndef SERVE_HTTP_CLIENTS_H
#define SERVE_HTTP_CLIENTS_H

#include <sys/socket.h>
#include "base/common.h"
#include "serve/http/peer.h"

typedef struct serve_clients serve_clients;

/* What a connection is about, which decides how long it may take. */
enum serve_phase {
    SERVE_PHASE_WAITING,    /* for a request, or the rest of its head */
    SERVE_PHASE_DRAINING,   /* the rest of a body that nobody needs: as long as an idle one */
    SERVE_PHASE_COLLECTING, /* a body that is kept in memory: as long as an idle one */
    SERVE_PHASE_RECEIVING,  /* a body: as long as it gets on */
    SERVE_PHASE_SENDING,    /* an answer: as long as it gets on */
    SERVE_PHASE_WORKING,    /* we are at it: no bound */
    SERVE_PHASE_CUT,        /* on its way out */
    SERVE_PHASE_ENDED
};

/* One connection, for its whole life. */
typedef struct serve_client {
    char peer[SERVE_PEER_MAX];    /* const; its address */
    char network[SERVE_PEER_MAX]; /* const; what counts as one address */
    int fd;                       /* const until it ends */
    /* the table's lock: */
    unsigned users; /* one as long as it is open */
    bool is_started;
    enum serve_phase phase;
    int64_t since_ms;     /* of the phase, or of the last look at its progress */
    bool is_measured;     /* since it began */
    int64_t head_ms;      /* while waiting: when a head was seen to have begun; 0: not yet */
    uint64_t since_moved; /* bytes that had moved by then */
    struct serve_client *next, *previous;
} serve_client;

struct serve_client_limits {
    int64_t idle_ms;           /* without progress */
    int64_t most;              /* connections */
    int64_t most_per_address;  /* of these; 0 = no limit of its own */
    int64_t most_per_loopback; /* the same for each address of this machine */
};

/* NULL when out of memory. */
serve_clients *serve_clients_new(const struct serve_client_limits *limits);
void serve_clients_free(serve_clients *t); /* all that were served have ended */

/* Whether one more may come; it counts from now on. Where there are too many, the one that has
 * waited longest without asking for anything makes room. */
bool serve_clients_admit(serve_clients *t, int fd, const struct sockaddr *address);
/* One that was admitted will not be served. */
void serve_clients_refuse(serve_clients *t, int fd);
/* One that was admitted is served from now on. NULL: it was not. */
serve_client *serve_client_start(serve_clients *t, int fd);
/* Before its descriptor is closed. NULL is allowed, here and below. */
void serve_client_end(serve_clients *t, serve_client *c);
/* Use it beyond its end, when its descriptor is closed. */
serve_client *serve_client_hold(serve_clients *t, serve_client *c);
void serve_client_let_go(serve_clients *t, serve_client *c);
/* Reading from it and writing to it fail from now on; nothing happens to one that has ended. */
void serve_client_cut(serve_clients *t, serve_client *c);
/* All of them. */
void serve_clients_cut(serve_clients *t);
/* Whether it sends no more. It has not ended. */
bool serve_client_has_hung_up(const serve_client *c);
/* Make sure that its loop notices when it sends no more. It has not ended. */
void serve_client_show_end(const serve_client *c);
void serve_client_enter(serve_clients *t, serve_client *c, enum serve_phase phase);
unsigned serve_clients_count(serve_clients *t);
/* Cut those that are too slow. Call about once a second. */
void serve_clients_tick(serve_clients *t);

#endif
