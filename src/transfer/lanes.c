/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts the connections of an operation and asks the judge (lanes.h).
 */
#include "transfer/lanes.h"

#include "base/clock.h"
#include "base/processor.h"

void coras_lanes_init(coras_lanes *lanes, unsigned limit)
{
    *lanes = (coras_lanes){.processors = coras_processors()};
    pthread_mutex_init(&lanes->lock, NULL);
    coras_growth_start(&lanes->growth, limit, 1);
}

void coras_lanes_clear(coras_lanes *lanes)
{
    pthread_mutex_destroy(&lanes->lock);
}

void coras_lanes_expect(coras_lanes *lanes, unsigned known, bool sender_is_here)
{
    pthread_mutex_lock(&lanes->lock);
    if (!lanes->begun) {
        coras_growth_start(&lanes->growth, lanes->growth.limit, known);
        lanes->sender_is_here = sender_is_here;
    }
    lanes->begun = true;
    pthread_mutex_unlock(&lanes->lock);
}

void coras_lanes_share_processors(coras_lanes *lanes)
{
    unsigned all = coras_processors();

    pthread_mutex_lock(&lanes->lock);
    lanes->processors = all > 1 ? all - 1 : 1;
    pthread_mutex_unlock(&lanes->lock);
}

/* lock held: what was measured before nobody had a connection would count that time, too */
static void measure_anew(coras_lanes *lanes)
{
    lanes->growth.counted = 0;
    lanes->work = (struct coras_lanes_work){.at_ms = 0};
}

void coras_lanes_enter(coras_lanes *lanes)
{
    pthread_mutex_lock(&lanes->lock);
    if (lanes->taken == 0)
        measure_anew(lanes);
    lanes->taken++;
    pthread_mutex_unlock(&lanes->lock);
}

bool coras_lanes_take(coras_lanes *lanes)
{
    pthread_mutex_lock(&lanes->lock);
    bool may = lanes->taken < lanes->growth.wanted;
    lanes->taken += may;
    pthread_mutex_unlock(&lanes->lock);
    return may;
}

void coras_lanes_opened(coras_lanes *lanes, int64_t latency_ms)
{
    pthread_mutex_lock(&lanes->lock);
    lanes->open++;
    if (latency_ms > lanes->latency_ms)
        lanes->latency_ms = latency_ms;
    pthread_mutex_unlock(&lanes->lock);
}

void coras_lanes_leave(coras_lanes *lanes, bool opened)
{
    pthread_mutex_lock(&lanes->lock);
    lanes->taken--;
    lanes->open -= opened;
    pthread_mutex_unlock(&lanes->lock);
}

bool coras_lanes_fill_processors(coras_lanes *lanes)
{
    pthread_mutex_lock(&lanes->lock);
    bool fill = lanes->taken >= lanes->processors;
    pthread_mutex_unlock(&lanes->lock);
    return fill;
}

void coras_lanes_arrived(coras_lanes *lanes, size_t bytes)
{
    pthread_mutex_lock(&lanes->lock);
    lanes->arrived += (int64_t)bytes;
    pthread_mutex_unlock(&lanes->lock);
}

int64_t coras_lanes_sum(coras_lanes *lanes)
{
    pthread_mutex_lock(&lanes->lock);
    int64_t sum = lanes->arrived;
    pthread_mutex_unlock(&lanes->lock);
    return sum;
}

/* What is known of the use of processors, in ever growing amounts. */
static struct coras_lanes_work work_until(int64_t now_ms)
{
    int64_t ready_ns = coras_thread_ready_ns(), short_us = coras_processors_short_us();

    return (struct coras_lanes_work){.at_ms = now_ms,
                                     .thread = pthread_self(),
                                     .thread_ms = ready_ns < 0 ? -1 : ready_ns / 1000000,
                                     .short_ms = short_us < 0 ? -1 : short_us / 1000};
}

static bool is_most(int64_t before, int64_t after, int64_t passed_ms)
{
    return before >= 0 && after >= 0 && after - before > passed_ms / 2;
}

/* lock held: whether processors, and not the network, were short most of the time since the last
 * look: somebody had to wait for one, or this thread (the same as then) did not wait for anything
 * else. The first look cannot tell. */
static bool is_busy(coras_lanes *lanes, int64_t now_ms)
{
    struct coras_lanes_work before = lanes->work, now = work_until(now_ms);
    int64_t passed_ms = now_ms - before.at_ms;

    lanes->work = now;
    if (!before.at_ms)
        return false;
    return is_most(before.short_ms, now.short_ms, passed_ms) ||
           (pthread_equal(before.thread, now.thread) &&
            is_most(before.thread_ms, now.thread_ms, passed_ms));
}

int coras_lanes_look(coras_lanes *lanes, int64_t missing)
{
    int64_t now_ms = coras_now_ms();

    pthread_mutex_lock(&lanes->lock);
    struct coras_growth_facts facts = {.open = lanes->open,
                                       .bytes = lanes->arrived,
                                       .missing = missing,
                                       .latency_ms = lanes->latency_ms,
                                       .sender_is_here = lanes->sender_is_here};
    if (!lanes->work.at_ms || coras_growth_is_due(&lanes->growth, lanes->open, now_ms))
        facts.machine_is_busy = is_busy(lanes, now_ms);
    unsigned wanted = coras_growth_look(&lanes->growth, &facts, now_ms);
    int more = (int)wanted - (int)lanes->taken;
    pthread_mutex_unlock(&lanes->lock);
    return more;
}

unsigned coras_lanes_learnt(coras_lanes *lanes)
{
    pthread_mutex_lock(&lanes->lock);
    unsigned learnt = lanes->growth.judged ? lanes->growth.wanted : 0;
    pthread_mutex_unlock(&lanes->lock);
    return learnt;
}
