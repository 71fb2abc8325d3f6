/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes of connection attempts, as text.
 */
#include "http/dialed.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include "base/alloc.h"

/* "address:port", with port 0 for any; false for a family that nobody dials. */
static bool format(const struct sockaddr *address, bool with_port, char text[CORAS_DIALED_TEXT_MAX])
{
    char host[INET6_ADDRSTRLEN] = "";
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (address->sa_family == AF_INET) {
        memcpy(&in, address, sizeof(in));
        inet_ntop(AF_INET, &in.sin_addr, host, sizeof(host));
        snprintf(text, CORAS_DIALED_TEXT_MAX, "%s:%u", host, with_port ? ntohs(in.sin_port) : 0u);
    } else if (address->sa_family == AF_INET6) {
        memcpy(&in6, address, sizeof(in6));
        inet_ntop(AF_INET6, &in6.sin6_addr, host, sizeof(host));
        snprintf(text, CORAS_DIALED_TEXT_MAX, "[%s]:%u", host,
                 with_port ? ntohs(in6.sin6_port) : 0u);
    }
    return *host;
}

void coras_dialed_add(struct coras_dialed *d, const struct sockaddr *address)
{
    char text[CORAS_DIALED_TEXT_MAX];

    if (!format(address, true, text))
        return;
    if (d->len < CORAS_DIALED_MAX)
        d->len++;
    memcpy(d->items[d->len - 1], text, sizeof(text));
}

const char *coras_dialed_last(const struct coras_dialed *d)
{
    return d->len ? d->items[d->len - 1] : "";
}

/* What was tried at this address, at any port; NULL when nothing was. */
static const char *find(const struct coras_dialed *d, const struct sockaddr *address)
{
    char text[CORAS_DIALED_TEXT_MAX];

    if (!format(address, false, text))
        return NULL;
    size_t len = strlen(text) - 1; /* up to and with the colon */
    for (size_t i = 0; i < d->len; i++)
        if (strncmp(d->items[i], text, len) == 0)
            return d->items[i];
    return NULL;
}

const char *coras_dialed_named(const struct coras_dialed *d, coras_str host)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    coras_auto_free char *name = NULL;
    struct addrinfo *list = NULL;
    const char *named = d->items[0];

    if (d->len < 2 || !(name = coras_strndup(host.ptr, host.len)) ||
        getaddrinfo(name, NULL, &hints, &list) != 0)
        return named;
    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        const char *found = find(d, a->ai_addr);
        if (found) {
            named = found;
            break;
        }
    }
    freeaddrinfo(list);
    return named;
}
