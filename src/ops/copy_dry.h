/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy that takes a part only, or only tells what it would move.
 */
#ifndef CORAS_OPS_COPY_DRY_H
#define CORAS_OPS_COPY_DRY_H

#include <pthread.h>

#include "oci/manifest.h"
#include "ops/choosing.h"
#include "ops/plan.h"
#include "target/target.h"

struct coras_copy_dry {
    pthread_mutex_t lock;
    coras_plan plan; /* under lock */
};

void coras_copy_dry_init(struct coras_copy_dry *dry);
void coras_copy_dry_clear(struct coras_copy_dry *dry);
/* The caller's plan becomes ours. */
void coras_copy_dry_take(struct coras_copy_dry *dry, coras_plan *ret);

/* One more content, of which so many bytes would move. Any thread. */
CORAS_MUST_CHECK int coras_copy_plan(struct coras_copy_dry *dry, const coras_descriptor *desc,
                                     enum coras_plan_action action, int64_t bytes,
                                     coras_error **err);

/* Whether content of a manifest is to be copied: a choice is among what the manifest lists, not of
 * what it is made of. What is left is told to `dry`, which may be NULL. */
CORAS_MUST_CHECK int coras_copy_wants(coras_choosing *choosing, struct coras_copy_dry *dry,
                                      const coras_manifest *m, const coras_descriptor *desc,
                                      bool *ret, coras_error **err);

/* Whether the destination may hold a part; asked before anything else is, since a registry refuses
 * a manifest at the very end. UNSUPPORTED. */
CORAS_MUST_CHECK int coras_copy_check_destination(const coras_choosing *choosing,
                                                  const coras_target *to, coras_error **err);

/* A destination that has nothing, for one that does not exist yet. Static, for a dry run alone. */
coras_target *coras_nothing_target(void);

#endif
