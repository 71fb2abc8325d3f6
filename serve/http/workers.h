/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers: threads for what may take its time, so that those who serve connections never wait. Each
 * kind of work has a line of its own and a number of threads that it may occupy, so that none keeps
 * the others waiting. Parties are addresses, and of questions to upstreams the upstreams. Threads
 * are made when they are needed and end when they are not.
 *
 * Threads: everything may be called from any thread.
 */
#ifndef SERVE_HTTP_WORKERS_H
#define SERVE_HTTP_WORKERS_H

#include "serve/http/line.h"

enum serve_work {
    SERVE_WORK_READ,     /* looking something up: the disk, the database */
    SERVE_WORK_WRITE,    /* changing something, which waits for the disk */
    SERVE_WORK_BODY,     /* bytes of an upload: hashed, written */
    SERVE_WORK_PASSWORD, /* a hash that is slow on purpose */
    SERVE_WORK_ORIGIN,   /* asking an upstream */
    SERVE_WORK_STREAM,   /* reading a body from another place than a file here */
    SERVE_WORK_KINDS,
    SERVE_WORK_NONE = SERVE_WORK_KINDS /* it is done at once */
};

typedef struct serve_workers serve_workers;

CORAS_MUST_CHECK int serve_workers_open(serve_workers **ret, coras_error **err);
/* Has been stopped. NULL allowed. */
void serve_workers_close(serve_workers *w);

/* Have it run. false: out of memory, or stopped. */
CORAS_MUST_CHECK bool serve_workers_add(serve_workers *w, serve_job *job);
/* Runs what waits, without delays, and joins the threads; from now on nothing is added. */
void serve_workers_stop(serve_workers *w);

#endif
