/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between authentication and the wire: composes the headers, repeats what the retry policy allows,
 * follows redirects in our own loop so that secrets stay with their origin.
 */
#ifndef CORAS_HTTP_SEND_H
#define CORAS_HTTP_SEND_H

#include <stdatomic.h>
#include "http/http.h"
#include "http/origin_policy.h"
#include "http/url.h"

/* What is constant over a client's life. */
struct coras_sender {
    coras_observer observer; /* may have no function */
    coras_http *http;
    char *user_agent;
    coras_header_list custom; /* of the user: for a registry's own origin only */
    coras_cancel *cancel;
    bool allow_private_tokens; /* a token service in a private network, named from outside */
};

/* A registry's origin: where its secrets may go. */
struct coras_origin {
    char *base_url;       /* "https://host[:port]" */
    coras_url url;        /* views into base_url */
    atomic_int met;       /* enum coras_zone of the outermost address that it was reached at */
    atomic_int looked_up; /* enum coras_zone + 1 of its name's addresses; 0: not yet */
};

struct coras_send {
    const struct coras_sender *sender;
    const coras_request *request;
    const coras_url *url;         /* of the request */
    struct coras_origin *origin;  /* gets custom headers and the client certificate */
    const char *authorization;    /* header value, or NULL */
    const coras_url *auth_origin; /* gets `authorization`; NULL: `origin` does */
    const char *guarded;          /* "bearer realm": its address must not be blocked; or NULL */
    bool is_token;                /* a body holds secrets: it stays with its origin */
};

void coras_origin_free(struct coras_origin *origin);
/* Where the registry itself is: by the addresses it was reached at; before, and behind a proxy, by
 * its name, which is looked up once. */
enum coras_zone coras_origin_zone(struct coras_origin *origin);
/* The same without looking anything up: UNKNOWN as long as nobody has connected to it directly. */
enum coras_zone coras_origin_met(const struct coras_origin *origin);
/* It was reached at an address there. */
void coras_origin_note(struct coras_origin *origin, enum coras_zone zone);

/* The final answer of any status; a foreign redirect that was not wanted is an answer too. */
CORAS_MUST_CHECK int coras_send_follow(const struct coras_send *s, coras_response **ret,
                                       coras_error **err);

#endif
