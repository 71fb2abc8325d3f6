/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same function over many items, on as many workers as the run has, and on more where they
 * wait.
 */
#include "transfer/parallel.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/pool.h"
#include "transfer/stint.h"

struct parallel {
    coras_run *run;
    coras_pool *pool;
    int (*work)(void *user, size_t i, coras_error **err);
    int64_t (*size_of)(void *user, size_t i); /* NULL: no further workers */
    void *user;
    size_t count;
    pthread_mutex_t lock;
    /* under lock */
    bool *taken;
    size_t next, next_small; /* items before were taken, or are not small */
    unsigned workers;        /* that were started */
    unsigned working;        /* that have not ended */
};

static bool is_small(const struct parallel *p, size_t i)
{
    return p->size_of && p->size_of(p->user, i) <= CORAS_STINT_BYTES;
}

/* The first item that nobody took; `small`: and that is small. */
static bool take_item(struct parallel *p, bool small, size_t *ret)
{
    size_t *next = small ? &p->next_small : &p->next;

    pthread_mutex_lock(&p->lock);
    while (*next < p->count && (p->taken[*next] || (small && !is_small(p, *next))))
        ++*next;
    bool found = *next < p->count;
    if (found) {
        p->taken[*next] = true;
        *ret = (*next)++;
    }
    pthread_mutex_unlock(&p->lock);
    return found;
}

static void leave(struct parallel *p)
{
    pthread_mutex_lock(&p->lock);
    bool last = --p->working == 0;
    pthread_mutex_unlock(&p->lock);
    if (last)
        coras_run_set_idle(p->run);
}

static void take_small_items(void *job, void *worker_state);

/* One more worker, when there may be one; of those that come later, none takes what is large. */
static void add_worker(struct parallel *p)
{
    coras_auto(coras_error) failure = NULL;

    pthread_mutex_lock(&p->lock);
    bool more = p->workers < p->run->workers_max;
    p->workers += more;
    p->working += more;
    pthread_mutex_unlock(&p->lock);
    if (!more)
        return;
    if (coras_pool_add(p->pool, take_small_items, p, &failure) < 0)
        leave(p);
    else
        coras_pool_grow(p->pool);
}

static int work_on(struct parallel *p, size_t i, coras_error **err)
{
    bool may_grow = is_small(p, i);
    coras_stint stint = may_grow ? coras_stint_begin(&p->run->pace) : (coras_stint){0};

    CORAS_TRY(coras_run_check(p->run, err));
    CORAS_TRY(p->work(p->user, i, err));
    if (may_grow && coras_stint_waited(&stint, &p->run->pace))
        for (int more = 0; more < CORAS_STINT_GROWTH; more++)
            add_worker(p);
    return 0;
}

static void take_all(struct parallel *p, bool small)
{
    size_t i;

    while (take_item(p, small, &i)) {
        coras_auto(coras_error) failure = NULL;
        if (work_on(p, i, &failure) < 0) {
            coras_run_fail(p->run, &failure);
            break;
        }
    }
    leave(p);
}

static void take_items(void *job, void *worker_state CORAS_UNUSED)
{
    take_all(job, false);
}

static void take_small_items(void *job, void *worker_state CORAS_UNUSED)
{
    take_all(job, true);
}

static int run_all(struct parallel *p, coras_error **err)
{
    unsigned workers = p->workers;

    for (unsigned i = 0; i < workers; i++) {
        coras_auto(coras_error) failure = NULL;
        if (coras_pool_add(p->pool, take_items, p, &failure) == 0)
            continue;
        coras_run_fail(p->run, &failure);
        leave(p);
    }
    coras_run_wait_idle(p->run);
    coras_pool_free(coras_steal(&p->pool));
    return coras_run_result(p->run, err);
}

int coras_run_parallel_sized(coras_run *run, size_t count,
                             int (*work)(void *user, size_t i, coras_error **err),
                             int64_t (*size_of)(void *user, size_t i), void *user,
                             coras_error **err)
{
    unsigned workers = count < run->concurrency ? (unsigned)count : run->concurrency;
    struct coras_pool_options options = {.threads = workers,
                                         .threads_max = size_of ? run->workers_max : workers};
    coras_auto_free bool *taken = coras_calloc(count ? count : 1, sizeof(*taken));
    struct parallel p = {.run = run,
                         .work = work,
                         .size_of = size_of,
                         .user = user,
                         .count = count,
                         .taken = taken,
                         .workers = workers,
                         .working = workers};

    if (count == 0)
        return 0;
    if (!taken)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_pool_new(&options, &p.pool, err));
    pthread_mutex_init(&p.lock, NULL);
    int rc = run_all(&p, err);
    pthread_mutex_destroy(&p.lock);
    return rc;
}

int coras_run_parallel(coras_run *run, size_t count,
                       int (*work)(void *user, size_t i, coras_error **err), void *user,
                       coras_error **err)
{
    return coras_run_parallel_sized(run, count, work, NULL, user, err);
}
