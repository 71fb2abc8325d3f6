/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One running operation: queues events for the caller's thread, keeps the first failure, stops the
 * others.
 */
#include "transfer/run.h"

#include "base/clock.h"
#include "base/environment.h"
#include "base/error.h"
#include "base/options.h"
#include "base/str.h"
#include "base/vec.h"
#include "transfer/stint.h"

enum {
    DEFAULT_CONCURRENCY = 3,
    CONCURRENCY_MAX = 256,
    PROGRESS_INTERVAL_MS = 100,
    DELIVERY_MS = 20, /* events are delivered together: waking for each costs small files dearly */
    DELIVERY_MOST = 256, /* earlier when so many wait */
};

void coras_run_init(coras_run *run, const coras_run_options *options)
{
    *run = (coras_run){.known = CORAS_RUN_OPTIONS_INIT};
    run->options = &run->known;
    (void)!coras_options_read(&run->known, sizeof(run->known), options, NULL); /* else defaults */
    int wanted = run->options->concurrency;
    run->concurrency = wanted <= 0                ? DEFAULT_CONCURRENCY
                       : wanted > CONCURRENCY_MAX ? CONCURRENCY_MAX
                                                  : (unsigned)wanted;
    int bound = run->options->connections;
    run->workers_max =
        bound > 0 || run->concurrency > CORAS_WORKERS_MAX ? run->concurrency : CORAS_WORKERS_MAX;
    coras_lanes_init(&run->lanes, bound > 0 && bound < CORAS_GROWTH_CONNECTIONS_MAX
                                      ? (unsigned)bound
                                      : CORAS_GROWTH_CONNECTIONS_MAX);
    pthread_mutex_init(&run->lock, NULL);
    coras_cond_init(&run->changed);
}

const coras_environment *coras_run_environment(const coras_run *run)
{
    return coras_environment_or_none(run->options->environment);
}

static void queued_event_clear(struct coras_queued_event *e)
{
    free(e->text);
}

void coras_run_clear(coras_run *run)
{
    for (size_t i = 0; i < run->queue.len; i++)
        queued_event_clear(&run->queue.items[i]);
    free(run->queue.items);
    coras_error_free(run->failure);
    coras_lanes_clear(&run->lanes);
    pthread_cond_destroy(&run->changed);
    pthread_mutex_destroy(&run->lock);
}

static void post(coras_run *run, struct coras_queued_event queued, const char *text)
{
    queued.text = text ? coras_strdup(text) : NULL;
    pthread_mutex_lock(&run->lock);
    if (coras_vec_grow(&run->queue, 1) == 0) {
        run->queue.items[run->queue.len++] = queued;
        if (run->queue.len == DELIVERY_MOST)
            pthread_cond_signal(&run->changed);
    } else {
        queued_event_clear(&queued);
    }
    pthread_mutex_unlock(&run->lock);
}

void coras_run_post_amount(coras_run *run, enum coras_event_kind kind, const char *text,
                           int64_t offset, int64_t total)
{
    const struct coras_queued_event queued = {
        .event = {.kind = kind, .offset = offset, .total = total}};

    if (run->options->on_event)
        post(run, queued, text);
}

void coras_run_post(coras_run *run, enum coras_event_kind kind, const coras_descriptor *desc,
                    int64_t offset, const char *text)
{
    if (!run->options->on_event)
        return;
    const char *title = desc ? coras_descriptor_title(desc) : NULL;
    struct coras_queued_event queued = {
        .event = {.kind = kind,
                  .desc = desc,
                  .name = title  ? title
                          : desc ? desc->media_type
                                 : NULL,
                  .named = title != NULL,
                  .offset = offset},
    };
    post(run, queued, text);
}

void coras_run_fail(coras_run *run, coras_error **err)
{
    pthread_mutex_lock(&run->lock);
    /* What the others report once they were stopped says nothing new. */
    if (!run->failure)
        run->failure = coras_steal(err);
    pthread_mutex_unlock(&run->lock);
    coras_error_clear(err);
    coras_cancel_request(&run->stop);
}

bool coras_run_stopped(const coras_run *run)
{
    return coras_cancelled(&run->stop) || coras_cancelled(run->options->cancel);
}

