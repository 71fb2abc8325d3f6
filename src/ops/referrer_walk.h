/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that refers to a manifest, level by level: its referrers, theirs, and so on; for an
 * index also the referrers of its manifests.
 */
#ifndef CORAS_OPS_REFERRER_WALK_H
#define CORAS_OPS_REFERRER_WALK_H

#include "base/map.h"
#include "transfer/run.h"
#include "oci/descriptor.h"

struct coras_referrer_walk {
    coras_descriptors found; /* each once, nearest first; without the root */
    coras_descriptors tops;  /* of them and the root, those that nothing refers to */
    coras_map *referred;     /* digests of what something refers to */
};
void coras_referrer_walk_clear(struct coras_referrer_walk *w);

/* `bytes` are the root's; only an index is looked into. The first use of *ret must be zeroed. */
CORAS_MUST_CHECK int coras_walk_referrers(coras_run *run, coras_target *target,
                                          const coras_descriptor *root, const coras_buf *bytes,
                                          struct coras_referrer_walk *ret, coras_error **err);

#endif
