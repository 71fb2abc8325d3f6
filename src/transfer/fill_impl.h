/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One content while it is filled, for the files that do it: fill.c (the connections), fill_pieces.c
 * (who has what), fill_receive.c (what comes).
 */
#ifndef CORAS_TRANSFER_FILL_IMPL_H
#define CORAS_TRANSFER_FILL_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "transfer/fill.h"
#include "transfer/lanes.h"

enum coras_fill_state { CORAS_FILL_UNUSED, CORAS_FILL_AT_WORK, CORAS_FILL_ENDED };

struct coras_filling;

typedef struct coras_fill_connection {
    struct coras_filling *f;
    int64_t at;          /* its piece begins here; own thread writes with the lock held */
    _Atomic int64_t end; /* written with the lock held; end <= at: idle */
    char *gathered;      /* own thread: what follows `at` and is not written yet */
    size_t cap, held;    /* own thread: bytes that it can hold, and that are in it */
    int64_t asked_end;   /* own thread: of the request under way */
    int64_t asked_ms;    /* own thread: when it was made */
    int64_t skip;        /* own thread: bytes to drop, for a server without ranges begins at 0 */
    int64_t flushed;     /* own thread: handed to the disk until here */
    bool opened;         /* own thread: a first byte has come */
    pthread_t thread;    /* caller's thread: the helper */
    bool has_thread;     /* caller's thread: it was started and not joined */
    enum coras_fill_state state; /* under lock */
} coras_fill_connection;

typedef struct coras_filling {
    const struct coras_fill *fill;  /* const */
    const struct coras_download *d; /* const */
    coras_lanes *lanes;             /* const; NULL: too short for more than one connection */
    bool one_stream;                /* caller's thread: no ranges, everything from the first byte */
    atomic_bool helpers_stop;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under lock */
    coras_gaps free; /* missing, and nobody fills it */
    coras_fill_connection connections[CORAS_GROWTH_CONNECTIONS_MAX]; /* the first is the caller's */
    unsigned working;       /* helpers that have not ended */
    unsigned retiring;      /* helpers that should take no further piece */
    bool refused;           /* a helper has failed for good */
    bool disk_is_full;      /* no room for what came */
    bool scattered;         /* parts arrive out of order: the file's length says nothing */
    int64_t arrived, noted; /* bytes of this call; of them when the last note was made */
    int64_t noted_ms;       /* when that was */
    int64_t piece;          /* longest piece; 0 while one connection takes all */
} coras_filling;

/* ---- fill_pieces.c ---- */

/* lock held: where the first missing byte is */
int64_t coras_fill_front(const coras_filling *f);
/* lock held: all that is not in the file */
coras_gaps coras_fill_missing(const coras_filling *f);
/* lock held: the first piece that nobody has, or half of what somebody has most of */
bool coras_fill_take(coras_fill_connection *c);
void coras_fill_give_back(coras_fill_connection *c);
/* lock held: the caller's piece, which may be everything, becomes one of several */
void coras_fill_split(coras_filling *f, unsigned connections);
/* So that another process can go on. That it cannot is no reason to stop. */
int coras_fill_note(coras_filling *f);

/* ---- fill_receive.c ---- */

/* Bytes have arrived on the caller's connection: see whether there should be more or fewer. */
void coras_fill_look(coras_filling *f, int64_t missing);
/* One request for the piece, beginning `skip` bytes before it. 0: all of it came. */
CORAS_MUST_CHECK int coras_fill_fetch(coras_fill_connection *c, coras_error **err);

#endif
