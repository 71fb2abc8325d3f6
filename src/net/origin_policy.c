#include "net/origin_policy.h"

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

static const char *blocked_ipv4(const unsigned char *address)
{
    return find(address, blocked_v4, CORAS_ARRAY_LEN(blocked_v4));
}

static const char *blocked_ipv6(const unsigned char *address)
{
    static const struct prefix mapped = {{[10] = 0xff, [11] = 0xff}, 96, ""};
    static const struct prefix nat64 = {{0x00, 0x64, 0xff, 0x9b}, 96, ""};
    static const struct prefix six_to_four = {{0x20, 0x02}, 16, ""};

    if (has_prefix(address, &mapped) || has_prefix(address, &nat64))
        return blocked_ipv4(address + 12);
    if (has_prefix(address, &six_to_four))
        return blocked_ipv4(address + 2);
    return find(address, blocked_v6, CORAS_ARRAY_LEN(blocked_v6));
}

const char *coras_address_blocked(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        return blocked_ipv4((const unsigned char *)&in.sin_addr);
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof(in6));
        return blocked_ipv6((const unsigned char *)&in6.sin6_addr);
    }
    return "unknown address family";
}

const char *coras_host_literal_blocked(const char *host, size_t len)
{
    unsigned char bytes[16];
    char text[INET6_ADDRSTRLEN];

    if (len >= sizeof(text))
        return NULL;
    memcpy(text, host, len);
    text[len] = '\0';
    if (inet_pton(AF_INET, text, bytes) == 1)
        return blocked_ipv4(bytes);
    if (inet_pton(AF_INET6, text, bytes) == 1)
        return blocked_ipv6(bytes);
    return NULL;
}

bool coras_host_resolves_to_blocked(const char *host)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    bool blocked = false;

    if (getaddrinfo(host, NULL, &hints, &list) != 0)
        return false;
    for (struct addrinfo *a = list; a && !blocked; a = a->ai_next)
        blocked = coras_address_blocked(a->ai_addr) != NULL;
    freeaddrinfo(list);
    return blocked;
}
