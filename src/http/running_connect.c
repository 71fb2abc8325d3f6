/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which addresses a connection may go to. The check is made where the socket is opened, so that the
 * address that was checked is the one that is used, whatever a name server says next.
 */
#include <errno.h>
#include <sys/socket.h>
#include "base/error.h"
#include "http/origin_policy.h"
#include "http/running.h"

static int refuse(struct coras_running *x, const char *prefix)
{
    return coras_fail(&x->error, CORAS_ERR_UNTRUSTED_ORIGIN,
                      "%s host \"%.*s\" resolves to %s, in blocked prefix %s", x->ex->guarded,
                      (int)x->url.host.len, x->url.host.ptr, coras_dialed_last(&x->dialed), prefix);
}

/* 0 when this address may be talked to. */
static int check_address(struct coras_running *x, const struct sockaddr *address)
{
    if (!x->ex->guarded || coras_proxy_for(x->http->config.environment, &x->url))
        return 0; /* a proxy decides for itself what it reaches */
    const char *prefix = coras_address_blocked(address);
    if (prefix)
        return refuse(x, prefix);
    if (!x->ex->guard_private || !coras_address_private(address))
        return 0;
    int rc = refuse(x, "of private networks");
    coras_advise(&x->error, CORAS_HINT_PRIVATE_TOKEN_SERVICE);
    return rc;
}

/* Every connection is made here, so the address that was checked is the one that is used. */
curl_socket_t coras_running_on_open_socket(void *user, curlsocktype purpose,
                                           struct curl_sockaddr *address)
{
    struct coras_running *x = user;

    if (purpose != CURLSOCKTYPE_IPCXN)
        return CURL_SOCKET_BAD;
    coras_dialed_add(&x->dialed, &address->addr);
    if (x->rc == 0)
        x->rc = check_address(x, &address->addr);
    if (x->rc < 0)
        return CURL_SOCKET_BAD;
    x->opened = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    x->socket_errno = x->opened < 0 ? errno : 0;
    return x->opened;
}
