/* SPDX-License-Identifier: Apache-2.0 */
/* Loops are woken by connections that are at their end before they begin. */
#include "serve/http/wake.h"

#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#define SETTLE_MS 1000

/* Whether the loop has closed its end of the last one, or does so within that time. */
static bool is_over(struct serve_loop *loop, int wait_ms)
{
    /* without events: that the other side is gone is always told */
    struct pollfd end = {.fd = loop->wake_fd};

    if (loop->wake_fd < 0)
        return true;
    if (poll(&end, 1, wait_ms) != 1)
        return false;
    close(loop->wake_fd);
    loop->wake_fd = -1;
    return true;
}

void serve_loop_wake(struct serve_loop *loop)
{
    const struct sockaddr address = {.sa_family = AF_UNIX};
    int ends[2];

    if (!is_over(loop, 0))
        return;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return;
    (void)shutdown(ends[0], SHUT_WR);
    loop->wake_fd = ends[0];
    /* the library closes what it does not take */
    (void)MHD_add_connection(loop->daemon, ends[1], &address, sizeof(address.sa_family));
}

void serve_loop_settle(struct serve_loop *loop)
{
    if (is_over(loop, SETTLE_MS))
        return;
    close(loop->wake_fd);
    loop->wake_fd = -1;
}
