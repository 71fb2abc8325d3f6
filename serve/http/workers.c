/* SPDX-License-Identifier: Apache-2.0 */
/* Threads before several lines. */
#include "serve/http/workers.h"

#include <pthread.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/processor.h"
#include "base/thread.h"

/* Address space; the JSON parser may nest 2048 deep. */
#define STACK (2 * CORAS_MIB)
/* A thread that has had nothing to do for so long ends. */
#define IDLE_MS 10000
#define THREADS_MAX                                                                                \
    (CORAS_LIMIT_WORKERS_READ + CORAS_LIMIT_WORKERS_WRITE + CORAS_LIMIT_WORKERS_BODY +             \
     CORAS_LIMIT_WORKERS_PASSWORD + CORAS_LIMIT_WORKERS_ORIGIN + CORAS_LIMIT_WORKERS_STREAM)

struct serve_workers {
    pthread_mutex_t lock;
    pthread_cond_t work;                /* something was added, or it stops */
    serve_line lines[SERVE_WORK_KINDS]; /* lock */
    unsigned next_line;                 /* lock; where to look first */
    coras_crew threads;                 /* lock */
    unsigned idle;                      /* lock; of these */
    unsigned waking;                    /* lock; told to look, or just made */
    bool is_stopping;                   /* lock */
};

/* As much as the processors can do. */
static unsigned body_threads(void)
{
    unsigned most = coras_processors() * 2;

    return most < CORAS_LIMIT_WORKERS_BODY ? most : CORAS_LIMIT_WORKERS_BODY;
}

/* What one party may have of a kind, so that it never has all. */
static unsigned share(unsigned most)
{
    return most - most / 4;
}

static void init_lines(serve_workers *w)
{
    w->lines[SERVE_WORK_READ] =
        (serve_line){CORAS_LIMIT_WORKERS_READ, share(CORAS_LIMIT_WORKERS_READ), 0, 0, NULL};
    w->lines[SERVE_WORK_WRITE] =
        (serve_line){CORAS_LIMIT_WORKERS_WRITE, share(CORAS_LIMIT_WORKERS_WRITE), 0, 0, NULL};
    w->lines[SERVE_WORK_BODY] = (serve_line){body_threads(), UINT32_MAX, 0, 0, NULL};
    w->lines[SERVE_WORK_PASSWORD] = (serve_line){CORAS_LIMIT_WORKERS_PASSWORD, 1, 0, 0, NULL};
    w->lines[SERVE_WORK_ORIGIN] =
        (serve_line){CORAS_LIMIT_WORKERS_ORIGIN, CORAS_LIMIT_WORKERS_ORIGIN / 3, 0, 0, NULL};
    w->lines[SERVE_WORK_STREAM] =
        (serve_line){CORAS_LIMIT_WORKERS_STREAM, share(CORAS_LIMIT_WORKERS_STREAM), 0, 0, NULL};
}

/* ---- how many ---- */

static void *work(void *user);

/* With the lock. */
static bool start_thread(serve_workers *w)
{
    if (w->threads.count >= THREADS_MAX)
        return false;
    if (coras_crew_start(&w->threads, STACK, work, w) != 0) /* it waits for the lock */
        return false;
    w->waking++;
    return true;
}

/* How many jobs could run now if there were threads for them. With the lock. */
static unsigned demand(const serve_workers *w)
{
    unsigned sum = 0;

    for (size_t i = 0; i < SERVE_WORK_KINDS; i++) {
        const serve_line *line = &w->lines[i];
        unsigned room = line->most - line->running;
        sum += line->waiting < room ? line->waiting : room;
    }
    return sum;
}

/* There is a thread for each job that may run, or one that comes to it. With the lock. */
static void call(serve_workers *w)
{
    if (demand(w) <= w->waking)
        return;
    if (w->idle <= w->waking) {
        (void)start_thread(w); /* those that are there come to it */
        return;
    }
    w->waking++;
    pthread_cond_signal(&w->work);
}

/* ---- a thread; with the lock ---- */

struct taken {
    serve_job *job;
    serve_line *line;
    struct serve_party *party;
};

/* From the lines in turn. */
static bool take(serve_workers *w, struct taken *ret, int64_t *ret_next_ms)
{
    int64_t now_ms = w->is_stopping ? INT64_MAX : coras_now_ms();

    for (unsigned i = 0; i < SERVE_WORK_KINDS; i++) {
        ret->line = &w->lines[(w->next_line + i) % SERVE_WORK_KINDS];
        ret->job = serve_line_take(ret->line, now_ms, &ret->party, ret_next_ms);
        if (ret->job) {
            w->next_line = (w->next_line + i + 1) % SERVE_WORK_KINDS;
            return true;
        }
    }
    return false;
}

/* false: nothing came in all the time. */
static bool wait_for_work(serve_workers *w, int64_t next_ms)
{
    int64_t idle_ms = coras_now_ms() + IDLE_MS;
    bool is_idle = next_ms > idle_ms;
    struct timespec until = coras_deadline_ms((is_idle ? idle_ms : next_ms) - coras_now_ms());
    int rc;

    w->idle++;
    rc = pthread_cond_timedwait(&w->work, &w->lock, &until);
    w->idle--;
    if (w->waking > 0)
        w->waking--;
    return rc == 0 || !is_idle;
}

/* The next job; false: this thread is not needed any more. */
static bool next(serve_workers *w, struct taken *ret)
{
    bool is_needed = true;

    for (;;) {
        int64_t next_ms = INT64_MAX;
        if (take(w, ret, &next_ms)) {
            call(w); /* what else there is, or will be */
            return true;
        }
        if (w->is_stopping || !is_needed)
            return false;
        is_needed = wait_for_work(w, next_ms);
    }
}

static void *work(void *user)
{
    serve_workers *w = user;
    struct taken t;

    pthread_mutex_lock(&w->lock);
    w->waking--;
    while (next(w, &t)) {
        pthread_mutex_unlock(&w->lock);
        t.job->run(t.job); /* and it is gone */
        pthread_mutex_lock(&w->lock);
        serve_line_done(t.line, t.party);
    }
    coras_crew_leave(&w->threads, &w->lock);
    return NULL;
}

/* ---- the pool ---- */

int serve_workers_open(serve_workers **ret, coras_error **err)
{
    serve_workers *w = coras_new(serve_workers);

    if (!w)
        return coras_fail_no_memory(err);
    pthread_mutex_init(&w->lock, NULL);
    coras_cond_init(&w->work);
    coras_crew_init(&w->threads);
    init_lines(w);
    *ret = w;
    return 0;
}

void serve_workers_stop(serve_workers *w)
{
    pthread_mutex_lock(&w->lock);
    w->is_stopping = true;
    pthread_cond_broadcast(&w->work);
    coras_crew_join(&w->threads, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

void serve_workers_close(serve_workers *w)
{
    if (!w)
        return;
    serve_workers_stop(w);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->work);
    coras_crew_clear(&w->threads);
    free(w);
}

bool serve_workers_add(serve_workers *w, serve_job *job)
{
    bool added;

    pthread_mutex_lock(&w->lock);
    added = !w->is_stopping && (w->threads.count > 0 || start_thread(w)) &&
            serve_line_add(&w->lines[job->kind], job);
    if (added)
        call(w);
    pthread_mutex_unlock(&w->lock);
    return added;
}
