/*
 * net: HTTP as the registry layer sees it. May use oci and base. A request is data; no libcurl type
 * is visible above this layer, and libcurl itself is loaded with the first connection.
 *
 * client.h: one authenticated, retried exchange with a registry.
 */
#ifndef CORAS_NET_CLIENT_H
#define CORAS_NET_CLIENT_H

#include "base/cancel.h"
#include "base/stream.h"
#include "base/str.h"
#include "coras/client.h"

CORAS_DEFINE_AUTO(coras_client, coras_client_free)

typedef struct coras_header {
    const char *name;
    const char *value;
} coras_header;

typedef struct coras_response coras_response;

typedef struct coras_request {
    const char *method; /* "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" */
    const char *url;    /* absolute, http or https */
    /*
     * The registry (host[:port], as typed) that the request belongs to: its credentials, token
     * cache and custom headers apply while the URL is of the registry's own origin; elsewhere the
     * request goes without.
     */
    const char *registry;
    /* Scopes that the operation wants ("repository:x:pull,push"); NULL-terminated, or NULL. */
    const char *const *scopes;
    const coras_header *headers; /* beside what the client sends by itself */
    size_t header_count;

    /*
     * Body: `source` bytes [source_offset, source_offset + body_length). NULL source: none
     * (Content-Length: 0 for POST, PUT, PATCH). Sent with Content-Length, never chunked; read again
     * from source_offset on a retry.
     */
    const coras_source *source;
    int64_t source_offset;
    int64_t body_length;
    void (*sent)(void *user, int64_t bytes); /* body bytes handed over in this try; may be NULL */
    void *sent_user;

    /*
     * Where a successful (2xx) body goes. NULL sink: buffered in the response up to body_limit
     * (0: 64 KiB), TOO_LARGE beyond. With a sink, `accept` (may be NULL) sees status and headers
     * first and may refuse with a negative code and *err set. Bodies of error statuses are always
     * buffered, bounded, and become the error.
     */
    const coras_sink *sink;
    int (*accept)(void *user, const coras_response *resp, coras_error **err);
    void *accept_user;
    size_t body_limit;

    bool no_retry; /* one try only; the caller has its own plan (uploads, resumed downloads) */
    bool
        no_foreign_redirect; /* a redirect to another origin is not followed: the 3xx is returned */
    bool small;              /* metadata: may share a multiplexed connection */
    bool expect_continue;    /* large body: wait up to 1 s for the server's word before sending */
} coras_request;

/*
 * Send. Handles redirects (each hop checked; secrets stay with their origin), 401 challenges
 * (Basic, Bearer with a token cache shared by all threads), retries by the policy in retry.h, stall
 * detection, cancelling, --debug entries.
 *
 * Returns 0 with *ret set for every 2xx and for the statuses in `allowed` (0-terminated; may be
 * NULL), such as 404. Other statuses become an error made from the registry's words: NOT_FOUND for
 * 404, UNAUTHORIZED for 401, DENIED for 403, HTTP otherwise, with
 * coras_error_http_status/host/response set.
 */
CORAS_MUST_CHECK int coras_client_send(coras_client *client, const coras_request *req,
                                       const int *allowed, coras_response **ret, coras_error **err);

int coras_response_status(const coras_response *r);
/* First header of that name (any case), NULL when absent. Valid until the response is freed. */
const char *coras_response_header(const coras_response *r, const char *name);
/* i-th value of that name, NULL past the last. */
const char *coras_response_header_at(const coras_response *r, const char *name, size_t i);
/* Content-Length; -1 when absent. */
int64_t coras_response_length(const coras_response *r);
/* URL that answered, after redirects; and whether it is of another origin than the request's. */
const char *coras_response_url(const coras_response *r);
bool coras_response_is_foreign(const coras_response *r);
/* Buffered body (ptr never NULL). */
coras_str coras_response_body(const coras_response *r);
void coras_response_free(coras_response *r);
CORAS_DEFINE_AUTO(coras_response, coras_response_free)

/* An error made of a response that the caller cannot accept, as coras_client_send makes it. Returns
 * its code. */
int coras_response_to_error(const coras_request *req, const coras_response *r, coras_error **err);

/*
 * The registry's base URL "https://host[:port]" by the client's scheme rules; docker.io becomes
 * registry-1.docker.io. New string.
 */
CORAS_MUST_CHECK int coras_client_base_url(coras_client *client, const char *registry, char **ret,
                                           coras_error **err);
/* Whether both speak for the same user as far as their options say. */
bool coras_client_same_user(const coras_client *a, const coras_client *b);
coras_cancel *coras_client_cancel(const coras_client *client); /* may be NULL */
int coras_client_stall_timeout_s(const coras_client *client);
enum coras_referrers_mode coras_client_referrers_mode(const coras_client *client);

/* RFC 3986 resolution of `ref` against `base`; PROTOCOL when the result is no http(s) URL. New
 * string. */
CORAS_MUST_CHECK int coras_url_resolve(const char *base, const char *ref, char **ret,
                                       coras_error **err);
/* Same scheme, host and effective port. */
bool coras_url_same_origin(const char *a, const char *b);
/* Percent-encode for a query value. */
void coras_url_put_query(coras_buf *b, const char *s);

/*
 * Facts about hosts that layers above learn ("no-patch", "max-body", "referrers"): string to
 * string, in memory, thread-safe. get returns a copy (free) or NULL.
 */
char *coras_client_fact_get(coras_client *client, const char *host, const char *fact);
void coras_client_fact_set(coras_client *client, const char *host, const char *fact,
                           const char *value);

#endif
