/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which hosts a registry may send us to. A registry out there must not make us talk to services
 * that only this machine or its cloud can reach: loopback, link-local, metadata addresses.
 */
#ifndef CORAS_HTTP_ORIGIN_POLICY_H
#define CORAS_HTTP_ORIGIN_POLICY_H

#include <sys/socket.h>
#include "base/common.h"

/*
 * The blocked prefix ("127.0.0.0/8") that the address lies in, NULL when it is fine. IPv4 addresses
 * inside IPv6 ones (mapped, NAT64, 6to4) are unwrapped first.
 */
const char *coras_address_blocked(const struct sockaddr *address);

/* Addresses of private networks (RFC 1918, RFC 4193, RFC 6598): a registry inside one may name its
 * neighbours, one on the Internet may not. */
bool coras_address_private(const struct sockaddr *address);

/* Where a host is, from the outermost to the innermost. */
enum coras_zone {
    CORAS_ZONE_UNKNOWN = 0, /* it does not resolve (behind a proxy names need not) */
    CORAS_ZONE_PUBLIC,
    CORAS_ZONE_PRIVATE,
    CORAS_ZONE_INNER, /* on this machine, or where only it can reach */
};
enum coras_zone coras_address_zone(const struct sockaddr *address);
/* The same of text that is an IP literal; UNKNOWN for a name. */
enum coras_zone coras_literal_zone(const char *text);
/* Of a host with addresses in two places: the outer one. A name that also points inside does not
 * make its owner a neighbour. */
enum coras_zone coras_zone_outer(enum coras_zone a, enum coras_zone b);
/* By all addresses that the name resolves to. */
enum coras_zone coras_host_zone(const char *host);

#endif
