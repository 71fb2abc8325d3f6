/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a repository is asked when somebody waits behind us: a cache that others use in place of the
 * registry. It asks once and soon knows, it says which ways a request has come, and it passes on
 * the name of the registry that was meant.
 */
#ifndef CORAS_REGISTRY_MANNER_H
#define CORAS_REGISTRY_MANNER_H

#include "http/message.h"
#include "target/target.h"

typedef struct coras_registry_manner {
    const char *via;     /* value of the Via header; NULL: none */
    const char *query;   /* stands in each URL ("ns=ghcr.io"); NULL: none */
    bool once;           /* nothing is tried again in here */
    int silence_s;       /* see coras_request; likewise */
    int64_t deadline_ms; /* of everything that the target is asked */
} coras_registry_manner;

/* For all that a repository is asked from now on; the texts are copied. Before other threads know
 * the target. */
CORAS_MUST_CHECK int coras_registry_behave(coras_target *t, const coras_registry_manner *manner,
                                           coras_error **err);
/* Other limits of time; by the only thread that uses the target. */
void coras_registry_set_limits(coras_target *t, int silence_s, int64_t deadline_ms);

/* Put it into a request. */
void coras_registry_manner_apply(const coras_registry_manner *manner, coras_request *req);

#endif
