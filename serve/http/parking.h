/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parking: connections that have to wait, without a thread. Whoever serves one arms it, tells those
 * who will wake it, and lets it sleep. A wake that comes before it sleeps is not lost; one that
 * nobody waits for does nothing.
 *
 * A sleeping connection is not watched by anybody. One that waits for what may never come is woken
 * after a time, to look for itself whether that has a point.
 *
 * Threads: everything may be called from any thread; arming and sleeping by the one that serves the
 * connection. The lock in here is taken last, after any other.
 */
#ifndef SERVE_HTTP_PARKING_H
#define SERVE_HTTP_PARKING_H

#include "base/common.h"

typedef struct serve_parking serve_parking;

/* How connections stop and go on. */
struct serve_parking_ops {
    void (*pause)(void *connection);
    void (*go_on)(void *connection); /* from any thread; once for each pause */
};

/* One connection; zeroed at first. */
typedef struct serve_parked {
    serve_parking *parking; /* const */
    void *connection;       /* const */
    /* the table's lock: */
    enum serve_parked_state {
        SERVE_PARKED_AWAKE,
        SERVE_PARKED_ARMED, /* about to sleep */
        SERVE_PARKED_WOKEN, /* before it did */
        SERVE_PARKED_ASLEEP
    } state;
    int64_t until_ms; /* asleep: 0 = until it is woken */
    struct serve_parked *next, *previous;
} serve_parked;

CORAS_MUST_CHECK int serve_parking_open(const struct serve_parking_ops *ops, serve_parking **ret,
                                        coras_error **err);
/* Nothing sleeps. NULL allowed. */
void serve_parking_close(serve_parking *t);

/* It is about to be told to others. */
void serve_parked_arm(serve_parked *p);
/* It does not have to sleep after all. */
void serve_parked_disarm(serve_parked *p);
/*
 * Sleep for so many milliseconds at most (0: until it is woken, which is certain). false: somebody
 * was faster, and it goes on at once. When it sleeps, it belongs to whoever wakes it.
 */
CORAS_MUST_CHECK bool serve_parked_sleep(serve_parked *p, int64_t most_ms);
void serve_parked_wake(serve_parked *p);
/* Wake all that sleep for a time only; from now on nobody does. */
void serve_parking_stop(serve_parking *t);

#endif
