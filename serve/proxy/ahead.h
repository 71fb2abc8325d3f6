/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ahead of a fill: parts of the blob that somebody has asked for long before the filler gets there,
 * such as the header of a file inside of it, or what a client that reads by several open ranges
 * wants; and what comes by further connections where each is slow (wide.h). Each is asked of the
 * upstream at once, in bounded pieces by a thread of its own, with bytes at the places that they
 * have in the blob. When the filler comes to such a part it takes it from there, so that in sum
 * everything is sent once.
 *
 * These bytes are handed on unverified, as any part of a blob must be. Nothing of them is kept
 * without the whole having been hashed.
 *
 * Threads: everything may be called by any thread; what says so with the fill's lock.
 */
#ifndef SERVE_PROXY_AHEAD_H
#define SERVE_PROXY_AHEAD_H

#include "serve/proxy/fill.h"

/* Asked for at a time; the next piece when somebody has come to the end of this one. */
#define SERVE_AHEAD_PIECE ((int64_t)4 * CORAS_MIB)
/* Shorter parts are fetched a second time by the filler: to stop for them costs it more. */
#define SERVE_AHEAD_WORTH ((int64_t)512 * CORAS_KIB)
/* The filler is as good as there. */
#define SERVE_AHEAD_NEAR ((int64_t)CORAS_MIB)

void serve_ahead_free(struct serve_ahead *a);

/* Whether waiting for the filler would take too long. With the lock. */
bool serve_ahead_is_far(const serve_fill *f, int64_t position, int64_t now_ms);
/* Whether the byte is there. With the lock. */
bool serve_ahead_has(const serve_fill *f, int64_t position);
/* Copy what is there from `position` on, at most `cap` bytes; 0: nothing. With the lock. */
size_t serve_ahead_copy(const serve_fill *f, int64_t position, void *buffer, size_t cap);
/* See to it that the byte at `position` is on its way, and those before `end`. It may not be
 * possible; the filler comes there in the end. Without the lock. */
void serve_ahead_want(serve_fill *f, int64_t position, int64_t end);

/* ---- for the filler, without the lock ---- */
/* Where the next part begins, at `position` or behind it; -1: there is none worth a stop. */
int64_t serve_ahead_next(serve_fill *f, int64_t position);
/* Up to `cap` bytes of the parts in the file at `position`, as they come; 0: they end here, and are
 * forgotten. */
size_t serve_ahead_take(serve_fill *f, int64_t position, void *buffer, size_t cap);
/* Those that bring something end. Nothing begins before serve_ahead_clear(). */
void serve_ahead_stop(serve_fill *f);
/* Forget all of it, after it was stopped. With the lock. */
void serve_ahead_clear(serve_fill *f);

/* ---- ahead_tail.c: what the file says of itself; for the filler ---- */
/* What an earlier life has left in an open file of *found bytes: how many of them are in order.
 * *ret_parts: there are others, which are known from now on. */
CORAS_MUST_CHECK int serve_ahead_restore(serve_fill *f, int64_t *found, bool *ret_parts,
                                         coras_error **err);
/* It has read so many more, or written. */
void serve_ahead_advanced(serve_fill *f, int64_t bytes);
/* Nobody brings anything any more: the file is left so that the next one can go on with it, and as
 * long as the blob when it is whole. */
CORAS_MUST_CHECK int serve_ahead_end(serve_fill *f, coras_error **err);
/* Whether it says that something out of turn is there. */
bool serve_ahead_is_noted(serve_fill *f);

#endif
