/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same work for many items on the run's workers, while the calling thread delivers events.
 */
#ifndef CORAS_TRANSFER_PARALLEL_H
#define CORAS_TRANSFER_PARALLEL_H

#include "transfer/run.h"

/* work(i) for 0 <= i < count; the first failure stops the rest and is the result. */
CORAS_MUST_CHECK int coras_run_parallel(coras_run *run, size_t count,
                                        int (*work)(void *user, size_t i, coras_error **err),
                                        void *user, coras_error **err);
/* The same with more workers for small items while those are found to wait for answers (stint.h);
 * `size_of` tells their bytes. */
CORAS_MUST_CHECK int coras_run_parallel_sized(coras_run *run, size_t count,
                                              int (*work)(void *user, size_t i, coras_error **err),
                                              int64_t (*size_of)(void *user, size_t i), void *user,
                                              coras_error **err);

#endif
