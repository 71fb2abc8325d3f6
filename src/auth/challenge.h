/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WWW-Authenticate (RFC 9110 11.6.1): pure parser. Garbage costs the challenge that it is in, not
 * the others.
 */
#ifndef CORAS_AUTH_CHALLENGE_H
#define CORAS_AUTH_CHALLENGE_H

#include "base/str.h"

typedef struct coras_challenge {
    char *scheme; /* lower case */
    struct coras_challenge_param {
        char *name; /* lower case */
        char *value;
    } * items;
    size_t len, cap;
} coras_challenge;

typedef struct coras_challenges {
    coras_challenge *items;
    size_t len, cap;
} coras_challenges;
void coras_challenges_clear(coras_challenges *l);
CORAS_DEFINE_AUTO_VALUE(coras_challenges, coras_challenges_clear)

/* Append what one header line offers; a line or list beyond the limits is ignored. */
CORAS_MUST_CHECK int coras_challenges_parse(const char *header, coras_challenges *l,
                                            coras_error **err);
/* First parameter of that (lower-case) name; NULL when absent. */
const char *coras_challenge_get(const coras_challenge *c, const char *name);
/* First challenge of that (lower-case) scheme; NULL when absent. */
const coras_challenge *coras_challenges_find(const coras_challenges *l, const char *scheme);

#endif
