/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting threads. Signals belong to the program's own, so these start with all of them blocked.
 */
#ifndef CORAS_BASE_THREAD_H
#define CORAS_BASE_THREAD_H

#include <pthread.h>
#include "base/common.h"

/* Run `run(user)` on a new thread, to be joined as *ret; with `ret` NULL it ends by itself. `stack`
 * is for those of which there may be many; 0: as large as the system makes them. 0, or an errno. */
CORAS_MUST_CHECK int coras_thread_start(size_t stack, void *(*run)(void *user), void *user,
                                        pthread_t *ret);

#endif
