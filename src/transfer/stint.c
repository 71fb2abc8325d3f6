/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells waiting from working (stint.h).
 */
#include "transfer/stint.h"

#include <time.h>

#include "base/processor.h"

enum {
    WAIT_NS = 4000000, /* in one data centre no answer takes so long */
    READY_PARTS = 4,   /* of the time, spent on a processor or waiting for one: no such wait */
    NS_PER_S = 1000000000,
};

static int64_t read_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t read_ready_ns(void)
{
    int64_t ready_ns = coras_thread_ready_ns();

    return ready_ns < 0 ? read_ns(CLOCK_THREAD_CPUTIME_ID) : ready_ns;
}

coras_stint coras_stint_begin(const coras_pace *pace)
{
    return (coras_stint){read_ns(CLOCK_MONOTONIC),
                         atomic_load(&pace->is_brisk) ? -1 : read_ready_ns()};
}

bool coras_stint_is_wait(int64_t wall_ns, int64_t ready_ns)
{
    return wall_ns >= WAIT_NS && ready_ns < wall_ns / READY_PARTS;
}

bool coras_stint_waited(const coras_stint *begun, coras_pace *pace)
{
    int64_t wall_ns = read_ns(CLOCK_MONOTONIC) - begun->wall_ns;
    bool is_brisk = wall_ns < WAIT_NS;

    atomic_store(&pace->is_brisk, is_brisk);
    if (is_brisk || begun->ready_ns < 0)
        return false;
    return coras_stint_is_wait(wall_ns, read_ready_ns() - begun->ready_ns);
}
