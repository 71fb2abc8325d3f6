/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool of worker threads over one queue. Jobs run unlocked; queueing is allowed from jobs. With a
 * thread that cannot be started the pool goes on with fewer, at least one.
 */
#ifndef CORAS_BASE_POOL_H
#define CORAS_BASE_POOL_H

#include "base/common.h"

typedef struct coras_pool coras_pool;
typedef void (*coras_job_fn)(void *job, void *worker_state);

struct coras_pool_options {
    unsigned threads;
    /* Called in each worker at its start and end; may be NULL. */
    void *(*worker_start)(void *user);
    void (*worker_end)(void *worker_state, void *user);
    void *user;
    unsigned threads_max; /* what it may grow to; less than `threads`: it does not */
};
CORAS_MUST_CHECK int coras_pool_new(const struct coras_pool_options *opts, coras_pool **ret,
                                    coras_error **err);
/* Runs what is queued, joins the threads. NULL allowed. */
void coras_pool_free(coras_pool *pool);
CORAS_MUST_CHECK int coras_pool_add(coras_pool *pool, coras_job_fn fn, void *job,
                                    coras_error **err);
/* One thread more, when jobs wait and it may grow. That there is none is no failure. */
void coras_pool_grow(coras_pool *pool);
CORAS_DEFINE_AUTO(coras_pool, coras_pool_free)

#endif
