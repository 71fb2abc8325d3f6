/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The window of a fill that the disk has no room for: the last bytes that came, in memory, which
 * the readers that are there follow in step. The filler then does wait for readers, but for none
 * that does not move: who cannot follow is left behind, and cut.
 *
 * Threads: with the fill's lock.
 */
#ifndef SERVE_PROXY_WINDOW_H
#define SERVE_PROXY_WINDOW_H

#include "base/common.h"
#include "base/limits.h"

#define SERVE_WINDOW_BYTES CORAS_MIB

/* One that follows a fill. */
typedef struct serve_follower {
    int64_t position; /* of the next byte that it wants */
    bool is_behind;   /* what it wants next is lost */
    struct serve_follower *next;
} serve_follower;

typedef struct serve_window {
    int64_t kept; /* bytes before this one are in the file */
    char bytes[SERVE_WINDOW_BYTES];
} serve_window;

/* The first byte that is still here, when `got` have come. */
int64_t serve_window_first(const serve_window *w, int64_t got);
/* How many bytes may be added without losing what a follower wants; without followers, what one
 * that comes will want. */
size_t serve_window_room(const serve_window *w, int64_t got, const serve_follower *followers);
/* Give those up that leave no room at all. */
void serve_window_leave_behind(const serve_window *w, int64_t got, serve_follower *followers);
void serve_window_put(serve_window *w, int64_t got, const void *data, size_t len);
/* Bytes that are here from `position` on, at most `len`. */
void serve_window_copy(const serve_window *w, int64_t position, void *buffer, size_t len);

#endif
