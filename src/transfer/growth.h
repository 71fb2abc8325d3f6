/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many connections are worth their cost. A link that caps each connection gives several times
 * the rate to several; on a fast one they only cost. So: few first, twice as many while the rate of
 * each is low, and back again when the sum has not grown with them.
 *
 * Pure: bytes and time are given.
 */
#ifndef CORAS_TRANSFER_GROWTH_H
#define CORAS_TRANSFER_GROWTH_H

#include "base/common.h"

/* More have never helped one client; fewer than browsers, together, open to one host. */
#define CORAS_GROWTH_CONNECTIONS_MAX 8
/* Shorter content is over before a second connection has begun. */
#define CORAS_GROWTH_BYTES_MIN ((int64_t)8 * 1024 * 1024)

struct coras_growth {
    unsigned limit;        /* never more */
    unsigned wanted;       /* connections that are worth it, as far as is known */
    unsigned before;       /* during a trial of more: how many there were; else 0 */
    unsigned fallback;     /* wanted before the trial */
    int64_t rate_before;   /* bytes a second that those brought */
    unsigned counted;      /* connections of this measurement */
    bool measuring;        /* the warm-up is over */
    int64_t since_ms;      /* when the measurement, or the warm-up before it, began */
    int64_t since_bytes;   /* bytes until then */
    int64_t rest_until_ms; /* no trial before */
    int64_t rest_ms;       /* how long the next pause after a trial that failed */
    bool judged;           /* a trial has ended, or the limit was reached by one */
};

/* What is known at one moment. */
struct coras_growth_facts {
    unsigned open;        /* connections that bring bytes */
    int64_t bytes;        /* that have arrived until now */
    int64_t missing;      /* still to come */
    int64_t latency_ms;   /* the longest that a connection took to bring its first byte */
    bool machine_is_busy; /* the receiving thread works or waits for a processor most of the time */
    bool sender_is_here;  /* on the same machine, so that it needs processors too */
};

/* `expected` (1 when nothing is known) connections are wanted from the beginning. */
void coras_growth_start(struct coras_growth *g, unsigned limit, unsigned expected);
/* How many connections are wanted from now on. */
unsigned coras_growth_look(struct coras_growth *g, const struct coras_growth_facts *facts,
                           int64_t now_ms);
/* Whether coras_growth_look() would judge now: what costs something to find out is found out then.
 */
bool coras_growth_is_due(const struct coras_growth *g, unsigned open, int64_t now_ms);

#endif