int coras_run_check(const coras_run *run, coras_error **err)
{
    CORAS_TRY(coras_cancel_check(run->options->cancel, err));
    return coras_cancel_check(&run->stop, err);
}

int coras_run_sleep_ms(coras_run *run, int64_t ms, coras_error **err)
{
    CORAS_TRY(coras_run_check(run, err));
    CORAS_TRY(coras_cancel_sleep_ms(&run->stop, ms, err));
    return coras_run_check(run, err);
}

/* Called with the lock held; released while the callback runs. */
static void deliver_locked(coras_run *run)
{
    while (run->queue.len) {
        __typeof__(run->queue) batch = run->queue;
        run->queue.items = NULL;
        run->queue.len = run->queue.cap = 0;
        pthread_mutex_unlock(&run->lock);
        coras_vec_foreach (queued, &batch) {
            queued->event.text = queued->text;
            run->options->on_event(&queued->event, run->options->user);
            queued_event_clear(queued);
        }
        free(batch.items);
        pthread_mutex_lock(&run->lock);
    }
}

void coras_run_deliver(coras_run *run)
{
    pthread_mutex_lock(&run->lock);
    deliver_locked(run);
    pthread_mutex_unlock(&run->lock);
}

void coras_run_wait_idle(coras_run *run)
{
    pthread_mutex_lock(&run->lock);
    for (;;) {
        deliver_locked(run);
        if (run->idle)
            break;
        /* Workers that wait look at one flag only. */
        if (coras_cancelled(run->options->cancel))
            coras_cancel_request(&run->stop);
        struct timespec until = coras_deadline_ms(DELIVERY_MS);
        pthread_cond_timedwait(&run->changed, &run->lock, &until);
    }
    run->idle = false;
    pthread_mutex_unlock(&run->lock);
}

void coras_run_set_idle(coras_run *run)
{
    pthread_mutex_lock(&run->lock);
    run->idle = true;
    pthread_cond_signal(&run->changed);
    pthread_mutex_unlock(&run->lock);
}

int coras_run_result(coras_run *run, coras_error **err)
{
    coras_run_deliver(run);
    if (coras_cancelled(run->options->cancel))
        return coras_cancel_check(run->options->cancel, err);
    if (!run->failure)
        return coras_cancelled(&run->stop) ? coras_fail_no_memory(err) : 0;
    int rc = coras_error_code(run->failure);
    coras_error_propagate(err, &run->failure);
    return rc;
}

/* At most some times a second. */
static bool is_time(int64_t *last_ms)
{
    int64_t now = coras_now_ms();

    if (now - *last_ms < PROGRESS_INTERVAL_MS)
        return false;
    *last_ms = now;
    return true;
}

static void report_progress(void *user, int64_t offset)
{
    struct coras_run_transfer *t = user;
    if (t->silent || !t->run->options->on_event)
        return;
    if (is_time(&t->last_ms))
        coras_run_post(t->run, CORAS_EVENT_PROGRESS, t->desc, offset, NULL);
}

static void report_retrying(void *user, int64_t offset, const char *why)
{
    struct coras_run_transfer *t = user;
    coras_run_post(t->run, CORAS_EVENT_RETRYING, t->desc, offset, why);
}

static void report_kept(void *user, int64_t bytes)
{
    struct coras_run_transfer *t = user;
    coras_run_post_amount(t->run, CORAS_EVENT_KEPT, NULL, bytes, t->desc->size);
}

void coras_run_hashing_init(struct coras_run_hashing *h, coras_run *run, const char *name,
                            int64_t total)
{
    *h = (struct coras_run_hashing){
        .run = run, .name = name, .total = total, .last_ms = coras_now_ms()};
}

void coras_run_report_hashing(void *hashing, int64_t position)
{
    struct coras_run_hashing *h = hashing;

    if (h->run->options->on_event && is_time(&h->last_ms))
        coras_run_post_amount(h->run, CORAS_EVENT_HASHING, h->name, position, h->total);
}

void coras_run_transfer_init(struct coras_run_transfer *t, coras_run *run,
                             const coras_descriptor *desc)
{
    *t = (struct coras_run_transfer){.run = run, .desc = desc};
    t->transfer = (coras_transfer){
        .progress = report_progress,
        .retrying = report_retrying,
        .user = t,
        .cancel = &run->stop,
        .kept = report_kept,
    };
}
