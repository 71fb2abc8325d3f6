/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exchange: one request to one URL, one answer. No retry, no redirect, no credentials of its
 * own. Connections are kept and reused: each thread that sends takes a handle from a stack and puts
 * it back, so that the handle with a connection to the same host is used again.
 */
#ifndef CORAS_HTTP_HTTP_H
#define CORAS_HTTP_HTTP_H

#include "base/environment.h"
#include "http/origin_policy.h"
#include "http/response.h"
#include "http/url.h"

struct coras_http_config {
    bool insecure;
    const char *ca_file; /* NULL: the system's; likewise for the others */
    const char *cert_file, *key_file;
    const coras_environment *environment; /* borrowed: proxies, authorities; NULL: none */
    const coras_strlist *connect_to;      /* libcurl's "host:port:address:port" */
    int stall_timeout_s;
    int answer_timeout_s; /* silence allowed before the answer to a request with or for content */
    const coras_cancel *cancel;
};

typedef struct coras_http coras_http;
/* The strings are copied; connect_to is borrowed. Loads nothing, connects nothing. */
CORAS_MUST_CHECK int coras_http_new(const struct coras_http_config *config, coras_http **ret,
                                    coras_error **err);
void coras_http_free(coras_http *http);
CORAS_DEFINE_AUTO(coras_http, coras_http_free)

struct coras_exchange {
    const char *method;
    const coras_url *url;
    const coras_header_list *headers; /* all of them; none is added but Host and Content-Length */
    const coras_request *request;     /* body, sink, limits */
    bool send_body;                   /* false: the request's body is not part of this exchange */
    bool own_origin;                  /* the client certificate may be shown */
    const char *guarded;              /* role ("redirect target") whose address must not be blocked;
                                         NULL: any */
    bool guard_private;               /* with `guarded`: nor lie in a private network */
};

/* What the caller of a failed exchange must know. */
struct coras_exchange_end {
    int64_t sink_bytes;   /* body bytes that the sink had taken: > 0 forbids to repeat */
    enum coras_zone peer; /* where the other end was; UNKNOWN without a connection of our own */
    int64_t answered_ms;  /* when its status came, on the monotonic clock; 0: none came */
    bool callers_own;     /* the error came from the request's sink, source or accept function */
};

/* Errors are bare causes ("dial tcp …"); coras_http_wrap() puts method and URL in front. */
CORAS_MUST_CHECK int coras_http_exchange(coras_http *http, const struct coras_exchange *ex,
                                         coras_response **ret, struct coras_exchange_end *end,
                                         coras_error **err);

#endif
