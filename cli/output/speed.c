/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The speed of a transfer, for the bars and for progress that programs read.
 */
#include "cli/output/speed.h"

#include "base/clock.h"

double speed_now(struct speed *s, int64_t bytes)
{
    unsigned slot = s->count % SPEED_FRAMES;
    unsigned oldest = s->count < SPEED_FRAMES ? 0 : slot;
    int64_t now = coras_now_ms();
    int64_t gained = s->count ? bytes - s->bytes[oldest] : 0;
    int64_t ms = s->count ? now - s->ms[oldest] : 0;

    s->bytes[slot] = bytes;
    s->ms[slot] = now;
    s->count++;
    return gained > 0 && ms > 0 ? (double)gained * 1000 / (double)ms : 0;
}
