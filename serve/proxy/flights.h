/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flights: questions to upstreams that are being asked. Whoever wants the answer to one that is
 * under way waits for it (following.h) and does not ask again, so that thirty clients after the
 * same tag cost one request and one thread. A flight belongs to nobody: it comes to its end whether
 * or not those who wait stay.
 *
 * Whoever finds no flight of its key begins one, asks, sets the answer and lands it. Answers are
 * kept by those who hold them and by nobody else.
 */
#ifndef SERVE_PROXY_FLIGHTS_H
#define SERVE_PROXY_FLIGHTS_H

#include "oci/descriptor.h"
#include "serve/http/waiter.h"
#include "serve/proxy/said.h"

typedef struct serve_flights serve_flights;

/* The answer. Constant once it has landed. */
typedef struct serve_flight {
    struct serve_said said;
    coras_descriptor desc; /* YES: what it is */
    coras_buf content;     /* YES: its bytes, when they were asked for */
    bool has_content;
    coras_strlist names; /* YES: of a list */
    bool unsupported;    /* YES: there is no list of this kind */
    /* for flights.c */
    char *key; /* const */
    bool landed;
    unsigned holders;
    serve_waiter *waiters;
} serve_flight;

serve_flights *serve_flights_new(void); /* NULL: out of memory */
void serve_flights_free(serve_flights *f);
CORAS_DEFINE_AUTO(serve_flights, serve_flights_free)

enum serve_flight_role {
    SERVE_FLIGHT_LEAD,   /* *ret is yours to set and to land */
    SERVE_FLIGHT_LANDED, /* *ret has the answer */
    SERVE_FLIGHT_FOLLOW, /* *ret will have it */
    SERVE_FLIGHT_LATER,  /* of serve_follow() alone */
    SERVE_FLIGHT_NONE    /* *ret is NULL: no memory for it */
};
/* Begin or join the flight of the key. */
enum serve_flight_role serve_flight_board(serve_flights *f, const char *key, serve_flight **ret);
/* By the one who leads: those who wait have the answer. */
void serve_flight_land(serve_flights *f, serve_flight *flight);
/* Whether it has landed; else the waiter is woken when it does. */
bool serve_flight_wait(serve_flights *f, serve_flight *flight, serve_waiter *waiter);
void serve_flight_forget(serve_flights *f, serve_flight *flight, serve_waiter *waiter);
const char *serve_flight_key(const serve_flight *flight);
/* Once more; returns it. */
serve_flight *serve_flight_hold(serve_flights *f, serve_flight *flight);
/* By everybody who got it. NULL allowed. */
void serve_flight_leave(serve_flights *f, serve_flight *flight);

#endif
