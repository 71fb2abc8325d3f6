/*
 * Which hosts a registry may send us to. A registry out there must not make us talk to services
 * that only this machine or its cloud can reach: loopback, link-local, metadata addresses.
 */
#ifndef CORAS_NET_ORIGIN_POLICY_H
#define CORAS_NET_ORIGIN_POLICY_H

#include <sys/socket.h>
#include "base/common.h"

/*
 * The blocked prefix ("127.0.0.0/8") that the address lies in, NULL when it is fine. IPv4 addresses
 * inside IPv6 ones (mapped, NAT64, 6to4) are unwrapped first.
 */
const char *coras_address_blocked(const struct sockaddr *address);

/* The same for text that may be an IP literal; NULL also when it is a name. */
const char *coras_host_literal_blocked(const char *host, size_t len);

/* Whether a name (or literal) resolves to a blocked address; false when it does not resolve. */
bool coras_host_resolves_to_blocked(const char *host);

#endif
