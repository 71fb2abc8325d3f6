/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting threads, and waiting for them. Signals belong to the program's own, so these start with
 * all of them blocked.
 */
#ifndef CORAS_BASE_THREAD_H
#define CORAS_BASE_THREAD_H

#include <pthread.h>
#include "base/common.h"

/* Run `run(user)` on a new thread, to be joined as *ret. `stack` is for those of which there may be
 * many; 0: as large as the system makes them. 0, or an errno. */
CORAS_MUST_CHECK int coras_thread_start(size_t stack, void *(*run)(void *user), void *user,
                                        pthread_t *ret);

/*
 * Threads that come and go. Detached ones would still be letting go of what libraries keep for each
 * thread when the program ends, which they must not: so each that leaves waits for the one that
 * left before it, and who ends them all waits for the last. All but init and clear want `lock`, the
 * owner's own, to be held.
 */
typedef struct coras_crew {
    unsigned count;
    bool has_left;
    pthread_t left_last;
    pthread_cond_t empty;
} coras_crew;

void coras_crew_init(coras_crew *crew);
void coras_crew_clear(coras_crew *crew);

/* As coras_thread_start(); `run` ends with coras_crew_leave(). */
CORAS_MUST_CHECK int coras_crew_start(coras_crew *crew, size_t stack, void *(*run)(void *user),
                                      void *user);

/* This thread is about to return. Gives the lock back; nothing of the owner's may be touched
 * afterwards. */
void coras_crew_leave(coras_crew *crew, pthread_mutex_t *lock);

/* Wait until all have left and are gone. The caller sees to it that no more are started. Gives the
 * lock back meanwhile. */
void coras_crew_join(coras_crew *crew, pthread_mutex_t *lock);

#endif
