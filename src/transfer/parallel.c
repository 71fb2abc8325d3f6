/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same function over many items, on as many workers as the run has.
 */
#include "transfer/parallel.h"

#include <stdatomic.h>

#include "base/pool.h"

struct parallel {
    coras_run *run;
    int (*work)(void *user, size_t i, coras_error **err);
    void *user;
    size_t count;
    atomic_size_t next;  /* first item that nobody took */
    atomic_uint working; /* workers that have not ended */
};

static void take_items(void *job, void *worker_state CORAS_UNUSED)
{
    struct parallel *p = job;

    for (size_t i = atomic_fetch_add(&p->next, 1); i < p->count;
         i = atomic_fetch_add(&p->next, 1)) {
        coras_auto(coras_error) failure = NULL;
        int rc = coras_run_check(p->run, &failure);
        if (rc == 0)
            rc = p->work(p->user, i, &failure);
        if (rc < 0) {
            coras_run_fail(p->run, &failure);
            break;
        }
    }
    if (atomic_fetch_sub(&p->working, 1) == 1)
        coras_run_set_idle(p->run);
}

int coras_run_parallel(coras_run *run, size_t count,
                       int (*work)(void *user, size_t i, coras_error **err), void *user,
                       coras_error **err)
{
    unsigned workers = count < run->concurrency ? (unsigned)count : run->concurrency;
    struct parallel p = {
        .run = run, .work = work, .user = user, .count = count, .working = workers};
    struct coras_pool_options options = {.threads = workers};
    coras_auto(coras_pool) pool = NULL;

    if (count == 0)
        return 0;
    CORAS_TRY(coras_pool_new(&options, &pool, err));
    for (unsigned i = 0; i < workers; i++) {
        coras_auto(coras_error) failure = NULL;
        if (coras_pool_add(pool, take_items, &p, &failure) == 0)
            continue;
        coras_run_fail(run, &failure);
        if (atomic_fetch_sub(&p.working, 1) == 1)
            coras_run_set_idle(run);
    }
    coras_run_wait_idle(run);
    coras_pool_free(coras_steal(&pool));
    return coras_run_result(run, err);
}
