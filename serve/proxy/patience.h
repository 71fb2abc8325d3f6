/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patience: whether a fill asks again after a failure, and when. Readers of a cache should see
 * pauses and no errors while there is hope; and an error within seconds where there was none from
 * the start, so that they go elsewhere. A function of its arguments alone.
 */
#ifndef SERVE_PROXY_PATIENCE_H
#define SERVE_PROXY_PATIENCE_H

#include "base/common.h"

/* Without a new byte, once bytes have come. */
#define SERVE_PATIENCE_MS 20000
/* Before the first one. */
#define SERVE_PATIENCE_FIRST_MS 3000
/* What is obeyed of a wish to be left alone in the middle of a blob. */
#define SERVE_PATIENCE_ASKED_S 60

/* Where a fill stands; with zeros nothing has failed. */
struct serve_patience {
    int64_t since_ms; /* monotonic; of the beginning, or of the last byte */
    bool has_flowed;  /* bytes have come */
    int failures;     /* in a row, without a byte in between */
};

enum serve_patience_verdict {
    SERVE_PATIENCE_AGAIN, /* after *ret_wait_ms */
    SERVE_PATIENCE_WHOLE, /* at once, and without asking for a part */
    SERVE_PATIENCE_OVER
};
/* Counts the failure. `was_part`: a part was asked for. */
enum serve_patience_verdict serve_patience_decide(struct serve_patience *p, int64_t now_ms,
                                                  const coras_error *failure, bool was_part,
                                                  int64_t *ret_wait_ms);
/* A byte has come. */
void serve_patience_moved(struct serve_patience *p, int64_t now_ms);

#endif
