/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether processors are short: what tells waiting for the network from waiting for one's turn.
 * Amounts that only grow, from the kernel; -1 where it does not tell.
 */
#ifndef CORAS_BASE_PROCESSOR_H
#define CORAS_BASE_PROCESSOR_H

#include "base/common.h"

/* How many there are for us; at least 1. */
unsigned coras_processors(void);
/* How long the calling thread has run, or could have run had a processor been free. */
int64_t coras_thread_ready_ns(void);
/* How long some thread of the machine was ready and did not run. */
int64_t coras_processors_short_us(void);
/* How much memory the machine has; it does not grow. */
int64_t coras_memory_bytes(void);

#endif
