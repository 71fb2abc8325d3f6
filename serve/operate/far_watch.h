/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store that went away is asked now and then whether it is back: a registry that is not ready for
 * lack of it gets no requests that would find out.
 */
#ifndef SERVE_OPERATE_FAR_WATCH_H
#define SERVE_OPERATE_FAR_WATCH_H

#include <pthread.h>
#include "serve/storage/s3/store.h"

struct serve_far_watch {
    pthread_t thread;
    bool is_running;
    atomic_bool is_done;
    int64_t due_ms;
    serve_s3 *store; /* that the thread looks at */
};

/* Every second: looks, on a thread of its own, since a look may take long. */
void serve_far_watch_tick(struct serve_far_watch *w, serve_s3 *store);
/* Until no look runs. */
void serve_far_watch_end(struct serve_far_watch *w);

#endif
