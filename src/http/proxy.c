/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP_PROXY, HTTPS_PROXY and NO_PROXY, matched against a URL as Go's net/http does.
 */
#include "http/proxy.h"

#include <arpa/inet.h>
#include <stdlib.h>

struct ip {
    int family; /* 0: the text is a name */
    unsigned char bytes[16];
};

static struct ip parse_ip(coras_str s)
{
    struct ip ip = {0};
    char text[INET6_ADDRSTRLEN];

    if (s.len >= 2 && s.ptr[0] == '[' && s.ptr[s.len - 1] == ']') {
        s.ptr++;
        s.len -= 2;
    }
    if (s.len >= sizeof(text))
        return ip;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    if (inet_pton(AF_INET, text, ip.bytes) == 1)
        ip.family = AF_INET;
    else if (inet_pton(AF_INET6, text, ip.bytes) == 1)
        ip.family = AF_INET6;
    return ip;
}

static bool is_loopback(const coras_url *url, const struct ip *ip)
{
    static const unsigned char v6_loopback[16] = {[15] = 1};

    if (ip->family == AF_INET)
        return ip->bytes[0] == 127;
    if (ip->family == AF_INET6)
        return memcmp(ip->bytes, v6_loopback, sizeof(v6_loopback)) == 0;
    return coras_url_host_is(url, "localhost");
}

static bool in_network(const struct ip *ip, coras_str network, int64_t bits)
{
    struct ip base = parse_ip(network);
    int64_t max = base.family == AF_INET ? 32 : 128;

    if (!base.family || base.family != ip->family || bits > max)
        return false;
    size_t whole = (size_t)bits / 8;
    int rest = (int)(bits % 8);
    if (memcmp(base.bytes, ip->bytes, whole) != 0)
        return false;
    return !rest || ((base.bytes[whole] ^ ip->bytes[whole]) >> (8 - rest)) == 0;
}

/* "host:port" -> host and port; port stays 0 when there is none (an IPv6 literal has many colons).
 */
static bool split_port(coras_str *entry, int64_t *ret_port)
{
    const char *colon = memrchr(entry->ptr, ':', entry->len);

    *ret_port = 0;
    if (!colon || parse_ip(*entry).family == AF_INET6)
        return true;
    coras_str digits = {colon + 1, entry->len - (size_t)(colon + 1 - entry->ptr)};
    entry->len = (size_t)(colon - entry->ptr);
    return coras_parse_int64(digits, ret_port);
}

/* ".example.org" and "*.example.org" match below the name, "example.org" also the name itself. */
static bool name_matches(coras_str name, coras_str host)
{
    if (name.len && name.ptr[0] == '*') {
        name.ptr++;
        name.len--;
    }
    bool below_only = name.len && name.ptr[0] == '.';
    if (below_only) {
        name.ptr++;
        name.len--;
    }
    if (!name.len || host.len < name.len ||
        strncasecmp(host.ptr + host.len - name.len, name.ptr, name.len) != 0)
        return false;
    return host.len == name.len ? !below_only : host.ptr[host.len - name.len - 1] == '.';
}

static bool entry_matches(coras_str entry, const coras_url *url, const struct ip *ip)
{
    int64_t port;
    const char *slash = memchr(entry.ptr, '/', entry.len);

    if (coras_str_eq(entry, "*"))
        return true;
    if (slash) {
        coras_str network = {entry.ptr, (size_t)(slash - entry.ptr)};
        coras_str bits_text = {slash + 1, entry.len - network.len - 1};
        int64_t bits;
        return coras_parse_int64(bits_text, &bits) && ip->family && in_network(ip, network, bits);
    }
    if (!split_port(&entry, &port) || (port && port != url->port))
        return false;
    struct ip entry_ip = parse_ip(entry);
    if (entry_ip.family)
        return entry_ip.family == ip->family &&
               memcmp(entry_ip.bytes, ip->bytes, sizeof(entry_ip.bytes)) == 0;
    return !ip->family && name_matches(entry, url->host);
}

static bool is_excluded(const char *list, const coras_url *url, const struct ip *ip)
{
    while (list && *list) {
        size_t len = strcspn(list, ",");
        coras_str entry = coras_str_trim((coras_str){list, len});
        if (entry.len && entry_matches(entry, url, ip))
            return true;
        list += len + (list[len] == ',');
    }
    return false;
}

const char *coras_proxy_for(const coras_environment *env, const coras_url *url)
{
    const char *proxy = url->https ? env->https_proxy : env->http_proxy;
    struct ip ip = parse_ip(url->host);

    if (!proxy || !*proxy || is_loopback(url, &ip) || is_excluded(env->no_proxy, url, &ip))
        return NULL;
    return proxy;
}

coras_str coras_proxy_host(const char *proxy)
{
    const char *scheme_end = strstr(proxy, "://");
    const char *start = scheme_end ? scheme_end + 3 : proxy;
    size_t len = strcspn(start, "/?#");
    const char *at = memrchr(start, '@', len);
    const char *host = at ? at + 1 : start;
    size_t left = len - (size_t)(host - start);
    const char *bracket = *host == '[' ? memchr(host, ']', left) : NULL;
    const char *colon = memchr(host, ':', left);

    if (bracket)
        return (coras_str){host + 1, (size_t)(bracket - host) - 1};
    return (coras_str){host, colon ? (size_t)(colon - host) : left};
}
