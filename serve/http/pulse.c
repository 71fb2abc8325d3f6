/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that sleeps most of the time. */
#include "serve/http/pulse.h"

#include <pthread.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"

#define STACK   ((size_t)128 * 1024)
#define REST_MS 1000

struct serve_pulse {
    struct serve_pulse_ops ops; /* const */
    void *user;                 /* const */
    pthread_t thread;           /* const */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ends; /* lock */
};

/* false: it ends. */
static bool sleep_for(serve_pulse *p, int ms)
{
    const struct timespec until = coras_deadline_ms(ms);
    bool ends;

    pthread_mutex_lock(&p->lock);
    while (!p->ends && pthread_cond_timedwait(&p->changed, &p->lock, &until) == 0)
        ;
    ends = p->ends;
    pthread_mutex_unlock(&p->lock);
    return !ends;
}

static void *run(void *user)
{
    serve_pulse *p = user;
    bool is_needed = false;

    while (sleep_for(p, is_needed ? p->ops.beat_ms : REST_MS)) {
        is_needed = p->ops.is_needed(p->user);
        if (is_needed)
            p->ops.beat(p->user);
    }
    return NULL;
}

static void destroy(serve_pulse *p)
{
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->changed);
    free(p);
}

int serve_pulse_start(const struct serve_pulse_ops *ops, void *user, serve_pulse **ret,
                      coras_error **err)
{
    serve_pulse *p = coras_new(serve_pulse);
    int rc;

    if (!p)
        return coras_fail_no_memory(err);
    p->ops = *ops;
    p->user = user;
    pthread_mutex_init(&p->lock, NULL);
    coras_cond_init(&p->changed);
    rc = coras_thread_start(STACK, run, p, &p->thread);
    if (rc != 0) {
        destroy(p);
        return coras_fail_errno(err, rc, "make a thread");
    }
    *ret = p;
    return 0;
}

void serve_pulse_stop(serve_pulse *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->ends = true;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    destroy(p);
}
