/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listening socket.
 */
#ifndef SERVE_HTTP_LISTEN_H
#define SERVE_HTTP_LISTEN_H

#include "base/buf.h"

struct serve_listener {
    int fd;
    bool loopback;
    char *address; /* "127.0.0.1:5000", with the port that the system chose */
};
#define SERVE_LISTENER_INIT                                                                        \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/* "host:port", "[v6]:port", ":port" (all addresses). Errors name the address. */
CORAS_MUST_CHECK int serve_listen(const char *where, struct serve_listener *ret, coras_error **err);
/* One that somebody else opened and handed over as this descriptor, which is then the listener's.
 * CONFIG when it is no listening socket of IP. */
CORAS_MUST_CHECK int serve_listen_inherited(int fd, struct serve_listener *ret, coras_error **err);
void serve_listener_clear(struct serve_listener *l);

#endif
