/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How threads start.
 */
#include "support.h"

#include <signal.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_are_the_programs_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
