/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that sleep, and lists of those who wait: no wake is lost, and none comes twice. */
#include "serve/http/parking.h"

#include <pthread.h>
#include "serve/http/waiter.h"
#include "support.h"

struct line {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int paused, resumed; /* lock */
};

static void pause_it(void *connection)
{
    struct line *l = connection;

    pthread_mutex_lock(&l->lock);
    l->paused++;
    pthread_mutex_unlock(&l->lock);
}

static void go_on(void *connection)
{
    struct line *l = connection;

    pthread_mutex_lock(&l->lock);
    l->resumed++;
    pthread_cond_signal(&l->changed);
    pthread_mutex_unlock(&l->lock);
}

static void await_resumed(struct line *l, int times)
{
    pthread_mutex_lock(&l->lock);
    while (l->resumed < times)
        pthread_cond_wait(&l->changed, &l->lock);
    pthread_mutex_unlock(&l->lock);
}

static serve_parking *open_parking(void)
{
    const struct serve_parking_ops ops = {pause_it, go_on};
    serve_parking *t = NULL;

    assert_int_equal(serve_parking_open(&ops, &t, NULL), 0);
    return t;
}

#define LINE                                                                                       \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER                     \
    }

static void a_wake_before_the_sleep_is_not_lost(void **state)
{
    serve_parking *t = open_parking();
    struct line l = LINE;
    serve_parked p = {.parking = t, .connection = &l};

    (void)state;
    serve_parked_arm(&p);
    serve_parked_wake(&p);
    assert_false(serve_parked_sleep(&p, 0));
    assert_int_equal(l.paused, 0);
    serve_parking_close(t);
}

static void one_that_nobody_waits_for_does_nothing(void **state)
{
    serve_parking *t = open_parking();
    struct line l = LINE;
    serve_parked p = {.parking = t, .connection = &l};

    (void)state;
    serve_parked_wake(&p);
    serve_parked_arm(&p);
    assert_true(serve_parked_sleep(&p, 0));
    assert_int_equal(l.paused, 1);
    serve_parked_wake(&p);
    serve_parked_wake(&p);
    assert_int_equal(l.resumed, 1);
    serve_parking_close(t);
}

static void a_time_ends_a_sleep(void **state)
{
    serve_parking *t = open_parking();
    struct line l = LINE;
    serve_parked p = {.parking = t, .connection = &l};

    (void)state;
    serve_parked_arm(&p);
    assert_true(serve_parked_sleep(&p, 1));
    await_resumed(&l, 1);
    serve_parking_close(t);
}

static void stopping_wakes_all_but_those_that_will_be_woken(void **state)
{
    serve_parking *t = open_parking();
    struct line timed_line = LINE, job_line = LINE;
    serve_parked timed = {.parking = t, .connection = &timed_line};
    serve_parked job = {.parking = t, .connection = &job_line};

    (void)state;
    serve_parked_arm(&timed);
    serve_parked_arm(&job);
    assert_true(serve_parked_sleep(&timed, 1000000));
    assert_true(serve_parked_sleep(&job, 0));
    serve_parking_stop(t);
    assert_int_equal(timed_line.resumed, 1);
    assert_int_equal(job_line.resumed, 0);
    serve_parked_arm(&timed);
    assert_false(serve_parked_sleep(&timed, 1000000));
    serve_parked_wake(&job);
    assert_int_equal(job_line.resumed, 1);
    serve_parking_close(t);
}

/* ---- lists ---- */

static void count(void *user)
{
    ++*(int *)user;
}

static bool is_before(const serve_waiter *waiter, const void *user)
{
    return waiter->position < *(const int64_t *)user;
}

static void only_those_are_woken_whose_time_has_come(void **state)
{
    int woken[3] = {0};
    serve_waiter waiters[3], *list = NULL;
    const int64_t limit = 2;

    (void)state;
    for (int i = 0; i < 3; i++) {
        waiters[i] = (serve_waiter){.wake = count, .user = &woken[i], .position = i};
        serve_waiters_add(&list, &waiters[i]);
        serve_waiters_add(&list, &waiters[i]);
    }
    serve_waiters_remove(&list, &waiters[0]);
    serve_waiters_remove(&list, &waiters[0]);
    serve_waiters_remove(&list, NULL);
    serve_waiters_wake(&list, is_before, &limit);
    assert_true(woken[0] == 0 && woken[1] == 1 && woken[2] == 0);
    serve_waiters_wake(&list, NULL, NULL);
    assert_true(woken[1] == 1 && woken[2] == 1);
    assert_null(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wake_before_the_sleep_is_not_lost),
        cmocka_unit_test(one_that_nobody_waits_for_does_nothing),
        cmocka_unit_test(a_time_ends_a_sleep),
        cmocka_unit_test(stopping_wakes_all_but_those_that_will_be_woken),
        cmocka_unit_test(only_those_are_woken_whose_time_has_come),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
