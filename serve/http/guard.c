/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is refused whoever asks: requests that a web page made its reader's browser send, and bodies
 * that would not mean what they say.
 */
#include "serve/http/guard.h"

#include "serve/api/errors.h"

/* ---- where a request comes from ---- */

/* The name that the client knows us by. Spec: RFC 9112 3.2.2, the target's counts before Host. */
static const char *host_of(const struct serve_exchange *x)
{
    return x->authority ? x->authority : serve_exchange_header(x, "Host");
}

static bool is_name(const char *host, size_t len, const char *name)
{
    return strlen(name) == len && strncasecmp(host, name, len) == 0;
}

static bool is_name_of_ours(const struct serve_exchange *x, const char *host, size_t len)
{
    const coras_strlist *names = &x->registry->options.hosts;

    if (is_name(host, len, "localhost") ||
        (len > 10 && strncasecmp(host + len - 10, ".localhost", 10) == 0))
        return true;
    for (size_t i = 0; i < names->len; i++) {
        if (is_name(host, len, names->items[i]))
            return true;
    }
    return false;
}

/*
 * A web page must not reach a registry on this machine under a name of its own (DNS rebinding):
 * bound to loopback and open to everybody, only names of loopback and those that were given are
 * answered. Where there are passwords, the page has none.
 */
static bool host_is_ours(struct serve_exchange *x)
{
    const char *host = host_of(x);
    size_t len;

    if (!x->registry->loopback_only || serve_access_has_users(x->registry->access) || !host ||
        !*host)
        return true;
    len = strcspn(host, ":");
    if (host[0] == '[' || strspn(host, "0123456789.") == len)
        return true; /* an address: no name that somebody else could point here */
    if (is_name_of_ours(x, host, len))
        return true;
    serve_answer_error_status(x, 421, SERVE_API_DENIED,
                              "this registry answers to localhost only; coras serve --host names "
                              "others",
                              NULL);
    return false;
}

/*
 * A web page may send a POST anywhere without asking, though it cannot read the answer: what it
 * changed would stay. Browsers say which page a request comes from; registry clients say nothing.
 */
static bool page_is_ours(struct serve_exchange *x)
{
    const char *site = serve_exchange_header(x, "Sec-Fetch-Site");
    const char *origin = serve_exchange_header(x, "Origin");
    const char *host = host_of(x);
    const char *authority = origin ? strstr(origin, "://") : NULL;
    bool ours = !origin || (authority && host && coras_str_ieq(authority + 3, host));

    if (site)
        ours = coras_streq(site, "same-origin") || coras_streq(site, "none");
    if (ours || x->method == SERVE_GET || x->method == SERVE_HEAD)
        return true;
    serve_answer_error(x, SERVE_API_DENIED, "web pages of other sites may not change anything",
                       NULL);
    return false;
}

bool serve_guard_origin(struct serve_exchange *x)
{
    return host_is_ours(x) && page_is_ours(x);
}

/* ---- what comes with it ---- */

/* Headers that would change what the body means. */
bool serve_guard_body(struct serve_exchange *x)
{
    const char *encoding = serve_exchange_header(x, "Content-Encoding");
    const char *expect = serve_exchange_header(x, "Expect");

    if (encoding && *encoding && !coras_str_ieq(encoding, "identity")) {
        serve_answer_error_status(x, 415, SERVE_API_UNSUPPORTED,
                                  "encoded request bodies are not supported", NULL);
        return false;
    }
    if (expect && !coras_str_ieq(expect, "100-continue")) {
        serve_answer_error_status(x, 417, SERVE_API_UNSUPPORTED, "unknown expectation", NULL);
        return false;
    }
    return true;
}
