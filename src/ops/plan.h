/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filling a plan (coras/plan.h).
 */
#ifndef CORAS_OPS_PLAN_H
#define CORAS_OPS_PLAN_H

#include "base/common.h"
#include "coras/plan.h"

CORAS_DEFINE_AUTO_VALUE(coras_plan, coras_plan_clear)

/* One more item, with copies of what it is told. The caller counts the bytes, since it knows what
 * moves once for several names. */
CORAS_MUST_CHECK int coras_plan_add(coras_plan *plan, const char *path,
                                    const coras_descriptor *desc, enum coras_plan_action action,
                                    coras_error **err);

/* Bytes that would be moved; a sum that no number holds is the largest one. */
void coras_plan_count(coras_plan *plan, int64_t bytes);

#endif
