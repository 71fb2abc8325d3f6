/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of jobs of one kind, in which parties take turns: however many jobs one party has, another
 * waits for one of each at most. A party is in the line as long as something of it waits or runs.
 *
 * Threads: none; the line belongs to the lock of whoever has it.
 */
#ifndef SERVE_HTTP_LINE_H
#define SERVE_HTTP_LINE_H

#include "base/common.h"

/* Something to do, inside of what it is done for. Nobody looks at it once it runs. */
typedef struct serve_job {
    void (*run)(struct serve_job *job);
    unsigned kind;         /* the line */
    const char *party;     /* whose it is; "": nobody's in particular. Alive until it runs */
    int64_t not_before_ms; /* monotonic; 0: at once */
    bool is_late;          /* after those of which this is not said */
    struct serve_job *next;
} serve_job;

struct serve_party;

typedef struct serve_line {
    unsigned most;           /* const; that run at a time */
    unsigned most_per_party; /* const; of these */
    unsigned running, waiting;
    struct serve_party *parties; /* who is first goes next */
} serve_line;

/* false: out of memory. */
CORAS_MUST_CHECK bool serve_line_add(serve_line *line, serve_job *job);
/* The next job that may run now, which counts as running; and whose it is. NULL: none;
 * *ret_next_ms, if it is before, becomes the time at which there is one by itself. */
serve_job *serve_line_take(serve_line *line, int64_t now_ms, struct serve_party **ret_party,
                           int64_t *ret_next_ms);
/* A job of this party has run. */
void serve_line_done(serve_line *line, struct serve_party *party);

#endif
