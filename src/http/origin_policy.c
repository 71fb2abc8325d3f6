/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of addresses behind origin_policy.h.
 */
#include "http/origin_policy.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include "base/alloc.h"

struct prefix {
    unsigned char bytes[16];
    int bits;
    const char *text;
};

static const struct prefix blocked_v4[] = {
    {{0}, 8, "0.0.0.0/8"},
    {{127}, 8, "127.0.0.0/8"},
    {{169, 254}, 16, "169.254.0.0/16"},
    {{224}, 24, "224.0.0.0/24"},
    {{100, 100, 100, 200}, 32, "100.100.100.200/32"},
    {{168, 63, 129, 16}, 32, "168.63.129.16/32"},
};

static const struct prefix blocked_v6[] = {
    {{0}, 128, "::/128"},
    {{[15] = 1}, 128, "::1/128"},
    {{0xfe, 0x80}, 10, "fe80::/10"},
    {{0xff, 0x02}, 16, "ff02::/16"},
    {{0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54}, 128, "fd00:ec2::254/128"},
    {{0xfd, 0x00, 0x0e, 0xc2, [15] = 0x23}, 128, "fd00:ec2::23/128"},
    {{0xfd, 0x20, 0x00, 0xce, [14] = 0x02, [15] = 0x54}, 128, "fd20:ce::254/128"},
};

static const struct prefix private_v4[] = {
    {{10}, 8, "10.0.0.0/8"},
    {{172, 16}, 12, "172.16.0.0/12"},
    {{192, 168}, 16, "192.168.0.0/16"},
    {{100, 64}, 10, "100.64.0.0/10"},
};

static const struct prefix private_v6[] = {
    {{0xfc}, 7, "fc00::/7"},
};

static bool has_prefix(const unsigned char *address, const struct prefix *p)
{
    int whole = p->bits / 8, rest = p->bits % 8;

    if (memcmp(address, p->bytes, (size_t)whole) != 0)
        return false;
    return !rest || (address[whole] >> (8 - rest)) == (p->bytes[whole] >> (8 - rest));
}

static const char *find(const unsigned char *address, const struct prefix *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (has_prefix(address, &rows[i]))
            return rows[i].text;
    return NULL;
}

#define FIND(address, rows) find((address), (rows), CORAS_ARRAY_LEN(rows))

/* The IPv4 address inside an IPv6 one; NULL when there is none. */
static const unsigned char *inner_ipv4(const unsigned char *address)
{
    static const struct prefix mapped = {{[10] = 0xff, [11] = 0xff}, 96, ""};
    static const struct prefix nat64 = {{0x00, 0x64, 0xff, 0x9b}, 96, ""};
    static const struct prefix six_to_four = {{0x20, 0x02}, 16, ""};

    if (has_prefix(address, &mapped) || has_prefix(address, &nat64))
        return address + 12;
    return has_prefix(address, &six_to_four) ? address + 2 : NULL;
}

static const char *blocked_ipv6(const unsigned char *address)
{
    const unsigned char *inner = inner_ipv4(address);

    return inner ? FIND(inner, blocked_v4) : FIND(address, blocked_v6);
}

static bool private_ipv6(const unsigned char *address)
{
    const unsigned char *inner = inner_ipv4(address);

    return inner ? FIND(inner, private_v4) != NULL : FIND(address, private_v6) != NULL;
}

/* The raw bytes of an address; false for a family that we do not know. */
static bool raw_bytes(const struct sockaddr *address, unsigned char bytes[16], bool *ret_is_ipv6)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    *ret_is_ipv6 = address->sa_family == AF_INET6;
    if (address->sa_family == AF_INET) {
        memcpy(&in, address, sizeof(in));
        memcpy(bytes, &in.sin_addr, sizeof(in.sin_addr));
        return true;
    }
    if (address->sa_family == AF_INET6) {
        memcpy(&in6, address, sizeof(in6));
        memcpy(bytes, &in6.sin6_addr, sizeof(in6.sin6_addr));
        return true;
    }
    return false;
}

const char *coras_address_blocked(const struct sockaddr *address)
{
    unsigned char bytes[16];
    bool is_ipv6;

    if (!raw_bytes(address, bytes, &is_ipv6))
        return "unknown address family";
    return is_ipv6 ? blocked_ipv6(bytes) : FIND(bytes, blocked_v4);
}

bool coras_address_private(const struct sockaddr *address)
{
    unsigned char bytes[16];
    bool is_ipv6;

    if (!raw_bytes(address, bytes, &is_ipv6))
        return false;
    return is_ipv6 ? private_ipv6(bytes) : FIND(bytes, private_v4) != NULL;
}

enum coras_zone coras_address_zone(const struct sockaddr *address)
{
    if (coras_address_blocked(address))
        return CORAS_ZONE_INNER;
    return coras_address_private(address) ? CORAS_ZONE_PRIVATE : CORAS_ZONE_PUBLIC;
}

enum coras_zone coras_literal_zone(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return coras_address_zone((const struct sockaddr *)&in);
    if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1)
        return coras_address_zone((const struct sockaddr *)&in6);
    return CORAS_ZONE_UNKNOWN;
}

enum coras_zone coras_zone_outer(enum coras_zone a, enum coras_zone b)
{
    if (!a || !b)
        return a ? a : b;
    return a < b ? a : b;
}

enum coras_zone coras_host_zone(const char *host)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    enum coras_zone zone = CORAS_ZONE_UNKNOWN;

    if (getaddrinfo(host, NULL, &hints, &list) != 0)
        return CORAS_ZONE_UNKNOWN;
    for (struct addrinfo *a = list; a; a = a->ai_next)
        zone = coras_zone_outer(zone, coras_address_zone(a->ai_addr));
    freeaddrinfo(list);
    return zone;
}
