/* SPDX-License-Identifier: Apache-2.0 */
/* From "host:port" to a socket that accepts connections. */
#include "serve/http/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/str.h"
#include "serve/http/peer.h"

#define BACKLOG 1024

static int split(const char *where, char **ret_host, char **ret_port, coras_error **err)
{
    const char *colon = strrchr(where, ':');
    coras_str host = {where, colon ? (size_t)(colon - where) : 0};
    int64_t port = 0;

    if (!colon || !coras_parse_int64(coras_str_of(colon + 1), &port) || port > 65535)
        return coras_fail(err, CORAS_ERR_CONFIG, "address %s: expected host:port", where);
    if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = (coras_str){host.ptr + 1, host.len - 2};
    *ret_host = coras_strndup(host.ptr, host.len);
    *ret_port = coras_strdup(colon + 1);
    return *ret_host && *ret_port ? 0 : coras_fail_no_memory(err);
}

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        return (ntohl(in->sin_addr.s_addr) >> 24) == 127;
    }
    return address->ss_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

static int describe(struct serve_listener *l, const char *where, coras_error **err)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    char host[SERVE_PEER_MAX];
    int port;

    if (getsockname(l->fd, (struct sockaddr *)&address, &len) < 0)
        return coras_fail_errno(err, errno, "listen on %s", where);
    serve_peer_address((struct sockaddr *)&address, host);
    if (address.ss_family == AF_INET6)
        port = ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    else
        port = ntohs(((struct sockaddr_in *)&address)->sin_port);
    l->loopback = is_loopback(&address);
    l->address = coras_asprintf(strchr(host, ':') ? "[%s]:%d" : "%s:%d", host, port);
    return l->address ? 0 : coras_fail_no_memory(err);
}

static int bind_one(const struct addrinfo *a, int *ret_fd)
{
    int one = 1, zero = 0;
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);

    if (fd < 0)
        return errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (a->ai_family == AF_INET6) /* "all addresses" means those of IPv4 too */
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
        int saved = errno;
        close(fd);
        return saved;
    }
    *ret_fd = fd;
    return 0;
}

/* Bind the first address of the host that can be had. 0, an errno value, or EAI_* (negative). */
static int bind_family(const char *host, const char *port, int family, int *ret_fd)
{
    struct addrinfo hints = {
        .ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(*host ? host : NULL, port, &hints, &found);
    int failure = EADDRNOTAVAIL;

    if (rc != 0)
        return rc == EAI_SYSTEM ? errno : rc;
    for (const struct addrinfo *a = found; a && *ret_fd < 0; a = a->ai_next)
        failure = bind_one(a, ret_fd);
    freeaddrinfo(found);
    return *ret_fd < 0 ? failure : 0;
}

int serve_listen(const char *where, struct serve_listener *ret, coras_error **err)
{
    coras_auto_free char *host = NULL, *port = NULL;
    struct serve_listener l = SERVE_LISTENER_INIT;
    int rc;

    CORAS_TRY(split(where, &host, &port, err));
    /* ":port" is every address: a socket of IPv6 takes both kinds, where there is IPv6 */
    rc = bind_family(host, port, *host ? AF_UNSPEC : AF_INET6, &l.fd);
    if (rc != 0 && rc != EADDRINUSE && !*host)
        rc = bind_family(host, port, AF_INET, &l.fd);
    if (rc < 0) /* EAI_* are negative, errno values positive */
        return coras_fail(err, CORAS_ERR_CONFIG, "listen on %s: %s", where, gai_strerror(rc));
    if (rc > 0)
        return coras_fail_errno(err, rc, "listen on %s", where);
    rc = describe(&l, where, err);
    if (rc < 0) {
        serve_listener_clear(&l);
        return rc;
    }
    *ret = l;
    return 0;
}

/* No other file may be taken for a socket by mistake. */
static bool is_listening(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof(address), int_len = sizeof(int);
    int listens = 0;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_len) == 0 && listens &&
           getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
           (address.ss_family == AF_INET || address.ss_family == AF_INET6);
}

int serve_listen_inherited(int fd, struct serve_listener *ret, coras_error **err)
{
    struct serve_listener l = {.fd = fd};
    int rc;

    if (!is_listening(fd))
        return coras_fail(err, CORAS_ERR_CONFIG,
                          "descriptor %d, handed over by the service manager, is no listening "
                          "socket of TCP",
                          fd);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        return coras_fail_errno(err, errno, "descriptor %d", fd);
    rc = describe(&l, "the given socket", err);
    if (rc < 0) {
        serve_listener_clear(&l);
        return rc;
    }
    *ret = l;
    return 0;
}

void serve_listener_clear(struct serve_listener *l)
{
    coras_close_fd(&l->fd);
    free(l->address);
    l->address = NULL;
}
