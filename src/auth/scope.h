/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Token scopes ("repository:name:pull,push"): joined and brought into one canonical form, so that
 * equal rights have one key in the token cache.
 */
#ifndef CORAS_AUTH_SCOPE_H
#define CORAS_AUTH_SCOPE_H

#include "base/str.h"

/*
 * Group by type and name, unite and sort the actions ("*" swallows the others), drop empty ones,
 * sort. Scopes of an unknown shape stay as they are.
 */
CORAS_MUST_CHECK int coras_scopes_clean(const coras_strlist *in, coras_strlist *out,
                                        coras_error **err);
/* Append the blank-separated scopes of a challenge, whatever their type: the registry knows what it
 * needs. */
CORAS_MUST_CHECK int coras_scopes_add_challenge(coras_strlist *l, const char *text,
                                                coras_error **err);
/* Joined by blanks. */
void coras_scopes_put(coras_buf *b, const coras_strlist *l);
/* The repository of the first scope of that type; NULL when there is none. New string. */
char *coras_scopes_repository(const char *const *scopes);

#endif
