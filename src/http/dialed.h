/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The addresses at which a connection was tried, and the one that a message names. A host may have
 * several ("localhost" is 127.0.0.1 and ::1); people know upstream's messages, which name the first
 * one in the order that the system prefers, whatever order libcurl tried them in.
 */
#ifndef CORAS_HTTP_DIALED_H
#define CORAS_HTTP_DIALED_H

#include <netinet/in.h>
#include <sys/socket.h>
#include "http/url.h"

enum {
    CORAS_DIALED_MAX = 8,                        /* further ones only replace the last */
    CORAS_DIALED_TEXT_MAX = INET6_ADDRSTRLEN + 9 /* "[" address "]:65535" NUL */
};

/* Begin with zeros. */
struct coras_dialed {
    char items[CORAS_DIALED_MAX][CORAS_DIALED_TEXT_MAX]; /* "127.0.0.1:443", "[::1]:443" */
    size_t len;
};

void coras_dialed_add(struct coras_dialed *d, const struct sockaddr *address);
/* The last one that was tried; "" when there was none. */
const char *coras_dialed_last(const struct coras_dialed *d);
/* The one to name in a message about connecting to `host` (asks the resolver when there is a
 * choice); "" when none was tried. */
const char *coras_dialed_named(const struct coras_dialed *d, coras_str host);

#endif
