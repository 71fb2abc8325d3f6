/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registry that was asked over http and sends us to https on the same host, where it wants to
 * know who we are. Its requests go to https from then on, and so do its secrets, which http never
 * gets to see.
 */
#ifndef CORAS_AUTH_UPGRADE_H
#define CORAS_AUTH_UPGRADE_H

#include "auth/auth.h"

/* Where the registry is asked: over https once that is known. */
struct coras_origin *coras_auth_current_origin(coras_auth *a);

/*
 * The URL that a request for `asked` goes to: the same, or one at the place where the registry is
 * by now, with *ret_text as its (new) text. *ret_own: it is the registry's own, and may carry a
 * grant.
 */
CORAS_MUST_CHECK int coras_auth_place(coras_auth *a, const coras_url *asked, char **ret_text,
                                      coras_url *ret, bool *ret_own, coras_error **err);

/* After a refusal: 1 when it came from https on the same host, for the same path, and is now where
 * the registry is asked; 0 when not. */
CORAS_MUST_CHECK int coras_auth_upgrade(coras_auth *a, const coras_url *asked,
                                        const coras_response *refusal, coras_error **err);

#endif
