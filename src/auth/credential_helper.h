/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credential helpers: programs docker-credential-NAME that keep secrets elsewhere. One word on the
 * command line, everything else through pipes; their time and output are bounded. Each function
 * fails with NOT_FOUND when the program is not installed.
 */
#ifndef CORAS_AUTH_CREDENTIAL_HELPER_H
#define CORAS_AUTH_CREDENTIAL_HELPER_H

#include "base/cancel.h"
#include "auth/credential.h"

/* 1 and *ret set; 0 when the helper has none for that key. */
CORAS_MUST_CHECK int coras_helper_get(const char *name, const char *key, const coras_cancel *cancel,
                                      coras_cred *ret, coras_error **err);
CORAS_MUST_CHECK int coras_helper_store(const char *name, const char *key, const coras_cred *cred,
                                        const coras_cancel *cancel, coras_error **err);
CORAS_MUST_CHECK int coras_helper_erase(const char *name, const char *key,
                                        const coras_cancel *cancel, coras_error **err);

#endif
