/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where credentials are looked for, in order: those given with the options; the registry-config
 * files, or without them what the environment names: its auth_file, docker's config.json, the
 * containers tools' auth.json.
 */
#ifndef CORAS_AUTH_CREDENTIALS_H
#define CORAS_AUTH_CREDENTIALS_H

#include "base/cancel.h"
#include "base/environment.h"
#include "coras/client.h"
#include "auth/credential.h"

typedef struct coras_credentials coras_credentials;

/* Reads docker's files, so that a broken one is reported before the first request. The environment
 * of the options is borrowed. */
CORAS_MUST_CHECK int coras_credentials_new(const coras_client_options *opts,
                                           coras_credentials **ret, coras_error **err);
void coras_credentials_free(coras_credentials *c);
CORAS_DEFINE_AUTO(coras_credentials, coras_credentials_free)

/*
 * The credential for a registry (and a repository of it, for auth.json's namespaced keys; may be
 * NULL). An empty one when there is none. Helpers are asked once per registry and reading of
 * the files.
 */
CORAS_MUST_CHECK int coras_credentials_get(coras_credentials *c, const char *registry,
                                           const char *repository, coras_cred *ret,
                                           coras_error **err);
/*
 * Read the files again, for a process that outlives what stands in them; helpers are asked anew,
 * too. When one cannot be understood, what was read before stays. 1: there is something that may
 * have changed; 0: no file holds anything.
 */
CORAS_MUST_CHECK int coras_credentials_reread(coras_credentials *c, coras_error **err);
/* A registry has refused a `spare` one: look-ups go past it from now on, which is told once. */
CORAS_MUST_CHECK int coras_credentials_refuse(coras_credentials *c, const coras_cred *cred,
                                              coras_error **err);
/* Whether the options gave both the same credential, or neither any. */
bool coras_credentials_same_given(const coras_credentials *a, const coras_credentials *b);
/* The single docker file that people should look at; NULL with options' credentials or several. */
const char *coras_credentials_file(const coras_credentials *c);

/* Whether docker's files can all be understood, for login, which asks none of them. */
CORAS_MUST_CHECK int coras_credentials_check(const coras_credentials *c, coras_error **err);
/* The same without a client, for logout. */
CORAS_MUST_CHECK int coras_credentials_check_files(const char *const *registry_configs,
                                                   const coras_environment *environment,
                                                   coras_error **err);

/* The file that login writes. New string. */
CORAS_MUST_CHECK int coras_credentials_write_path(const coras_credentials *c, char **ret,
                                                  coras_error **err);
/* The same without a client, for logout. */
CORAS_MUST_CHECK int coras_credentials_find_write_path(const char *const *registry_configs,
                                                       const coras_environment *environment,
                                                       char **ret, coras_error **err);

#endif
