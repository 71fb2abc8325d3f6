/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operation would move.
 */
#include "ops/plan.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/vec.h"
#include "oci/descriptor.h"

int coras_plan_add(coras_plan *plan, const char *path, const coras_descriptor *desc,
                   enum coras_plan_action action, coras_error **err)
{
    coras_auto_free char *name = path ? coras_strdup(path) : NULL;
    coras_planned item = {.desc = CORAS_DESCRIPTOR_INIT, .action = action};

    if ((path && !name) || coras_vec_grow(plan, 1) < 0)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_descriptor_copy(&item.desc, desc, err));
    item.path = coras_steal(&name);
    plan->items[plan->len++] = item;
    return 0;
}

void coras_plan_count(coras_plan *plan, int64_t bytes)
{
    if (__builtin_add_overflow(plan->bytes, bytes, &plan->bytes))
        plan->bytes = INT64_MAX;
}

void coras_plan_clear(coras_plan *plan)
{
    for (size_t i = 0; i < plan->len; i++) {
        free(plan->items[i].path);
        coras_descriptor_clear(&plan->items[i].desc);
    }
    free(plan->items);
    *plan = (coras_plan){0};
}
