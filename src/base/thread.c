/* SPDX-License-Identifier: Apache-2.0 */
/* Starting threads and waiting for them (thread.h). */
#include "base/thread.h"

#include <signal.h>
#include "base/clock.h"

int coras_thread_start(size_t stack, void *(*run)(void *user), void *user, pthread_t *ret)
{
    pthread_attr_t attr;
    sigset_t all, old;
    int rc;

    pthread_attr_init(&attr);
    if (stack)
        pthread_attr_setstacksize(&attr, stack);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(ret, &attr, run, user);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return rc;
}

void coras_crew_init(coras_crew *crew)
{
    *crew = (coras_crew){.count = 0};
    coras_cond_init(&crew->empty);
}

void coras_crew_clear(coras_crew *crew)
{
    pthread_cond_destroy(&crew->empty);
}

int coras_crew_start(coras_crew *crew, size_t stack, void *(*run)(void *user), void *user)
{
    pthread_t thread;
    int rc = coras_thread_start(stack, run, user, &thread); /* who leaves tells which it is */

    if (rc == 0)
        crew->count++;
    return rc;
}

void coras_crew_leave(coras_crew *crew, pthread_mutex_t *lock)
{
    bool has_left = crew->has_left;
    pthread_t before = crew->left_last;

    crew->left_last = pthread_self();
    crew->has_left = true;
    if (--crew->count == 0)
        pthread_cond_broadcast(&crew->empty);
    pthread_mutex_unlock(lock);
    if (has_left)
        pthread_join(before, NULL);
}

void coras_crew_join(coras_crew *crew, pthread_mutex_t *lock)
{
    pthread_t last;

    while (crew->count > 0)
        pthread_cond_wait(&crew->empty, lock);
    if (!crew->has_left)
        return;
    last = crew->left_last;
    crew->has_left = false;
    pthread_mutex_unlock(lock);
    pthread_join(last, NULL);
    pthread_mutex_lock(lock);
}
