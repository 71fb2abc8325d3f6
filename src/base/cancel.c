/* SPDX-License-Identifier: Apache-2.0 */
/* The cancel flag, and a sleep that it ends. */
#include "base/cancel.h"

#include <time.h>
#include "base/clock.h"
#include "base/error.h"

int coras_cancel_check(const coras_cancel *c, coras_error **err)
{
    if (coras_cancelled(c))
        return coras_fail(err, CORAS_ERR_CANCELLED, "interrupt signal received");
    return 0;
}

int coras_cancel_sleep_ms(const coras_cancel *c, int64_t ms, coras_error **err)
{
    enum { STEP_MS = 50 }; /* a cancel is noticed before a person gets impatient */
    int64_t end = coras_now_ms() + (ms > 0 ? ms : 0);

    for (;;) {
        CORAS_TRY(coras_cancel_check(c, err));
        int64_t left = end - coras_now_ms();
        if (left <= 0)
            return 0;
        if (left > STEP_MS)
            left = STEP_MS;
        struct timespec ts = {.tv_sec = 0, .tv_nsec = (long)left * 1000000};
        (void)nanosleep(&ts, NULL); /* an early return only makes the loop look again */
    }
}
