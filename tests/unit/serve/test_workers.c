/* SPDX-License-Identifier: Apache-2.0 */
/* Workers: one kind that has all its threads keeps no other waiting, and all that waits is done. */
#include "serve/http/workers.h"

#include <pthread.h>
#include <stdatomic.h>
#include "base/limits.h"
#include "support.h"

/* Jobs that stay until they are told to go. */
struct hold {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned inside, done; /* lock */
    bool is_open;          /* lock */
};
struct held {
    serve_job job;
    struct hold *hold;
};

static void stay(serve_job *job)
{
    struct hold *h = ((struct held *)(void *)job)->hold;

    pthread_mutex_lock(&h->lock);
    h->inside++;
    pthread_cond_broadcast(&h->changed);
    while (!h->is_open)
        pthread_cond_wait(&h->changed, &h->lock);
    h->inside--;
    h->done++;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

static void await_inside(struct hold *h, unsigned count)
{
    pthread_mutex_lock(&h->lock);
    while (h->inside < count)
        pthread_cond_wait(&h->changed, &h->lock);
    pthread_mutex_unlock(&h->lock);
}

static void open_hold(struct hold *h)
{
    pthread_mutex_lock(&h->lock);
    h->is_open = true;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

#define HOLD                                                                                       \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER                     \
    }

static void slow_work_keeps_no_other_waiting(void **state)
{
    struct hold slow = HOLD, quick = HOLD;
    struct held passwords[20], read = {{stay, SERVE_WORK_READ, "z", 0, false, NULL}, &quick};
    serve_workers *w = NULL;
    char names[20][4];

    (void)state;
    quick.is_open = true;
    assert_int_equal(serve_workers_open(&w, NULL), 0);
    for (unsigned i = 0; i < 20; i++) {
        snprintf(names[i], sizeof(names[i]), "%u", i);
        passwords[i] = (struct held){{stay, SERVE_WORK_PASSWORD, names[i], 0, false, NULL}, &slow};
        assert_true(serve_workers_add(w, &passwords[i].job));
    }
    await_inside(&slow, CORAS_LIMIT_WORKERS_PASSWORD);
    assert_true(serve_workers_add(w, &read.job));
    pthread_mutex_lock(&quick.lock);
    while (quick.done == 0)
        pthread_cond_wait(&quick.changed, &quick.lock);
    pthread_mutex_unlock(&quick.lock);
    assert_int_equal(slow.done, 0);
    open_hold(&slow);
    serve_workers_stop(w);
    assert_int_equal(slow.done, 20);
    assert_false(serve_workers_add(w, &read.job));
    serve_workers_close(w);
}

static void stopping_waits_for_no_delay(void **state)
{
    struct hold hold = HOLD;
    struct held late = {{stay, SERVE_WORK_PASSWORD, "a", INT64_MAX - 1, true, NULL}, &hold};
    serve_workers *w = NULL;

    (void)state;
    hold.is_open = true;
    assert_int_equal(serve_workers_open(&w, NULL), 0);
    assert_true(serve_workers_add(w, &late.job));
    serve_workers_stop(w);
    assert_int_equal(hold.done, 1);
    serve_workers_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_work_keeps_no_other_waiting),
        cmocka_unit_test(stopping_waits_for_no_delay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
