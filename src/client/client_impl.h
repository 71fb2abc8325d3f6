/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's members, for the files that implement coras/client.h and client.h.
 */
#ifndef CORAS_CLIENT_CLIENT_IMPL_H
#define CORAS_CLIENT_CLIENT_IMPL_H

#include "auth/auth.h"
#include "base/environment.h"
#include "client/client.h"
#include "client/host_facts.h"

struct coras_client {
    struct coras_sender sender; /* const after new, like everything down to the lock */
    coras_environment *environment;
    coras_credentials *credentials;
    coras_strlist connect_to;
    int plain_http;
    int stall_timeout_s;
    enum coras_referrers_mode referrers;
    coras_host_table *hosts;

    pthread_mutex_t lock;
    coras_map *registries; /* lock; registry as typed -> coras_auth */
    coras_map *warned;     /* lock; "host\ntext" */
};

/* The state of a registry, made at the first request. Borrowed. */
CORAS_MUST_CHECK int coras_client_registry(coras_client *client, const char *registry,
                                           coras_auth **ret, coras_error **err);
/* coras_client_send with the state given (login brings its own). */
CORAS_MUST_CHECK int coras_client_send_as(coras_client *client, coras_auth *auth,
                                          const coras_request *req, const int *allowed,
                                          coras_response **ret, coras_error **err);
/* What to do about a refusal. */
void coras_client_hint(coras_client *client, coras_auth *auth, const coras_request *req,
                       const coras_response *r, coras_error **err);

#endif
