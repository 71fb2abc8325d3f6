/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A credential as found in a store, with the place it came from (for hints).
 */
#ifndef CORAS_AUTH_CREDENTIAL_H
#define CORAS_AUTH_CREDENTIAL_H

#include "base/alloc.h"

typedef struct coras_cred {
    char *username;
    char *password;
    char *refresh_token; /* identity token */
    char *access_token;  /* registry token: a bearer token as it is */
    bool spare;          /* from a store that may be wrong: when it is refused, others are asked */
    char *found_in;      /* "file x under key y", "the command line" */
} coras_cred;

void coras_cred_clear(coras_cred *c); /* wipes the secrets */
CORAS_DEFINE_AUTO_VALUE(coras_cred, coras_cred_clear)
bool coras_cred_is_empty(const coras_cred *c);
CORAS_MUST_CHECK int coras_cred_copy(const coras_cred *from, coras_cred *to, coras_error **err);
/* "Basic …", wiped by the caller; NULL without user name and password or memory. */
char *coras_cred_basic(const coras_cred *c);

/* Key of a registry in docker's files: Docker Hub has a special one. Borrowed. */
const char *coras_cred_key(const char *registry);

#endif
