/* SPDX-License-Identifier: Apache-2.0 */
/* Who sleeps, and a thread that wakes those whose time is over. */
#include "serve/http/parking.h"

#include <pthread.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"

/* The thread does not look more often than this. */
#define LOOK_MS 4
/* It has nothing to do. */
#define NEVER_MS INT64_MAX
#define STACK    (128 * 1024)

struct serve_parking {
    struct serve_parking_ops ops; /* const */
    pthread_t thread;             /* const */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    serve_parked *asleep; /* lock */
    int64_t look_ms;      /* lock; when the thread looks next */
    bool is_stopping;     /* lock; nobody sleeps for a time any more */
    bool is_closing;      /* lock */
};

/* ---- with the lock ---- */

static void list(serve_parking *t, serve_parked *p)
{
    p->previous = NULL;
    p->next = t->asleep;
    if (p->next)
        p->next->previous = p;
    t->asleep = p;
}

static void unlist(serve_parking *t, serve_parked *p)
{
    if (p->previous)
        p->previous->next = p->next;
    else
        t->asleep = p->next;
    if (p->next)
        p->next->previous = p->previous;
}

/* It is gone for us afterwards, unless the lock keeps it. */
static void rouse(serve_parking *t, serve_parked *p)
{
    unlist(t, p);
    p->state = SERVE_PARKED_AWAKE;
    t->ops.go_on(p->connection);
}

/* Wake whose time is over, all that have one if `all`; the next time. */
static int64_t rouse_due(serve_parking *t, int64_t now_ms, bool all)
{
    int64_t next_ms = NEVER_MS;
    serve_parked *p = t->asleep;

    while (p) {
        serve_parked *next = p->next;
        if (p->until_ms > 0 && (all || p->until_ms <= now_ms))
            rouse(t, p);
        else if (p->until_ms > 0 && p->until_ms < next_ms)
            next_ms = p->until_ms;
        p = next;
    }
    return next_ms;
}

static void wait_for_next(serve_parking *t)
{
    int64_t wait_ms = t->look_ms - coras_now_ms();
    struct timespec until;

    if (t->look_ms == NEVER_MS) {
        pthread_cond_wait(&t->changed, &t->lock);
        return;
    }
    until = coras_deadline_ms(wait_ms > LOOK_MS ? wait_ms : LOOK_MS);
    (void)pthread_cond_timedwait(&t->changed, &t->lock, &until);
}

static void *watch(void *user)
{
    serve_parking *t = user;

    pthread_mutex_lock(&t->lock);
    while (!t->is_closing) {
        t->look_ms = rouse_due(t, coras_now_ms(), false);
        wait_for_next(t);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

/* ---- the table ---- */

int serve_parking_open(const struct serve_parking_ops *ops, serve_parking **ret, coras_error **err)
{
    serve_parking *t = coras_new(serve_parking);
    int rc;

    if (!t)
        return coras_fail_no_memory(err);
    t->ops = *ops;
    t->look_ms = NEVER_MS;
    pthread_mutex_init(&t->lock, NULL);
    coras_cond_init(&t->changed);
    rc = coras_thread_start(STACK, watch, t, &t->thread);
    if (rc != 0) {
        free(t);
        return coras_fail_errno(err, rc, "make a thread");
    }
    *ret = t;
    return 0;
}

void serve_parking_stop(serve_parking *t)
{
    pthread_mutex_lock(&t->lock);
    t->is_stopping = true;
    (void)rouse_due(t, 0, true);
    pthread_mutex_unlock(&t->lock);
}

void serve_parking_close(serve_parking *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->is_closing = true;
    pthread_cond_signal(&t->changed);
    pthread_mutex_unlock(&t->lock);
    pthread_join(t->thread, NULL);
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->changed);
    free(t);
}

/* ---- one connection ---- */

void serve_parked_arm(serve_parked *p)
{
    pthread_mutex_lock(&p->parking->lock);
    p->state = SERVE_PARKED_ARMED;
    pthread_mutex_unlock(&p->parking->lock);
}

void serve_parked_disarm(serve_parked *p)
{
    pthread_mutex_lock(&p->parking->lock);
    p->state = SERVE_PARKED_AWAKE;
    pthread_mutex_unlock(&p->parking->lock);
}

/* With the lock. */
static void fall_asleep(serve_parking *t, serve_parked *p, int64_t most_ms)
{
    p->state = SERVE_PARKED_ASLEEP;
    p->until_ms = most_ms > 0 ? coras_now_ms() + most_ms : 0;
    list(t, p);
    t->ops.pause(p->connection);
    if (most_ms == 0 || p->until_ms >= t->look_ms)
        return;
    t->look_ms = p->until_ms;
    pthread_cond_signal(&t->changed);
}

bool serve_parked_sleep(serve_parked *p, int64_t most_ms)
{
    serve_parking *t = p->parking;
    bool sleeps;

    pthread_mutex_lock(&t->lock);
    sleeps = p->state == SERVE_PARKED_ARMED && !(most_ms > 0 && t->is_stopping);
    if (sleeps)
        fall_asleep(t, p, most_ms);
    else
        p->state = SERVE_PARKED_AWAKE;
    pthread_mutex_unlock(&t->lock);
    return sleeps;
}

void serve_parked_wake(serve_parked *p)
{
    serve_parking *t = p->parking;

    pthread_mutex_lock(&t->lock);
    if (p->state == SERVE_PARKED_ASLEEP)
        rouse(t, p);
    else if (p->state == SERVE_PARKED_ARMED)
        p->state = SERVE_PARKED_WOKEN;
    pthread_mutex_unlock(&t->lock);
}
