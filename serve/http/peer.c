/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of peers as text. */
#include "serve/http/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include "base/str.h"

#define NETWORK_BYTES 8 /* of an IPv6 address: the part that a provider gives out */

void serve_peer_address(const struct sockaddr *address, char text[static SERVE_PEER_MAX])
{
    const void *binary = NULL;

    if (address && address->sa_family == AF_INET)
        binary = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    else if (address && address->sa_family == AF_INET6)
        binary = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    if (!binary || !inet_ntop(address->sa_family, binary, text, SERVE_PEER_MAX))
        snprintf(text, SERVE_PEER_MAX, "%s", "unknown");
}

void serve_peer_network(const struct sockaddr *address, char text[static SERVE_PEER_MAX])
{
    struct in6_addr network;

    if (!address || address->sa_family != AF_INET6) {
        serve_peer_address(address, text);
        return;
    }
    network = ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&network)) {
        (void)inet_ntop(AF_INET, &network.s6_addr[12], text, SERVE_PEER_MAX);
        return;
    }
    for (size_t i = NETWORK_BYTES; i < sizeof(network.s6_addr); i++)
        network.s6_addr[i] = 0;
    (void)inet_ntop(AF_INET6, &network, text, SERVE_PEER_MAX);
}

/* ::1 stands for its network, which holds nothing else. */
bool serve_peer_is_loopback(const char *network)
{
    struct in_addr v4;

    if (inet_pton(AF_INET, network, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    return coras_streq(network, "::");
}
