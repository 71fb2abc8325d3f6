/* SPDX-License-Identifier: Apache-2.0 */
/* Worker threads and the queue before them. */
#include "base/pool.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"

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
    pthread_cond_t idle; /* queue empty and nobody busy */
    struct job *head;    /* lock */
    struct job **tail;   /* lock */
    unsigned busy;       /* lock */
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
        pool->busy++;
    }
    pthread_mutex_unlock(&pool->lock);
    return job;
}

static void job_done(coras_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->busy--;
    if (pool->busy == 0 && !pool->head) {
        pthread_cond_broadcast(&pool->idle);
        if (pool->closing) /* a last job may have queued more: others look again */
            pthread_cond_broadcast(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
}

static void *run_worker(void *user)
{
    coras_pool *pool = user;
    void *state = pool->opts.worker_start ? pool->opts.worker_start(pool->opts.user) : NULL;
    struct job *job;

    while ((job = next_job(pool))) {
        job->fn(job->arg, state);
        free(job);
        job_done(pool);
    }
    if (pool->opts.worker_end)
        pool->opts.worker_end(state, pool->opts.user);
    return NULL;
}

static void init_locks(coras_pool *pool)
{
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    coras_cond_init(&pool->idle);
    pool->tail = &pool->head;
}

/* Signals belong to the program's own threads, so workers start with all of them blocked. */
static int start_thread(coras_pool *pool)
{
    sigset_t all, old;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int failure = pthread_create(&pool->threads[pool->thread_count], NULL, run_worker, pool);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
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
    pthread_cond_destroy(&pool->idle);
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

bool coras_pool_wait_idle(coras_pool *pool, int64_t timeout_ms)
{
    struct timespec deadline = {0};
    bool idle;
    int rc = 0;

    if (timeout_ms >= 0)
        deadline = coras_deadline_ms(timeout_ms);
    pthread_mutex_lock(&pool->lock);
    while ((pool->head || pool->busy) && rc == 0) {
        if (timeout_ms < 0)
            pthread_cond_wait(&pool->idle, &pool->lock);
        else
            rc = pthread_cond_timedwait(&pool->idle, &pool->lock, &deadline);
    }
    idle = !pool->head && pool->busy == 0;
    pthread_mutex_unlock(&pool->lock);
    return idle;
}
