/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cancelling: one flag per operation that every wait, loop and transfer looks at.
 */
#ifndef CORAS_BASE_CANCEL_H
#define CORAS_BASE_CANCEL_H

#include <stdatomic.h>
#include "base/common.h"

/* Set from any thread or a signal handler; never cleared by the library. */
typedef struct coras_cancel {
    atomic_bool requested;
} coras_cancel;

static inline bool coras_cancelled(const coras_cancel *c)
{
    return c && atomic_load_explicit(&c->requested, memory_order_relaxed);
}
/* 0, or CORAS_ERR_CANCELLED with "interrupt signal received". c may be NULL. */
int coras_cancel_check(const coras_cancel *c, coras_error **err);
/* Sleep in small steps; CORAS_ERR_CANCELLED when cancelled meanwhile. */
int coras_cancel_sleep_ms(const coras_cancel *c, int64_t ms, coras_error **err);

#endif
