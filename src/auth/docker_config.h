/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Docker's config.json: which helper or entry holds the credential of a registry, and how it is
 * written back.
 */
#ifndef CORAS_AUTH_DOCKER_CONFIG_H
#define CORAS_AUTH_DOCKER_CONFIG_H

#include "base/cancel.h"
#include "base/str.h"
#include "codec/json.h"
#include "auth/credential.h"

typedef struct coras_dockerconfig {
    char *path;
    coras_json *root; /* NULL: missing or empty file */
} coras_dockerconfig;

/* A missing file is an empty one; CONFIG for one that cannot be understood. */
CORAS_MUST_CHECK int coras_dockerconfig_load(const char *path, coras_dockerconfig *ret,
                                             coras_error **err);
void coras_dockerconfig_clear(coras_dockerconfig *c);
CORAS_DEFINE_AUTO_VALUE(coras_dockerconfig, coras_dockerconfig_clear)

/* The helper in charge of the key (credHelpers, then credsStore), borrowed; NULL: none. */
const char *coras_dockerconfig_helper(const coras_dockerconfig *c, const char *key);
/* 1 and *ret set, or 0. Asks the helper when there is one; NOT_FOUND when that is not installed. */
CORAS_MUST_CHECK int coras_dockerconfig_get(const coras_dockerconfig *c, const char *key,
                                            const coras_cancel *cancel, coras_cred *ret,
                                            coras_error **err);
/*
 * The entry with the longest key that names the repository or a part of its name: host/a/b, host/a,
 * host. repository may be NULL; entries whose found_in is in `refused` (may be NULL) do not count.
 * 1 and *ret, or 0.
 */
CORAS_MUST_CHECK int coras_dockerconfig_get_longest(const coras_dockerconfig *c, const char *host,
                                                    const char *repository,
                                                    const coras_strlist *refused, coras_cred *ret,
                                                    coras_error **err);
/* The entry at `auths[key]` of any file of that form; 1 or 0. */
CORAS_MUST_CHECK int coras_dockerconfig_entry(const coras_json *auths, const char *key,
                                              coras_cred *ret, coras_error **err);

/* Write or (cred NULL) delete the key's entry in the file, or through the helper in charge. */
CORAS_MUST_CHECK int coras_dockerconfig_store(const char *path, const char *key,
                                              const coras_cred *cred, const coras_cancel *cancel,
                                              coras_error **err);

#endif
