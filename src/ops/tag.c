/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Further names for a manifest.
 */
#include "base/error.h"
#include "base/limits.h"
#include "coras/ops.h"
#include "transfer/parallel.h"

struct tagging {
    coras_run run;
    coras_target *target;
    const char *const *tags;
    size_t count;
    const coras_descriptor *desc;
    coras_descriptor bare;
    coras_buf bytes;
};

static int put_tag(void *user, size_t i, coras_error **err)
{
    struct tagging *t = user;
    int rc = t->target->ops->tag(t->target, &t->bare, t->bytes.ptr, t->tags[i], err);
    if (rc < 0)
        return t->count > 1 ? coras_wrap(err, rc, "failed to tag %s", t->tags[i]) : rc;
    coras_run_post(&t->run, CORAS_EVENT_TAGGED, NULL, 0, t->tags[i]);
    return 0;
}

static int tag_all(struct tagging *t, const char *reference, coras_descriptor *desc,
                   coras_error **err)
{
    CORAS_TRY(coras_target_explain(
        t->target, t->target->ops->fetch_manifest(t->target, reference, NULL, desc, &t->bytes, err),
        reference, err));
    CORAS_TRY(coras_descriptor_set(&t->bare, desc->media_type, &desc->digest, desc->size, err));
    coras_run_post(&t->run, CORAS_EVENT_TAGGING, desc, 0, NULL);
    return coras_run_parallel(&t->run, t->count, put_tag, t, err);
}

int coras_tag(coras_target *target, const char *reference, const char *const *new_tags,
              const coras_run_options *run, coras_descriptor *ret, coras_error **err)
{
    struct tagging t = {
        .target = target, .tags = new_tags, .bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST)};
    coras_descriptor desc = CORAS_DESCRIPTOR_INIT;

    if (!target || !reference || !new_tags)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing argument");
    while (new_tags[t.count])
        t.count++;
    coras_target_will_write(target);
    coras_run_init(&t.run, run);
    int rc = tag_all(&t, reference, &desc, err);
    coras_run_deliver(&t.run);
    coras_run_clear(&t.run);
    coras_descriptor_clear(&t.bare);
    coras_buf_clear(&t.bytes);
    if (rc == 0 && ret)
        *ret = desc;
    else
        coras_descriptor_clear(&desc);
    return rc;
}
