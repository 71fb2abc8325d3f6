/* SPDX-License-Identifier: Apache-2.0 */
/* Worker threads and the queue before them. */
#include "base/pool.h"

#include <pthread.h>
#include <string.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/thread.h"

struct job {
    struct job *next;
    coras_job_fn fn;
    void *arg;
};

struct coras_pool {
    struct coras_pool_options opts; /* const */
    pthread_t *threads;             /* room for threads_max */
    unsigned thread_count;          /* lock; const once the pool closes */

    pthread_mutex_t lock;
    pthread_cond_t work; /* a job was queued, or the pool closes */
    struct job *head;    /* lock */
    struct job **tail;   /* lock */
    bool closing;        /* lock */
};

/* NULL when the pool closes and the queue is empty. */
static struct job *next_job(coras_pool *pool)
{
    struct job *job;

    pthread_mutex_lock(&pool->lock);
    while (!pool->head && !pool->closing)
        pthread_cond_wait(&pool->work, &pool->lock);
    job = pool->head;
    if (job) {
        pool->head = job->next;
        if (!pool->head)
            pool->tail = &pool->head;
    }
    pthread_mutex_unlock(&pool->lock);
    return job;
}

static void *run_worker(void *user)
{
    coras_pool *pool = user;
    void *state = pool->opts.worker_start ? pool->opts.worker_start(pool->opts.user) : NULL;
    struct job *job;

    while ((job = next_job(pool))) {
        job->fn(job->arg, state);
        free(job);
    }
    if (pool->opts.worker_end)
        pool->opts.worker_end(state, pool->opts.user);
    return NULL;
}

static void init_locks(coras_pool *pool)
{
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pool->tail = &pool->head;
}

static int start_thread(coras_pool *pool)
{
    int failure = coras_thread_start(0, run_worker, pool, &pool->threads[pool->thread_count]);

    if (failure == 0)
        pool->thread_count++;
    return failure;
}

static int start_threads(coras_pool *pool)
{
    int failure = 0;

    while (pool->thread_count < pool->opts.threads && failure == 0)
        failure = start_thread(pool);
    return pool->thread_count ? 0 : failure;
}

int coras_pool_new(const struct coras_pool_options *opts, coras_pool **ret, coras_error **err)
{
    coras_auto(coras_pool) pool = coras_new(coras_pool);
    int failure;

    if (!pool)
        return coras_fail_no_memory(err);
    init_locks(pool);
    pool->opts = *opts;
    if (pool->opts.threads == 0)
        pool->opts.threads = 1;
    if (pool->opts.threads_max < pool->opts.threads)
        pool->opts.threads_max = pool->opts.threads;
    pool->threads = coras_calloc(pool->opts.threads_max, sizeof(pthread_t));
    if (!pool->threads)
        return coras_fail_no_memory(err);
    failure = start_threads(pool);
    if (failure)
        return coras_fail_errno(err, failure, "start a thread");
    *ret = coras_steal(&pool);
    return 0;
}

void coras_pool_free(coras_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool->threads);
    free(pool);
}

int coras_pool_add(coras_pool *pool, coras_job_fn fn, void *arg, coras_error **err)
{
    struct job *job = coras_new(struct job);

    if (!job)
        return coras_fail_no_memory(err);
    job->fn = fn;
    job->arg = arg;
    pthread_mutex_lock(&pool->lock);
    *pool->tail = job;
    pool->tail = &job->next;
    pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    return 0;
}

void coras_pool_grow(coras_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    if (pool->head && !pool->closing && pool->thread_count < pool->opts.threads_max)
        (void)start_thread(pool); /* those that there are do it too */
    pthread_mutex_unlock(&pool->lock);
}
