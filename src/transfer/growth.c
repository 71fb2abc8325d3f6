/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges by the measured rate whether a further connection is worth it. No I/O.
 */
#include "transfer/growth.h"

enum {
    WINDOW_MS = 1000,
    WARM_UP_MS = 500,   /* a new connection needs some round trips until it is fast */
    WORTH_IT_MS = 2000, /* what is left takes longer than this */
    MIB = 1024 * 1024,
    FAST_RATE = 192 * MIB, /* no such connection is capped */
    MISSING_MIN = 64 * MIB,
};

void coras_growth_start(struct coras_growth *g, int64_t bytes, int64_t now_ms)
{
    g->window_start_ms = now_ms;
    g->window_bytes = bytes;
}

/* Whether the last of the connections has brought at least half of what each one had before. */
static bool has_grown(const struct coras_growth *g, unsigned connections, int64_t rate)
{
    int64_t before = (int64_t)connections - 1;

    return before == 0 || rate - g->last_rate >= g->last_rate / before / 2;
}

static bool is_worth_it(int64_t missing, int64_t rate)
{
    return missing >= MISSING_MIN && missing / (rate + 1) >= WORTH_IT_MS / 1000;
}

enum coras_growth_advice coras_growth_look(struct coras_growth *g, unsigned connections,
                                           int64_t bytes, int64_t missing, int64_t now_ms)
{
    int64_t passed = now_ms - g->window_start_ms;

    if (passed < 0)
        g->window_bytes = bytes;
    if (g->settled || passed < WINDOW_MS)
        return CORAS_GROWTH_KEEP;
    int64_t rate = (bytes - g->window_bytes) * 1000 / passed;
    bool grown = has_grown(g, connections, rate);
    g->settled = !grown || connections >= CORAS_GROWTH_CONNECTIONS_MAX;
    if (g->settled)
        return grown ? CORAS_GROWTH_KEEP : CORAS_GROWTH_LESS;
    coras_growth_start(g, bytes, now_ms);
    if (rate / connections >= FAST_RATE || !is_worth_it(missing, rate))
        return CORAS_GROWTH_KEEP;
    g->last_rate = rate;
    g->window_start_ms += WARM_UP_MS;
    return CORAS_GROWTH_MORE;
}
