/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a further connection for one blob is worth its cost. A link that caps each connection gives
 * several times the rate to several; on a fast one they only cost. So: one connection first, one
 * more while the rate of each is low, and only as long as the last one has brought speed.
 *
 * Pure: bytes and time are given.
 */
#ifndef CORAS_TRANSFER_GROWTH_H
#define CORAS_TRANSFER_GROWTH_H

#include "base/common.h"

#define CORAS_GROWTH_CONNECTIONS_MAX 4

struct coras_growth {
    int64_t window_start_ms, window_bytes; /* when measuring began (begins), bytes until then */
    int64_t last_rate;                     /* bytes a second with one connection less */
    bool settled;                          /* no more of them */
};

enum coras_growth_advice { CORAS_GROWTH_KEEP, CORAS_GROWTH_MORE, CORAS_GROWTH_LESS };

/* `bytes` have arrived until now. */
void coras_growth_start(struct coras_growth *g, int64_t bytes, int64_t now_ms);
/*
 * `bytes` have arrived by `connections`, `missing` are still to come. MORE begins a new measurement
 * as if one was added; LESS (the last one brought nothing) comes once, and nothing after it.
 */
enum coras_growth_advice coras_growth_look(struct coras_growth *g, unsigned connections,
                                           int64_t bytes, int64_t missing, int64_t now_ms);

#endif
