/* SPDX-License-Identifier: Apache-2.0 */
/* One look after the other while the store is away. */
#include "serve/operate/far_watch.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/thread.h"

#define PAUSE_MS     2000
#define THREAD_STACK (256 * CORAS_KIB)

static void *look(void *user)
{
    struct serve_far_watch *w = user;

    serve_s3_look(w->store);
    atomic_store(&w->is_done, true);
    return NULL;
}

void serve_far_watch_end(struct serve_far_watch *w)
{
    if (w->is_running)
        pthread_join(w->thread, NULL);
    w->is_running = false;
}

static void start(struct serve_far_watch *w)
{
    atomic_store(&w->is_done, false);
    w->is_running = coras_thread_start(THREAD_STACK, look, w, &w->thread) == 0;
}

void serve_far_watch_tick(struct serve_far_watch *w, serve_s3 *store)
{
    if (w->is_running && atomic_load(&w->is_done)) {
        serve_far_watch_end(w);
        w->due_ms = coras_now_ms() + PAUSE_MS;
    }
    if (!w->is_running && atomic_load(&store->is_away) && coras_now_ms() >= w->due_ms) {
        w->store = store;
        start(w);
    }
}
