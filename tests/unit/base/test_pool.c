/* SPDX-License-Identifier: Apache-2.0 */
/* The pool: every job runs once, also those queued by jobs. */
#include "base/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include "support.h"

static atomic_int runs, starts, ends;

static void count(void *job, void *worker_state)
{
    (void)job;
    assert_non_null(worker_state);
    atomic_fetch_add(&runs, 1);
}

static void *start(void *user)
{
    atomic_fetch_add(&starts, 1);
    return user;
}

static void end(void *worker_state, void *user)
{
    assert_ptr_equal(worker_state, user);
    atomic_fetch_add(&ends, 1);
}

struct chain {
    coras_pool *pool;
    int left;
};

static void queue_another(void *job, void *worker_state)
{
    struct chain *chain = job;

    count(job, worker_state);
    if (--chain->left > 0)
        assert_int_equal(coras_pool_add(chain->pool, queue_another, chain, NULL), 0);
}

static void runs_every_job_once(void **state)
{
    static const unsigned threads[] = {0, 1, 2, 8};

    for (size_t t = 0; t < CORAS_ARRAY_LEN(threads); t++) {
        struct coras_pool_options opts = {threads[t], start, end, state};
        coras_auto(coras_pool) pool = NULL;
        atomic_store(&runs, 0);
        atomic_store(&starts, 0);
        atomic_store(&ends, 0);
        assert_ok(coras_pool_new(&opts, &pool, NULL), NULL);
        for (int i = 0; i < 500; i++)
            assert_ok(coras_pool_add(pool, count, NULL, NULL), NULL);
        coras_pool_free(coras_steal(&pool));
        assert_int_equal(atomic_load(&runs), 500);
        assert_int_equal(atomic_load(&ends), atomic_load(&starts));
        assert_int_equal(atomic_load(&ends), threads[t] ? threads[t] : 1);
    }
}

static void free_runs_what_is_queued_and_what_that_queues(void **state)
{
    struct coras_pool_options opts = {3, start, end, state};
    struct chain chain = {NULL, 100};

    atomic_store(&runs, 0);
    assert_ok(coras_pool_new(&opts, &chain.pool, NULL), NULL);
    assert_ok(coras_pool_add(chain.pool, queue_another, &chain, NULL), NULL);
    coras_pool_free(chain.pool);
    assert_int_equal(atomic_load(&runs), 100);
    coras_pool_free(NULL);
}

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool open;
};

static void wait_for_gate(void *job, void *worker_state)
{
    struct gate *gate = job;

    (void)worker_state;
    pthread_mutex_lock(&gate->lock);
    while (!gate->open)
        pthread_cond_wait(&gate->opened, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void open_gate(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_broadcast(&gate->opened);
    pthread_mutex_unlock(&gate->lock);
}

static void open_it(void *job, void *worker_state)
{
    (void)worker_state;
    open_gate(job);
}

/* One worker waits for what another job does: that needs a second one. */
static void grows_where_it_may(void **state)
{
    struct coras_pool_options opts = {.threads = 1, .threads_max = 2};
    struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    coras_auto(coras_pool) pool = NULL;

    (void)state;
    assert_ok(coras_pool_new(&opts, &pool, NULL), NULL);
    for (int i = 0; i < 2; i++) /* also when there is nothing to do, and beyond the limit */
        coras_pool_grow(pool);
    assert_ok(coras_pool_add(pool, wait_for_gate, &gate, NULL), NULL);
    assert_ok(coras_pool_add(pool, open_it, &gate, NULL), NULL);
    for (int i = 0; i < 3; i++)
        coras_pool_grow(pool);
    coras_pool_free(coras_steal(&pool)); /* when both have run */
}

static int make_and_use(coras_error **err)
{
    struct coras_pool_options opts = {2, NULL, NULL, NULL};
    struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, true};
    coras_auto(coras_pool) pool = NULL;

    CORAS_TRY(coras_pool_new(&opts, &pool, err));
    return coras_pool_add(pool, wait_for_gate, &gate, err);
}

static void survives_every_failed_allocation(void **state)
{
    (void)state;
    fail_each_allocation(make_and_use);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_every_job_once),
        cmocka_unit_test(free_runs_what_is_queued_and_what_that_queues),
        cmocka_unit_test(grows_where_it_may),
        cmocka_unit_test(survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
