/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small pieces of work that mostly wait for an answer: more of them at a time cost nothing and hide
 * the way to the registry and back. Those of few bytes that are found to wait get more workers than
 * there are transfers at a time; where the machine is the limit, or bytes are, nothing changes.
 */
#ifndef CORAS_TRANSFER_STINT_H
#define CORAS_TRANSFER_STINT_H

#include <stdatomic.h>

#include "base/common.h"

/* Workers for small pieces of work, where the user has set no bound. */
#define CORAS_WORKERS_MAX 24
/* Workers that come for each piece of work that has waited: a few round trips, and all are there.
 */
#define CORAS_STINT_GROWTH 2
/* What takes no longer than the way there and back, on most links. */
#define CORAS_STINT_BYTES ((int64_t)256 * 1024)

/* What the pieces of one operation are like. */
typedef struct coras_pace {
    /* The last one was short: of the next it is not looked at what the thread did, for a look costs
     * as much as a twentieth of such a piece. When that is long, the one after it is looked at. */
    atomic_bool is_brisk;
} coras_pace;

/* When a piece of work began. */
typedef struct coras_stint {
    int64_t wall_ns, ready_ns; /* ready_ns < 0: not looked at */
} coras_stint;

/* On the thread that works. */
coras_stint coras_stint_begin(const coras_pace *pace);
/* Whether it has mostly waited since then, as far as is known. */
bool coras_stint_waited(const coras_stint *begun, coras_pace *pace);
/* The same of amounts: what has passed, and of that the thread ran or was ready to. Pure. */
bool coras_stint_is_wait(int64_t wall_ns, int64_t ready_ns);

#endif
