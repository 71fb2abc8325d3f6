/*
 * The listening socket.
 */
#ifndef CORAS_SERVE_HTTP_LISTEN_H
#define CORAS_SERVE_HTTP_LISTEN_H

#include "base/buf.h"

struct coras_listener {
    int fd;
    bool loopback;
    char *address; /* "127.0.0.1:5000", with the port that the system chose */
};
#define CORAS_LISTENER_INIT                                                                        \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/* "host:port", "[v6]:port", ":port" (all addresses). Errors name the address. */
CORAS_MUST_CHECK int coras_listen(const char *where, struct coras_listener *ret, coras_error **err);
void coras_listener_clear(struct coras_listener *l);

/* The address of a peer without its port, in `text` of `cap` bytes. */
struct sockaddr;
void coras_peer_address(const struct sockaddr *address, char *text, size_t cap);

#endif
