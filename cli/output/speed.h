/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast something goes, over the last looks at it.
 */
#ifndef CORAS_CLI_OUTPUT_SPEED_H
#define CORAS_CLI_OUTPUT_SPEED_H

#include <stdint.h>

#define SPEED_FRAMES 5

/* Where something was at the last looks; its speed is taken over them. All zero: not looked yet. */
struct speed {
    int64_t bytes[SPEED_FRAMES];
    int64_t ms[SPEED_FRAMES];
    unsigned count;
};

/* Look: it is at `bytes` now. Bytes a second since the oldest look that is remembered; what begins
 * again is not negative. */
double speed_now(struct speed *s, int64_t bytes);

#endif
