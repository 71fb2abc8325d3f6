/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An artifact with a subject: prepared from files like any other, pushed without a tag.
 */
#include "coras/attach.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"
#include "ops/artifact.h"

CORAS_DEFINE_AUTO_VALUE(coras_attached, coras_attached_clear)

void coras_attached_clear(coras_attached *attached)
{
    coras_descriptor_clear(&attached->subject);
    coras_descriptor_clear(&attached->manifest);
    free(attached->bytes);
    attached->bytes = NULL;
}

static coras_pack_options pack_options(const coras_attach_options *opts,
                                       const coras_descriptor *subject)
{
    coras_pack_options pack = CORAS_PACK_OPTIONS_INIT;

    if (opts->artifact_type && *opts->artifact_type)
        pack.artifact_type = opts->artifact_type;
    pack.config_path = opts->config_path;
    pack.config_media_type = opts->config_media_type;
    pack.annotations = opts->annotations;
    pack.config_annotations = opts->config_annotations;
    pack.subject = subject;
    pack.follow_links = opts->follow_links;
    return pack;
}

static int resolve_subject(coras_target *target, const char *reference,
                           const coras_platform *platform, coras_descriptor *ret, coras_error **err)
{
    int rc = coras_resolve_platform(target, reference, platform, ret, err);
    return rc < 0 ? coras_wrap(err, rc, "failed to resolve %s", reference) : 0;
}

int coras_attach(coras_target *target, const char *reference, const coras_file *files,
                 size_t file_count, const coras_attach_options *opts, const coras_run_options *run,
                 coras_attached *ret, coras_error **err)
{
    coras_auto_value(coras_attached) attached = CORAS_ATTACHED_INIT;
    coras_auto(coras_artifact) artifact = NULL;
    coras_attach_options known = CORAS_ATTACH_OPTIONS_INIT;

    if (!target || !reference || (!files && file_count) || !opts || !ret)
        return coras_missing_argument(err);
    CORAS_TRY(coras_options_read(&known, sizeof(known), opts, err));
    coras_target_will_write(target); /* before the first look at the subject */
    CORAS_TRY(resolve_subject(target, reference, known.platform, &attached.subject, err));
    const coras_pack_options pack = pack_options(&known, &attached.subject);
    CORAS_TRY(coras_artifact_prepare(files, file_count, &pack, run, &artifact, err));
    if (!known.artifact_type || !*known.artifact_type) /* upstream sees it this late */
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing artifact type");
    CORAS_TRY(
        coras_artifact_push(artifact, target, NULL, run, &attached.manifest, &attached.bytes, err));
    *ret = attached;
    attached = (coras_attached)CORAS_ATTACHED_INIT;
    return 0;
}
