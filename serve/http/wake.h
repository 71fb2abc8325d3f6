/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waking a loop of the HTTP library.
 *
 * The library asks the kernel for so many events, and for more before it looks at them when it got
 * just as many: if there are no more, it waits for the next as long as connections may be idle.
 * A connection that has ended already is one.
 */
#ifndef SERVE_HTTP_WAKE_H
#define SERVE_HTTP_WAKE_H

#include <microhttpd.h>

/* That the library takes from the kernel at once (its MAX_EVENTS). */
#define SERVE_EVENTS_AT_ONCE 128

/* A loop, and our end of the last connection by which it was woken (-1: none). */
struct serve_loop {
    struct MHD_Daemon *daemon;
    int wake_fd;
};

/* Nothing is done while the loop has not yet looked at the last one. */
void serve_loop_wake(struct serve_loop *loop);
/* Until the loop has nothing of ours any more, but for a second at most. */
void serve_loop_settle(struct serve_loop *loop);

#endif
