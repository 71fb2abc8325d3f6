/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiters: somebody who waits for something without a thread. He puts himself on the list of what
 * he waits for, and whoever brings it wakes the list.
 *
 * Threads: a list, and who is on it, belong to the lock of whoever has the list. Waking happens
 * with that lock held, so that nobody who is being woken can go away meanwhile.
 */
#ifndef SERVE_HTTP_WAITER_H
#define SERVE_HTTP_WAITER_H

#include "base/common.h"

typedef struct serve_waiter {
    void (*wake)(void *user); /* takes no lock but the innermost ones; may be called too often */
    void *user;
    /* the list's lock: */
    int64_t position; /* of what he waits for, where that has positions */
    struct serve_waiter *next;
    bool is_listed;
} serve_waiter;

/* Who is on it already stays. */
void serve_waiters_add(serve_waiter **list, serve_waiter *waiter);
/* Who is not on it is left alone; NULL allowed. */
void serve_waiters_remove(serve_waiter **list, serve_waiter *waiter);
/* Take those off for whom `is_due` (NULL: all), and wake them. */
void serve_waiters_wake(serve_waiter **list,
                        bool (*is_due)(const serve_waiter *waiter, const void *user),
                        const void *user);

#endif
