/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth.json of the containers tools (podman, skopeo): like docker's file, but its keys may go down
 * to a namespace or repository, and there is no store for everything.
 */
#ifndef CORAS_AUTH_CONTAINERS_AUTH_H
#define CORAS_AUTH_CONTAINERS_AUTH_H

#include "auth/docker_config.h"

/* As coras_dockerconfig_get_longest(), but asks the helper when there is one for the host;
 * NOT_FOUND when that is not installed. */
CORAS_MUST_CHECK int coras_authjson_get(const coras_dockerconfig *file, const char *registry,
                                        const char *repository, const coras_strlist *refused,
                                        const coras_cancel *cancel, coras_cred *ret,
                                        coras_error **err);

#endif
