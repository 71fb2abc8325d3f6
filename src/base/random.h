/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers from the system.
 */
#ifndef CORAS_BASE_RANDOM_H
#define CORAS_BASE_RANDOM_H

#include "base/common.h"

/* Random bytes from the system; cannot fail. */
void coras_random(void *p, size_t len);
uint32_t coras_random_below(uint32_t bound);

#endif
