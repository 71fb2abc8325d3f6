/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Authentication towards one registry: what it asked for so far, the tokens it accepts. Nothing is
 * sent before a challenge was seen; afterwards requests carry what the last challenge wanted.
 */
#ifndef CORAS_AUTH_AUTH_H
#define CORAS_AUTH_AUTH_H

#include <pthread.h>
#include "base/map.h"
#include "auth/challenge.h"
#include "auth/credentials.h"
#include "http/send.h"

enum coras_auth_scheme { CORAS_AUTH_NONE = 0, CORAS_AUTH_BASIC, CORAS_AUTH_BEARER };

/* A registry that a client talks to. Lives as long as the client. */
typedef struct coras_auth {
    const struct coras_sender *sender; /* const */
    coras_credentials *credentials;    /* const; NULL: `fixed` is the credential */
    coras_cred fixed;                  /* const; for login */
    char *registry;                    /* const; as typed */
    struct coras_origin origin;        /* const but for its own atomic */

    pthread_mutex_t lock;   /* for what follows; held for look-ups, never across I/O */
    pthread_cond_t changed; /* a token fetch has ended */
    enum coras_auth_scheme scheme;
    char *realm, *service;
    coras_map *tokens;           /* cleaned scopes -> struct coras_token */
    struct coras_origin *secure; /* see upgrade.h; NULL or the same for good */
    coras_map *wider;            /* wanted scopes -> scopes that the registry asked for (char *) */
} coras_auth;

CORAS_MUST_CHECK int coras_auth_new(const struct coras_sender *sender,
                                    coras_credentials *credentials, const char *registry,
                                    const char *base_url, coras_auth **ret, coras_error **err);
void coras_auth_free(coras_auth *a);
CORAS_DEFINE_AUTO(coras_auth, coras_auth_free)

/* What one request carries. */
typedef struct coras_grant {
    enum coras_auth_scheme scheme;
    char *header; /* value of Authorization; NULL: none */
    char *scopes; /* key of the token */
    bool fresh;   /* fetched for this request: a 401 now is final */
} coras_grant;
void coras_grant_clear(coras_grant *g);
CORAS_DEFINE_AUTO_VALUE(coras_grant, coras_grant_clear)

/* The grant to begin with, from what is known about the registry. */
CORAS_MUST_CHECK int coras_auth_begin(coras_auth *a, const coras_request *req, coras_grant *ret,
                                      coras_error **err);
/*
 * After a 401 (or a 403 with insufficient_scope): 1 when *grant was replaced by a better one and
 * the request is worth repeating, 0 when the refusal stands.
 */
CORAS_MUST_CHECK int coras_auth_answer(coras_auth *a, const coras_request *req,
                                       const coras_response *refusal, coras_grant *grant,
                                       coras_error **err);

/* The credential in use, for hints; empty when there is none. */
CORAS_MUST_CHECK int coras_auth_credential(coras_auth *a, const coras_request *req, coras_cred *ret,
                                           coras_error **err);

#endif
