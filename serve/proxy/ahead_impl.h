/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the files that bring parts of a blob out of turn: ahead.c (what a part is, and those that
 * readers want), wide.c (those of further connections), ahead_tail.c (what outlives a kill).
 *
 * A part that the filler will stop for has its place in the fill's file, and the filler needs only
 * to hash it there. A shorter one, which the filler overtakes, goes into a nameless file beside it,
 * so that nobody writes where the filler does.
 */
#ifndef SERVE_PROXY_AHEAD_IMPL_H
#define SERVE_PROXY_AHEAD_IMPL_H

#include "serve/proxy/ahead.h"
#include "transfer/gaps.h"

/* Of one blob. Each is a trail: pieces that follow one another make one part. */
#define SERVE_AHEAD_PARTS_MAX 64

struct serve_ahead_part {
    int64_t first, end; /* asked for */
    int64_t got;        /* that have come */
    bool is_running;
    bool is_aside; /* in the nameless file */
};

/* Everything belongs to the fill's lock. */
struct serve_ahead {
    int fd;          /* the nameless file; -1: there is none */
    bool is_refused; /* the upstream sends no parts, or there is no room for them */
    bool is_stopped; /* what runs is to end */
    bool has_tail;   /* the fill's file ends with what is missing of it */
    int64_t unnoted; /* bytes that have come since that was written */
    unsigned running;
    unsigned lanes;    /* further connections; not counted as running */
    unsigned retiring; /* of these, so many are not wanted any more */
    unsigned failures;
    struct serve_ahead_part **items;
    size_t len, cap;
};

/* ---- with the lock ---- */
/* What there is of it; NULL when out of memory. */
struct serve_ahead *serve_ahead_open(serve_fill *f);
/* A part that is to bring bytes from `position` on; NULL: there is no place for it. */
struct serve_ahead_part *serve_ahead_add(struct serve_ahead *a, int64_t position);
/* `end`, or less where another part begins. */
int64_t serve_ahead_piece_end(const serve_fill *f, int64_t position, int64_t end);
/* It brings no more now; forgotten when it has brought nothing. */
void serve_ahead_settle(serve_fill *f, struct serve_ahead_part *p);
/* What the filler has left behind. */
void serve_ahead_forget_overtaken(serve_fill *f);
/* What is missing of the blob, of known size; and how much that is. */
coras_gaps serve_ahead_missing(const serve_fill *f);
int64_t serve_ahead_missing_bytes(const serve_fill *f);

/* ---- without the lock, by the thread that has the part ---- */
struct serve_ahead_watch {
    void (*arrived)(void *user, size_t len);
    void *user;
};
/* Ask for what the part has still to bring, once. `watch` may be NULL. */
CORAS_MUST_CHECK int serve_ahead_bring(serve_fill *f, struct serve_ahead_part *p,
                                       const struct serve_ahead_watch *watch, coras_error **err);
/* That has failed. With the lock. */
void serve_ahead_note_failure(serve_fill *f, int rc);

/* ahead_tail.c, without the lock */
/* A part in the file is about to grow: what is there is noted, if it is time. */
CORAS_MUST_CHECK int serve_ahead_note(serve_fill *f, coras_error **err);

#endif
