/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges by the measured rate how many connections are worth it. No I/O.
 */
#include "transfer/growth.h"

enum {
    WINDOW_MS = 100,
    FAILURE_MS = 250, /* but that more brought nothing is not said so soon */
    WARM_UP_MS = 50,  /* a new connection needs some round trips until it is fast */
    WARM_UP_MAX_MS = 2000,
    TRIAL_MAX_MS = 5000, /* whoever has not come by then does not count */
    WORTH_IT_MS = 250,   /* what is left takes longer than this */
    REST_MS = 500,       /* after a trial that failed; doubles */
    REST_MAX_MS = 64000,
    MIB = 1024 * 1024,
    FAST_RATE = 192 * MIB, /* no such connection is capped */
    SLOW_RATE = 24 * MIB,  /* what even a busy machine can receive */
    HERE_RATE = 12 * MIB,  /* and what it can send to itself meanwhile */
    MISSING_MIN = 4 * MIB,
};

void coras_growth_start(struct coras_growth *g, unsigned limit, unsigned expected)
{
    *g = (struct coras_growth){.limit = limit, .wanted = 1, .rest_ms = REST_MS};
    if (expected > 1)
        g->wanted = expected < limit ? expected : limit;
}

static int64_t warm_up_of(int64_t latency_ms)
{
    int64_t ms = latency_ms * 3 / 2 > WARM_UP_MS ? latency_ms * 3 / 2 : WARM_UP_MS;

    return ms < WARM_UP_MAX_MS ? ms : WARM_UP_MAX_MS;
}

static void measure_from(struct coras_growth *g, const struct coras_growth_facts *f, int64_t now_ms,
                         bool warm)
{
    g->counted = f->open;
    g->measuring = warm;
    g->since_ms = now_ms;
    g->since_bytes = f->bytes;
}

/* Whether those that came have brought at least half of what each one had before. */
static bool has_grown(const struct coras_growth *g, unsigned open, int64_t rate)
{
    if (open <= g->before)
        return false;
    int64_t came = open - g->before;

    return rate - g->rate_before >= g->rate_before * came / g->before / 2;
}

static void end_trial(struct coras_growth *g, unsigned open, int64_t rate, int64_t now_ms)
{
    g->judged = true;
    if (!has_grown(g, open, rate)) {
        g->wanted = g->fallback;
        g->rest_until_ms = now_ms + g->rest_ms;
        g->rest_ms = g->rest_ms * 2 < REST_MAX_MS ? g->rest_ms * 2 : REST_MAX_MS;
    }
    g->before = 0;
}

/* Processors are what all wait for: more connections would wait for them too, or take them away
 * from others. */
static bool lacks_processors(const struct coras_growth_facts *f, int64_t each)
{
    return f->machine_is_busy && each >= (f->sender_is_here ? HERE_RATE : SLOW_RATE);
}

static bool is_worth_it(const struct coras_growth *g, const struct coras_growth_facts *f,
                        int64_t rate, int64_t now_ms)
{
    int64_t each = rate / f->open;

    return f->open >= g->wanted && f->open < g->limit && now_ms >= g->rest_until_ms &&
           each < FAST_RATE && !lacks_processors(f, each) && f->missing >= MISSING_MIN &&
           f->missing > rate * WORTH_IT_MS / 1000;
}

static void begin_trial(struct coras_growth *g, unsigned open, int64_t rate)
{
    g->before = open;
    g->fallback = g->wanted;
    g->rate_before = rate;
    g->wanted = open * 2 < g->limit ? open * 2 : g->limit;
}

/* New ones are on their way. */
static bool is_waiting(const struct coras_growth *g, unsigned open, int64_t now_ms)
{
    return g->before && open < g->wanted && now_ms - g->since_ms < TRIAL_MAX_MS;
}

bool coras_growth_is_due(const struct coras_growth *g, unsigned open, int64_t now_ms)
{
    return open == g->counted && g->measuring && now_ms - g->since_ms >= WINDOW_MS &&
           !is_waiting(g, open, now_ms);
}

unsigned coras_growth_look(struct coras_growth *g, const struct coras_growth_facts *f,
                           int64_t now_ms)
{
    if (f->open != g->counted || now_ms < g->since_ms) {
        measure_from(g, f, now_ms, false);
        return g->wanted;
    }
    if (!g->measuring && now_ms - g->since_ms >= warm_up_of(f->latency_ms))
        measure_from(g, f, now_ms, true);
    if (!f->open || !coras_growth_is_due(g, f->open, now_ms))
        return g->wanted;
    int64_t rate = (f->bytes - g->since_bytes) * 1000 / (now_ms - g->since_ms);
    if (g->before && now_ms - g->since_ms < FAILURE_MS && !has_grown(g, f->open, rate))
        return g->wanted;
    if (g->before)
        end_trial(g, f->open, rate, now_ms);
    if (is_worth_it(g, f, rate, now_ms))
        begin_trial(g, f->open, rate);
    measure_from(g, f, now_ms, true);
    return g->wanted;
}
