/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs of http and https. The grammar is narrower than RFC 3986 on purpose: what our parser takes,
 * libcurl's reads the same way, so that a check here cannot be by-passed by a difference there.
 */
#ifndef CORAS_HTTP_URL_H
#define CORAS_HTTP_URL_H

#include "base/buf.h"
#include "base/str.h"

/* A parsed URL: views into the text it was made from. */
typedef struct coras_url {
    const char *text; /* the whole */
    bool https;
    coras_str host; /* without brackets */
    bool ipv6;      /* host is an IPv6 literal (was in brackets) */
    int port;       /* effective: the scheme's default when absent */
    bool has_port;
    coras_str authority; /* host[:port] as written */
    coras_str path;      /* starts with '/', or empty */
    coras_str query;     /* without '?'; ptr NULL when absent */
} coras_url;

/* PROTOCOL when `text` is no absolute http(s) URL, has user-info, or holds bytes that need
 * encoding. */
CORAS_MUST_CHECK int coras_url_parse(const char *text, coras_url *ret, coras_error **err);
/* Same scheme, host and effective port. */
bool coras_url_origin_equal(const coras_url *a, const coras_url *b);
/* The host compared without case. */
bool coras_url_host_is(const coras_url *url, const char *host);
/* "host:port" with the effective port and brackets where needed. */
void coras_url_put_dial(coras_buf *b, const coras_url *url);

/*
 * The URL as messages and logs show it. For people only secret-looking query values are replaced by
 * REDACTED; for logs all values are, and the keys are sorted.
 */
void coras_url_put_for_message(coras_buf *b, const char *url);
void coras_url_put_for_log(coras_buf *b, const char *url);

/* A copy of the text with its parts. New string. */
CORAS_MUST_CHECK int coras_url_copy(const coras_url *from, char **ret_text, coras_url *ret,
                                    coras_error **err);
/* RFC 3986 resolution of `ref` against `base`; PROTOCOL when the result is no http(s) URL. New
 * string. */
CORAS_MUST_CHECK int coras_url_join(const coras_url *base, const char *ref, char **ret_text,
                                    coras_url *ret, coras_error **err);
/* The same of texts; PROTOCOL when the result is no http(s) URL. New
 * string. */
CORAS_MUST_CHECK int coras_url_resolve(const char *base, const char *ref, char **ret,
                                       coras_error **err);
/* Percent-encode for a query value. */
void coras_url_put_query(coras_buf *b, const char *s);

#endif
