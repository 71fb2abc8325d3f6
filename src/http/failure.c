/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From libcurl's and the system's numbers to an error in Go's words. No word of a message of others
 * decides anything here.
 */
#include "http/failure.h"

#include <errno.h>
#include <netdb.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "gospell/tls_alert.h"
#include "http/curl_api.h"

/* OpenSSL's numbers, whose headers are not wanted here. */
enum {
    VERIFY_UNSPECIFIED = 1, /* also what libcurl says before it knows */
    VERIFY_NOT_YET_VALID = 9,
    VERIFY_EXPIRED = 10,
    VERIFY_SELF_SIGNED_LEAF = 18,
    VERIFY_SELF_SIGNED_CHAIN = 19,
    VERIFY_NO_LOCAL_ISSUER = 20,
    VERIFY_NO_LEAF_SIGNATURE = 21,
    VERIFY_REVOKED = 23,
};

int coras_http_wrap(coras_error **err, int rc, const char *method, const char *url)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;

    for (const char *p = method; *p; p++)
        coras_buf_putc(&text, p > method && coras_is_upper(*p) ? (char)(*p + 'a' - 'A') : *p);
    coras_buf_puts(&text, " \"");
    coras_url_put_for_message(&shown, url);
    coras_buf_puts(&text, shown.ptr);
    coras_buf_putc(&text, '"');
    coras_error_set_url(err, shown.ptr);
    return coras_wrap(err, rc, "%s", text.ptr);
}

static int fail_lookup(const coras_url *url, coras_error **err)
{
    coras_auto_free char *host = coras_strndup(url->host.ptr, url->host.len);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;

    if (!host)
        return coras_fail_no_memory(err);
    /* libcurl does not tell an unknown name from a resolver in trouble; ask once more. */
    int rc = getaddrinfo(host, NULL, &hints, &list);
    if (rc == 0)
        freeaddrinfo(list);
    if (rc == EAI_NONAME) {
        rc = coras_fail(err, CORAS_ERR_CONNECT, "dial tcp: lookup %s: no such host", host);
        coras_advise(err, CORAS_HINT_CHECK_NAME);
        return rc;
    }
    rc = coras_fail(err, CORAS_ERR_CONNECT,
                    "dial tcp: lookup %s: temporary failure in name resolution", host);
    coras_error_set_retryable(err, true);
    coras_advise(err, CORAS_HINT_NAME_SERVER);
    return rc;
}

static int fail_connect(const struct coras_http_failure *f, const coras_url *url, coras_error **err)
{
    coras_auto_buf dial = CORAS_BUF_UNLIMITED;

    if (*f->dial)
        coras_buf_puts(&dial, f->dial);
    else
        coras_url_put_dial(&dial, url);
    if (f->socket_errno) {
        int rc = coras_fail(err, CORAS_ERR_CONNECT, "dial tcp %s: socket: %s", dial.ptr,
                            coras_errno_text(f->socket_errno));
        coras_error_set_retryable(err, true);
        if (f->socket_errno == EMFILE)
            coras_advise(err, CORAS_HINT_OPEN_FILES);
        return rc;
    }
    if (f->through_proxy) {
        int rc = coras_fail(err, CORAS_ERR_CONNECT, "proxyconnect tcp: dial tcp %s: connect: %s",
                            dial.ptr, coras_errno_text(f->os_errno ? f->os_errno : ECONNREFUSED));
        coras_error_set_retryable(err, true);
        coras_error_set_party(err, CORAS_PARTY_PROXY);
        coras_advise(err, CORAS_HINT_PROXY_UNREACHABLE);
        return rc;
    }
    int rc = coras_fail(err, CORAS_ERR_CONNECT, "dial tcp %s: connect: %s", dial.ptr,
                        coras_errno_text(f->os_errno ? f->os_errno : ECONNREFUSED));
    coras_error_set_retryable(err, true);
    coras_advise(err, url->port == 443 && !url->has_port ? CORAS_HINT_CHECK_PORT_OR_USE_PROXY
                                                         : CORAS_HINT_CHECK_PORT);
    return rc;
}

static int fail_timeout(const struct coras_http_failure *f, const coras_url *url, coras_error **err)
{
    coras_auto_buf dial = CORAS_BUF_UNLIMITED;

    if (*f->dial)
        coras_buf_puts(&dial, f->dial);
    else
        coras_url_put_dial(&dial, url);
    int rc = coras_fail(err, CORAS_ERR_TIMEOUT, "dial tcp %s: i/o timeout", dial.ptr);
    coras_error_set_retryable(err, true);
    coras_advise(err, CORAS_HINT_FIREWALL);
    return rc;
}

static int fail_name(const coras_url *url, coras_error **err)
{
    int rc = coras_fail(err, CORAS_ERR_TLS,
                        "tls: failed to verify certificate: x509: certificate is not valid for "
                        "%.*s",
                        (int)url->host.len, url->host.ptr);

    coras_advise(err, CORAS_HINT_CERTIFICATE_NAME);
    return rc;
}

