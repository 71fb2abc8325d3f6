/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bearer tokens: the request to the token service, and the cache with one fetch at a time per
 * registry and scopes.
 */
#ifndef CORAS_AUTH_TOKEN_H
#define CORAS_AUTH_TOKEN_H

#include "auth/auth.h"

struct coras_token;
void coras_token_release(void *token); /* for the map */

/*
 * The token for the cleaned, blank-joined scopes; one that equals `rejected` (may be NULL) is
 * replaced. *ret_fresh: it was fetched during this call. Threads that want the same wait for one
 * fetch.
 */
CORAS_MUST_CHECK int coras_token_get(coras_auth *a, const coras_request *req, const char *scopes,
                                     const char *rejected, char **ret, bool *ret_fresh,
                                     coras_error **err);

/* What a token service answered. */
struct coras_token_reply {
    char *token;
    int64_t expires_in_s;
};
/* Pure; UNAUTHORIZED when there is no usable token in it. */
CORAS_MUST_CHECK int coras_token_parse(coras_str body, int64_t wall_s,
                                       struct coras_token_reply *ret, coras_error **err);

#endif
