/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connections by which one operation brings large content: how many there are, how many are
 * worth it (growth.h), and who may open one more. All downloads of an operation share them, since
 * they share the link; what the link is like is the target's to remember.
 */
#ifndef CORAS_TRANSFER_LANES_H
#define CORAS_TRANSFER_LANES_H

#include <pthread.h>

#include "transfer/growth.h"

/* How processors are used, up to a moment. */
struct coras_lanes_work {
    int64_t at_ms; /* 0: nobody has looked */
    pthread_t thread;
    int64_t thread_ms; /* it ran or was ready to; -1: not known */
    int64_t short_ms;  /* some thread of the machine was ready and did not run; -1: not known */
};

typedef struct coras_lanes {
    pthread_mutex_t lock;
    /* under lock */
    unsigned processors; /* that are ours */
    struct coras_growth growth;
    unsigned taken;               /* connections, also those that have brought nothing yet */
    unsigned open;                /* those that have */
    int64_t arrived;              /* bytes of all */
    int64_t latency_ms;           /* the longest that one took to bring its first byte */
    bool begun;                   /* somebody has said what to expect */
    bool sender_is_here;          /* on this machine */
    struct coras_lanes_work work; /* as of the last look */
} coras_lanes;

/* At most `limit` of them (1 or more). */
void coras_lanes_init(coras_lanes *lanes, unsigned limit);
void coras_lanes_clear(coras_lanes *lanes);

/* What was worth it at another time: `known` connections, 0 when nobody knows; and whether those
 * who send are on this machine. The first counts. */
void coras_lanes_expect(coras_lanes *lanes, unsigned known, bool sender_is_here);
/* Those who send keep one of the processors busy. */
void coras_lanes_share_processors(coras_lanes *lanes);
/* A download takes its own connection, whether or not there should be one more. */
void coras_lanes_enter(coras_lanes *lanes);
/* One more, if one is wanted; given back with coras_lanes_leave(). */
bool coras_lanes_take(coras_lanes *lanes);
/* It has brought its first byte, so long after it was asked for. */
void coras_lanes_opened(coras_lanes *lanes, int64_t latency_ms);
/* It is given back; `opened`: coras_lanes_opened() was called for it. */
void coras_lanes_leave(coras_lanes *lanes, bool opened);
/* Whether there are as many downloads as processors, so that no processor waits for work. */
bool coras_lanes_fill_processors(coras_lanes *lanes);
void coras_lanes_arrived(coras_lanes *lanes, size_t bytes);
/* How many they were so far. */
int64_t coras_lanes_sum(coras_lanes *lanes);
/* By the thread of a download that has `missing` bytes to come: how many more connections
 * (positive) or fewer are wanted. */
int coras_lanes_look(coras_lanes *lanes, int64_t missing);
/* What to remember: how many were worth it; 0: not found out. */
unsigned coras_lanes_learnt(coras_lanes *lanes);

#endif
