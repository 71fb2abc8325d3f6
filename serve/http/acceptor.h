/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes new connections from the listening socket, on a thread of its own, until it is told to end.
 * The HTTP library could do it too, but cannot be told to end it while it serves: it takes the
 * socket from its loops without a lock, and aborts when a loop was faster.
 */
#ifndef SERVE_HTTP_ACCEPTOR_H
#define SERVE_HTTP_ACCEPTOR_H

#include <sys/socket.h>
#include "base/common.h"

typedef struct serve_acceptor serve_acceptor;

/* Gets each connection, and owns its descriptor, which does not block. */
typedef void serve_acceptor_take(void *user, int fd, const struct sockaddr *address, socklen_t len);

/* Takes the listener's descriptor (*listener, -1 then), which does not block. */
CORAS_MUST_CHECK int serve_acceptor_start(int *listener, serve_acceptor_take *take, void *user,
                                          serve_acceptor **ret, coras_error **err);
/* No connection is taken any more when it returns, and nobody listens. NULL allowed. */
void serve_acceptor_stop(serve_acceptor *a);

#endif
