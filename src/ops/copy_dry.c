/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a graph a copy takes, and what it would move: the plan, filled by several workers, and a
 * destination that is not there.
 */
#include "ops/copy_dry.h"

#include "base/alloc.h"
#include "base/error.h"

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

int coras_copy_wants(coras_choosing *choosing, struct coras_copy_dry *dry, const coras_manifest *m,
                     const coras_descriptor *desc, bool *ret, coras_error **err)
{
    coras_auto_free char *path = NULL;

    *ret = !coras_media_type_is_foreign_layer(desc->media_type);
    if (!*ret || (m->has_config && desc == &m->config) || coras_descriptor_is_empty(desc, false) ||
        coras_media_type_is_manifest(desc->media_type))
        return 0;
    CORAS_TRY(coras_content_path(desc, &path, err));
    *ret = coras_choose(choosing, path, desc);
    return *ret || !dry ? 0 : coras_copy_plan(dry, desc, CORAS_PLAN_SKIP, 0, err);
}

int coras_copy_check_destination(const coras_choosing *choosing, const coras_target *to,
                                 coras_error **err)
{
    if (!coras_choosing_is_choosy(choosing) || to->ops->set_part)
        return 0;
    return coras_fail(err, CORAS_ERR_UNSUPPORTED,
                      "only an OCI layout holds a part of an artifact: a registry refuses a "
                      "manifest whose content is missing");
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
