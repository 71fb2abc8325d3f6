/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of coras/environment.h the layers above need: copies that outlive the caller's record.
 */
#ifndef CORAS_BASE_ENVIRONMENT_H
#define CORAS_BASE_ENVIRONMENT_H

#include "base/common.h"
#include "coras/environment.h"

CORAS_DEFINE_AUTO(coras_environment, coras_environment_free)

/* A copy with strings of its own; `from` may be NULL: then of one that knows nothing. */
CORAS_MUST_CHECK int coras_environment_dup(const coras_environment *from, coras_environment **ret,
                                           coras_error **err);
/* What a service manager said to the process that it started. Spec: sd_listen_fds(3), sd_notify(3),
 * sd_watchdog_enabled(3). What was said to another process does not count. */
struct coras_service_environment {
    const char *notify_socket; /* NULL: none; borrowed from the environment */
    int64_t watchdog_ms;       /* 0: none */
    int sockets;
};
void coras_environment_service(struct coras_service_environment *ret);
/* What the tools of Amazon's stores are told; borrowed from the environment, NULL: not set. */
struct coras_store_environment {
    const char *key_id, *secret, *token;
    char *credentials_file; /* owned; where these would be; NULL: nobody knows */
    const char *profile;    /* in that file */
};
/* False: no memory. */
CORAS_MUST_CHECK bool coras_environment_store(struct coras_store_environment *ret);
/* Whose files are looked at; borrowed from the environment, NULL: not set. */
struct coras_account_environment {
    const char *home;
    const char *registries_conf; /* of podman and its kin, in place of the usual one */
};
void coras_environment_account(struct coras_account_environment *ret);
/* The given one, or one that knows nothing in place of NULL. */
const coras_environment *coras_environment_or_none(const coras_environment *given);

#endif
