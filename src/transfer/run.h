/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One running operation. Workers post events; the thread that called the operation delivers
 * them while it waits. The first failure stops everybody.
 */
#ifndef CORAS_TRANSFER_RUN_H
#define CORAS_TRANSFER_RUN_H

#include <pthread.h>

#include "coras/ops.h"
#include "target/target.h"
#include "transfer/lanes.h"
#include "transfer/stint.h"

struct coras_queued_event {
    coras_event event;
    char *text;
};

typedef struct coras_run {
    coras_run_options known;          /* const; what the caller has given, as far as we know it */
    const coras_run_options *options; /* const; that */
    unsigned concurrency;             /* const; transfers at a time */
    unsigned workers_max;             /* const; for small pieces of work (stint.h) */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* many events were posted, or `idle` became true */
    /* under lock */
    struct {
        struct coras_queued_event *items;
        size_t len, cap;
    } queue;
    bool idle;
    coras_error *failure; /* the first */
    coras_cancel stop;    /* any thread: the operation failed or was cancelled */
    coras_lanes lanes;    /* how large content comes */
    coras_pace pace;      /* any thread: how long small pieces of work take */
} coras_run;

/* `options` may be NULL; what it points at must outlive the run. The run stays where it is. */
void coras_run_init(coras_run *run, const coras_run_options *options);
void coras_run_clear(coras_run *run);
CORAS_DEFINE_AUTO_VALUE(coras_run, coras_run_clear)
/* Where things are, as the caller says; never NULL. */
const coras_environment *coras_run_environment(const coras_run *run);

/*
 * Post an event from any thread. `desc` is not copied: it must live until the events were
 * delivered. Lost when nobody listens or memory is short.
 */
void coras_run_post(coras_run *run, enum coras_event_kind kind, const coras_descriptor *desc,
                    int64_t offset, const char *text);

/* The same for events that tell an amount of something without a descriptor: HASHING, KEPT. */
void coras_run_post_amount(coras_run *run, enum coras_event_kind kind, const char *text,
                           int64_t offset, int64_t total);

/* Record a failure (takes *err) and stop the others. */
void coras_run_fail(coras_run *run, coras_error **err);
/* Whether to give up: failed, or cancelled by the caller. */
bool coras_run_stopped(const coras_run *run);
/* CANCELLED when stopped. */
CORAS_MUST_CHECK int coras_run_check(const coras_run *run, coras_error **err);
/* Wait; CANCELLED when the run stops meanwhile. */
CORAS_MUST_CHECK int coras_run_sleep_ms(coras_run *run, int64_t ms, coras_error **err);

/* Deliver events on this thread until coras_run_set_idle() is called by a worker. */
void coras_run_wait_idle(coras_run *run);
void coras_run_set_idle(coras_run *run);
/* Deliver what is queued now. */
void coras_run_deliver(coras_run *run);
/* The recorded failure becomes the result of the operation: 0 or its code. */
CORAS_MUST_CHECK int coras_run_result(coras_run *run, coras_error **err);

/* What reading a file before its digest is known reports through: HASHING at most ten times a
 * second, and not for what is read within a tenth of one. */
struct coras_run_hashing {
    coras_run *run;
    const char *name; /* borrowed */
    int64_t total;
    int64_t last_ms;
};
void coras_run_hashing_init(struct coras_run_hashing *h, coras_run *run, const char *name,
                            int64_t total);
void coras_run_report_hashing(void *hashing, int64_t position);

/* What a transfer of `desc` reports through: progress events at most ten times a second. */
struct coras_run_transfer {
    coras_run *run;
    const coras_descriptor *desc;
    int64_t last_ms;
    bool silent; /* START was not posted yet */
    coras_transfer transfer;
};
void coras_run_transfer_init(struct coras_run_transfer *t, coras_run *run,
                             const coras_descriptor *desc);

#endif
