/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time. Durations come from the monotonic clock; the wall clock is for what people and protocols
 * read.
 */
#ifndef CORAS_BASE_CLOCK_H
#define CORAS_BASE_CLOCK_H

#include <pthread.h>
#include <time.h>
#include "base/common.h"

int64_t coras_now_ms(void); /* monotonic */
int64_t coras_wall_s(void); /* seconds since 1970 */

/* A condition to wait on with a deadline that a changed wall clock does not move. */
void coras_cond_init(pthread_cond_t *cond);
/* For pthread_cond_timedwait() on such a condition. */
struct timespec coras_deadline_ms(int64_t from_now_ms);
#endif
