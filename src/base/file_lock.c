/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flock() with an end to the waiting.
 */
#include "base/file_lock.h"

#include <errno.h>
#include <sys/file.h>
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"

enum { PAUSE_MS = 20 };

int coras_file_lock(int fd, const char *what, const coras_cancel *cancel, coras_error **err)
{
    int64_t deadline_ms = coras_now_ms() + CORAS_LIMIT_LOCK_SECONDS * 1000;

    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return 1;
        if (coras_now_ms() >= deadline_ms)
            return coras_fail(err, CORAS_ERR_TIMEOUT, "%s is locked by another process for %d s",
                              what, CORAS_LIMIT_LOCK_SECONDS);
        CORAS_TRY(coras_cancel_sleep_ms(cancel, PAUSE_MS, err));
    }
    return 0;
}
