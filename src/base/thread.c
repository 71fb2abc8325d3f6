/* SPDX-License-Identifier: Apache-2.0 */
/* Starting threads (thread.h). */
#include "base/thread.h"

#include <signal.h>

int coras_thread_start(size_t stack, void *(*run)(void *user), void *user, pthread_t *ret)
{
    pthread_attr_t attr;
    pthread_t detached;
    sigset_t all, old;
    int rc;

    pthread_attr_init(&attr);
    if (stack)
        pthread_attr_setstacksize(&attr, stack);
    if (!ret)
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(ret ? ret : &detached, &attr, run, user);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return rc;
}
