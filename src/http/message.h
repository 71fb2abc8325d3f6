/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.h: a request and its answer as plain data. No libcurl type is visible above src/http.
 */
#ifndef CORAS_HTTP_MESSAGE_H
#define CORAS_HTTP_MESSAGE_H

#include "base/cancel.h"
#include "base/str.h"
#include "base/stream.h"

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

    bool document; /* with a sink: a manifest, which is understood when a proxy has compressed it
                      (without a sink it always is) */
    bool no_retry; /* one try only; the caller has its own plan (uploads, resumed downloads) */
    bool
        no_foreign_redirect; /* a redirect to another origin is not followed: the 3xx is returned */
    bool small;              /* few bytes come: small buffers do */
    bool one_of_many;     /* one of several connections at work on the same: so do smaller ones */
    bool expect_continue; /* large body: wait up to 1 s for the server's word before sending */

    /* Of a proxy, whose own clients wait meanwhile: the ways that the request has come (RFC 9110
     * 7.6.3), for the origin alone; how many seconds of silence end it, 0: as the client's options
     * say; and the moment by which it must be over with all that belongs to it (monotonic, 0:
     * none). */
    const char *via;
    int silence_s;
    int64_t deadline_ms;
} coras_request;

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
 * Who counts the exchanges of a client. Called on the request's thread after each one, repeated
 * ones too; `answer` is NULL when it failed, and `ms` the time until its status (else its end).
 */
typedef struct coras_observer {
    void (*exchanged)(void *user, const char *method, const coras_response *answer, int64_t ms);
    void *user;
} coras_observer;

#endif
