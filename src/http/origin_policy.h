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

/* The same for text that may be an IP literal; NULL also when it is a name. */
const char *coras_host_literal_blocked(const char *host, size_t len);

/* Addresses of private networks (RFC 1918, RFC 4193, RFC 6598): a registry inside one may name its
 * neighbours, one on the Internet may not. */
bool coras_address_private(const struct sockaddr *address);

/* Where a host is, by the addresses that its name resolves to. */
enum coras_place {
    CORAS_PLACE_UNKNOWN = 0, /* it does not resolve (behind a proxy names need not) */
    CORAS_PLACE_PUBLIC,
    CORAS_PLACE_PRIVATE, /* at least one private address */
    CORAS_PLACE_INNER,   /* at least one blocked address */
};
enum coras_place coras_host_place(const char *host);

#endif
