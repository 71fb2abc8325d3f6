/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How threads start, and how they are waited for.
 */
#include "support.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include "base/thread.h"

static void *look_at_signals(void *user)
{
    pthread_sigmask(SIG_SETMASK, NULL, user);
    return NULL;
}

static void signals_are_the_programs_own(void **state)
{
    static const size_t stacks[] = {0, 256 * 1024};
    sigset_t seen, mine;
    pthread_t thread;

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(stacks); i++) {
        sigemptyset(&seen);
        assert_int_equal(coras_thread_start(stacks[i], look_at_signals, &seen, &thread), 0);
        pthread_join(thread, NULL);
        assert_int_equal(sigismember(&seen, SIGINT), 1);
        assert_int_equal(sigismember(&seen, SIGTERM), 1);
        assert_int_equal(sigismember(&seen, SIGPIPE), 1);
        pthread_sigmask(SIG_SETMASK, NULL, &mine);
        assert_int_equal(sigismember(&mine, SIGINT), 0);
    }
}

struct crew_test {
    pthread_mutex_t lock;
    coras_crew crew;
    pthread_key_t key;
    atomic_uint gone;
};

/* As what libraries keep for a thread: let go of when it has returned. */
static void let_go(void *value)
{
    struct crew_test *t = value;

    sched_yield();
    atomic_fetch_add(&t->gone, 1);
}

static void *come_and_go(void *user)
{
    struct crew_test *t = user;

    pthread_setspecific(t->key, t);
    pthread_mutex_lock(&t->lock);
    coras_crew_leave(&t->crew, &t->lock);
    return NULL;
}

static void a_crew_is_gone_when_it_was_waited_for(void **state)
{
    enum { THREADS = 20, ROUNDS = 50 };
    struct crew_test t = {.lock = PTHREAD_MUTEX_INITIALIZER};

    (void)state;
    pthread_key_create(&t.key, let_go);
    coras_crew_init(&t.crew);
    pthread_mutex_lock(&t.lock);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        for (unsigned i = 0; i < THREADS; i++) {
            assert_int_equal(coras_crew_start(&t.crew, 0, come_and_go, &t), 0);
            if (i % 3 == 0) { /* some leave before others come */
                pthread_mutex_unlock(&t.lock);
                sched_yield();
                pthread_mutex_lock(&t.lock);
            }
        }
        coras_crew_join(&t.crew, &t.lock);
        assert_int_equal(atomic_load(&t.gone), THREADS * round);
        coras_crew_join(&t.crew, &t.lock); /* there is nobody any more */
    }
    pthread_mutex_unlock(&t.lock);
    coras_crew_clear(&t.crew);
    pthread_key_delete(t.key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_are_the_programs_own),
        cmocka_unit_test(a_crew_is_gone_when_it_was_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
