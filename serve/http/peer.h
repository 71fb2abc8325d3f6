/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers: the address of who is at the other end, as text: for people, and as what counts as one
 * party when something is shared out between addresses.
 */
#ifndef SERVE_HTTP_PEER_H
#define SERVE_HTTP_PEER_H

#include "base/common.h"

/* Longest text of either, with its end. */
#define SERVE_PEER_MAX 64

struct sockaddr;
/* Without the port; "unknown" for what is no IP address. */
void serve_peer_address(const struct sockaddr *address, char text[static SERVE_PEER_MAX]);
/* The same, but all of the 2^64 addresses that one host of IPv6 may choose from are one; and IPv4
 * that came through a socket of IPv6 is IPv4. */
void serve_peer_network(const struct sockaddr *address, char text[static SERVE_PEER_MAX]);

/* Whether such a text is an address of this machine itself. */
bool serve_peer_is_loopback(const char *network);

#endif
