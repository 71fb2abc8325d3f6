/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a copy would move: the plan, filled by several workers, and a destination that is not there.
 */
#include "ops/copy_dry.h"

#include "base/alloc.h"
#include "ops/choosing.h"

void coras_copy_dry_init(struct coras_copy_dry *dry)
{
    *dry = (struct coras_copy_dry){.plan = CORAS_PLAN_INIT};
    (void)pthread_mutex_init(&dry->lock, NULL); /* cannot fail with default attributes */
}

void coras_copy_dry_clear(struct coras_copy_dry *dry)
{
    coras_plan_clear(&dry->plan);
    (void)pthread_mutex_destroy(&dry->lock);
}

void coras_copy_dry_take(struct coras_copy_dry *dry, coras_plan *ret)
{
    *ret = dry->plan;
    dry->plan = (coras_plan)CORAS_PLAN_INIT;
}

int coras_copy_plan(struct coras_copy_dry *dry, const coras_descriptor *desc,
                    enum coras_plan_action action, int64_t bytes, coras_error **err)
{
    coras_auto_free char *path = NULL;

    CORAS_TRY(coras_content_path(desc, &path, err));
    (void)pthread_mutex_lock(&dry->lock);
    int rc = coras_plan_add(&dry->plan, path, desc, action, err);
    if (rc == 0)
        coras_plan_count(&dry->plan, bytes);
    (void)pthread_mutex_unlock(&dry->lock);
    return rc;
}

static int nothing_exists(coras_target *t CORAS_UNUSED, const coras_descriptor *desc CORAS_UNUSED,
                          bool *ret, coras_error **err CORAS_UNUSED)
{
    *ret = false;
    return 0;
}

static int nothing_set_part(coras_target *t CORAS_UNUSED, const coras_descriptor *desc CORAS_UNUSED,
                            bool is_part CORAS_UNUSED, coras_error **err CORAS_UNUSED)
{
    return 0;
}

coras_target *coras_nothing_target(void)
{
    static const coras_target_ops ops = {.kind = "nothing",
                                         .one_store = true,
                                         .exists = nothing_exists,
                                         .set_part = nothing_set_part};
    static coras_target nothing = {.ops = &ops};

    return &nothing;
}
