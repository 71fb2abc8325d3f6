/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client: everything above HTTP and authentication that one user's requests share: the scheme
 * rules, credentials, tokens, and what was learnt of a host.
 *
 * client.h: one authenticated, retried exchange with a registry.
 */
#ifndef CORAS_CLIENT_CLIENT_H
#define CORAS_CLIENT_CLIENT_H

#include "coras/client.h"
#include "http/message.h"

CORAS_DEFINE_AUTO(coras_client, coras_client_free)

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

/*
 * The registry's base URL "https://host[:port]" by the client's scheme rules; docker.io becomes
 * registry-1.docker.io. New string.
 */
CORAS_MUST_CHECK int coras_client_base_url(coras_client *client, const char *registry, char **ret,
                                           coras_error **err);
/* Whether both speak for the same user as far as their options say. */
bool coras_client_same_user(const coras_client *a, const coras_client *b);
/* Whether the registry is on this machine, and so shares its processors, as far as is known. */
bool coras_client_is_here(coras_client *client, const char *registry);
coras_cancel *coras_client_cancel(const coras_client *client); /* may be NULL */
/* Read the files of credentials again: 1, or 0 when there are none. */
CORAS_MUST_CHECK int coras_client_reread_credentials(coras_client *client, coras_error **err);
/* What may be forgotten is kept there; NULL: nowhere. */
const char *coras_client_cache_dir(const coras_client *client);
/* Have the client's exchanges counted; before the first. */
void coras_client_set_observer(coras_client *client, const coras_observer *observer);
enum coras_referrers_mode coras_client_referrers_mode(const coras_client *client);

#endif