static int fail_certificate(const struct coras_http_failure *f, const coras_url *url,
                            coras_error **err)
{
    const char *why = "certificate signed by unknown authority";

    /* A good certificate, but not that host's: libcurl looks at the name itself, before it notes
     * OpenSSL's verdict. */
    if (f->verify_result <= VERIFY_UNSPECIFIED)
        return fail_name(url, err);
    if (f->verify_result == VERIFY_NOT_YET_VALID || f->verify_result == VERIFY_EXPIRED)
        why = "certificate has expired or is not yet valid";
    else if (f->verify_result == VERIFY_REVOKED)
        why = "certificate has been revoked";
    int rc = coras_fail(err, CORAS_ERR_TLS, "tls: failed to verify certificate: x509: %s", why);
    if (f->verify_result >= VERIFY_SELF_SIGNED_LEAF && f->verify_result <= VERIFY_NO_LEAF_SIGNATURE)
        coras_advise(err, CORAS_HINT_CA_FILE);
    return rc;
}

static int fail_reset(const char *what, coras_error **err)
{
    int rc = coras_fail(err, CORAS_ERR_CONNECT, "%s", what);

    coras_error_set_retryable(err, true);
    return rc;
}

static int fail_proxy(const struct coras_http_failure *f, coras_error **err)
{
    coras_auto_free char *text = coras_escape_dup(f->curl_text);
    bool refused = f->proxy_status == 407;
    int rc = coras_fail(err, refused ? CORAS_ERR_UNAUTHORIZED : CORAS_ERR_CONNECT,
                        "proxyconnect tcp: %s", text ? text : "proxy refused the connection");

    coras_error_set_retryable(err, !refused);
    coras_error_set_party(err, CORAS_PARTY_PROXY);
    coras_advise(err, refused ? CORAS_HINT_PROXY_CREDENTIAL : CORAS_HINT_PROXY_REFUSED);
    return rc;
}

/* The other side has said why it does not want us. */
static int fail_alert(const struct coras_http_failure *f, coras_error **err)
{
    int rc =
        coras_fail(err, CORAS_ERR_TLS, "remote error: tls: %s", coras_go_tls_alert(f->tls.alert));

    if (coras_tls_alert_wants_certificate(f->tls.alert))
        coras_advise(err, CORAS_HINT_CLIENT_CERTIFICATE);
    return rc;
}

static int fail_handshake(const struct coras_http_failure *f, coras_error **err)
{
    if (f->tls.is_http) {
        int rc = coras_fail(err, CORAS_ERR_TLS, "http: server gave HTTP response to HTTPS client");
        coras_advise(err, CORAS_HINT_USE_PLAIN_HTTP);
        return rc;
    }
    if (!f->tls.refused) /* nobody objected: the connection was cut */
        return fail_reset(f->os_errno == ECONNRESET ? "read: connection reset by peer" : "EOF",
                          err);
    coras_auto_free char *text = coras_escape_dup(f->curl_text);
    return coras_fail(err, CORAS_ERR_TLS, "tls: handshake failure: %s", text ? text : "");
}

/* Some servers of HTTPS close on who speaks plain HTTP, where others answer that in 400. */
static int fail_nothing(const struct coras_http_failure *f, coras_error **err)
{
    int rc = fail_reset("EOF", err);

    if (!f->url->https && !f->through_proxy)
        coras_advise(err, CORAS_HINT_USE_TLS);
    return rc;
}

static int fail_other(const struct coras_http_failure *f, coras_error **err)
{
    coras_auto_free char *text = coras_escape_dup(f->curl_text);

    if (!text)
        return coras_fail_no_memory(err);
    switch (f->curl_code) {
    case CURLE_OUT_OF_MEMORY:
        if (f->in_headers) /* what libcurl 7 says of a header line beyond its limit */
            return coras_fail(err, CORAS_ERR_TOO_LARGE, "response headers exceed the limit");
        return coras_fail_no_memory(err);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        return coras_fail(err, CORAS_ERR_PROTOCOL, "malformed HTTP response: %s", text);
    default:
        return coras_fail(err, CORAS_ERR_PROTOCOL, "%s", text);
    }
}

int coras_http_fail(const struct coras_http_failure *f, coras_error **err)
{
    const coras_url *url = f->url;

    if (f->tls.alert)
        return fail_alert(f, err);
    switch (f->curl_code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return fail_lookup(url, err);
    case CURLE_COULDNT_RESOLVE_PROXY: {
        int rc = coras_fail(err, CORAS_ERR_CONNECT, "proxyconnect tcp: dial tcp: no such host");
        coras_error_set_party(err, CORAS_PARTY_PROXY);
        coras_advise(err, CORAS_HINT_CHECK_PROXY);
        return rc;
    }
    case CURLE_COULDNT_CONNECT:
        return fail_connect(f, url, err);
    case CURLE_OPERATION_TIMEDOUT:
        return fail_timeout(f, url, err);
    case CURLE_PEER_FAILED_VERIFICATION:
        return fail_certificate(f, url, err);
    case CURLE_SSL_CONNECT_ERROR:
        return fail_handshake(f, err);
    case CURLE_GOT_NOTHING:
        return fail_nothing(f, err);
    case CURLE_PARTIAL_FILE:
        return fail_reset("unexpected EOF", err);
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
        if (f->proxy_status >= 300)
            return fail_proxy(f, err);
        return fail_reset(f->curl_code == CURLE_RECV_ERROR ? "read: connection reset by peer"
                                                           : "write: broken pipe",
                          err);
    default:
        return fail_other(f, err);
    }
}
