/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ahead of a fill: parts of the blob that somebody has asked for long before the filler gets there,
 * such as the header of a file inside of it, or what a client that reads by several open ranges
 * wants. Each is asked of the upstream at once, in bounded pieces by a thread of its own, into a
 * nameless file beside the fill's, with bytes at the places that they have in the blob. When the
 * filler comes to such a part it takes it from there, so that in sum everything is sent once.
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
/* Up to `cap` bytes of the part at `position`, as they come; 0: it ends here, and is forgotten. */
size_t serve_ahead_take(serve_fill *f, int64_t position, void *buffer, size_t cap);
/* Forget all of it. */
void serve_ahead_clear(serve_fill *f);

#endif
