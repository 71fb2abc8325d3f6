/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which manifest a reference and a platform pick, and what hangs on it.
 */
#include "ops/platform_select.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "coras/ops.h"
#include "oci/digest.h"
#include "oci/manifest.h"
#include "oci/platform.h"

static int fail_not_found(const coras_descriptor *desc, const char *why, coras_error **err)
{
    char text[CORAS_DIGEST_TEXT_MAX];
    return coras_fail(err, CORAS_ERR_NOT_FOUND, "%s: not found: %s",
                      coras_digest_format(&desc->digest, text), why);
}

static int select_from_index(const coras_manifest *index, const coras_descriptor *desc,
                             const coras_platform *want, coras_descriptor *ret, coras_error **err)
{
    const coras_descriptor *entry = coras_manifest_find_platform(index, want);
    if (entry)
        return coras_descriptor_copy(ret, entry, err);
    return fail_not_found(desc, "no matching manifest was found in the manifest list", err);
}

static int platform_of_config(coras_target *target, const coras_descriptor *config,
                              coras_platform *ret, coras_error **err)
{
    coras_auto_buf bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    coras_auto(coras_json) json = NULL;
    CORAS_TRY(coras_target_fetch_verified(target, config, CORAS_LIMIT_MANIFEST, &bytes, err));
    CORAS_TRY(coras_json_parse(bytes.ptr, bytes.len, &json, err));
    return coras_platform_from_json(json, "config", ret, err);
}

static int check_image(coras_target *target, const coras_manifest *m, const coras_descriptor *desc,
                       const coras_platform *want, coras_error **err)
{
    const char *type =
        m->kind == CORAS_KIND_DOCKER_IMAGE ? CORAS_MT_DOCKER_CONFIG : CORAS_MT_OCI_CONFIG;
    coras_auto_value(coras_platform) have = {0};

    if (!coras_streq(m->config.media_type, type)) {
        coras_auto_free char *shown = coras_escape_dup(m->config.media_type);
        return coras_fail(
            err, CORAS_ERR_UNSUPPORTED,
            "fail to recognize platform from unknown config %s: expect %s: unsupported",
            shown ? shown : "", type);
    }
    CORAS_TRY(platform_of_config(target, &m->config, &have, err));
    if (!coras_platform_matches(&have, want))
        return fail_not_found(desc, "platform in manifest does not match target platform", err);
    return 0;
}

static int fail_unsupported(const coras_descriptor *desc, coras_error **err)
{
    coras_auto_free char *shown = coras_escape_dup(desc->media_type);
    char text[CORAS_DIGEST_TEXT_MAX];

    return coras_fail(err, CORAS_ERR_UNSUPPORTED, "%s: %s: unsupported",
                      coras_digest_format(&desc->digest, text), shown ? shown : "");
}

/* `bytes` are those of `desc`, before; `*ret_picked` tells whether it became another. */
static int select_platform(coras_target *target, const coras_platform *want, coras_descriptor *desc,
                           const coras_buf *bytes, bool *ret_picked, coras_error **err)
{
    coras_auto_value(coras_manifest) m = {0};
    coras_auto_value(coras_descriptor) picked = CORAS_DESCRIPTOR_INIT;

    if (!coras_media_type_is_manifest(desc->media_type))
        return fail_unsupported(desc, err);
    CORAS_TRY(coras_manifest_parse(bytes->ptr, bytes->len, desc->media_type, &m, err));
    if (coras_kind_is_image(m.kind))
        return check_image(target, &m, desc, want, err);
    if (!coras_kind_is_index(m.kind))
        return fail_unsupported(desc, err);
    CORAS_TRY(select_from_index(&m, desc, want, &picked, err));
    *ret_picked = true;
    coras_descriptor_clear(desc);
    *desc = picked;
    picked = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
    return 0;
}

/* As coras_select_manifest(); the bytes are those of the reference when `*ret_picked` is set. */
static int select_descriptor(coras_target *target, const char *reference,
                             const coras_platform *platform, coras_descriptor *ret,
                             coras_buf *bytes, bool *ret_picked, coras_error **err)
{
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    *ret_picked = false;
    CORAS_TRY(coras_target_explain(
        target, target->ops->fetch_manifest(target, reference, NULL, &desc, bytes, err), reference,
        err));
    if (platform)
        CORAS_TRY(select_platform(target, platform, &desc, bytes, ret_picked, err));
    *ret = desc;
    desc = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
    return 0;
}

int coras_select_manifest(coras_target *target, const char *reference,
                          const coras_platform *platform, coras_descriptor *ret,
                          coras_buf *ret_bytes, coras_error **err)
{
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    bool picked;
    CORAS_TRY(select_descriptor(target, reference, platform, &desc, ret_bytes, &picked, err));
    if (picked) {
        coras_buf_reset(ret_bytes);
        CORAS_TRY(coras_target_fetch_verified(target, &desc, CORAS_LIMIT_MANIFEST, ret_bytes, err));
    }
    *ret = desc;
    desc = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
    return 0;
}

int coras_resolve_platform(coras_target *target, const char *reference,
                           const coras_platform *platform, coras_descriptor *ret, coras_error **err)
{
    coras_auto_buf bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    if (!target || !reference || !ret)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing argument");
    if (!platform)
        return coras_resolve(target, reference, ret, err);
    bool picked; /* the entry of the index says it all: it need not be fetched, nor be there */
    return select_descriptor(target, reference, platform, ret, &bytes, &picked, err);
}

/* The entry of the index stands; the media types are those of the request for its bytes. */
static int fetch_negotiated(coras_target *target, const char *reference,
                            const coras_platform *platform, const char *accept,
                            coras_descriptor *ret, char **ret_bytes, coras_error **err)
{
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    coras_auto_value(coras_descriptor) fetched = CORAS_DESCRIPTOR_INIT;
    char digest[CORAS_DIGEST_TEXT_MAX];

    CORAS_TRY(coras_resolve_platform(target, reference, platform, &desc, err));
    coras_digest_format(&desc.digest, digest);
    CORAS_TRY(coras_fetch_manifest(target, digest, accept, &fetched, ret_bytes, err));
    *ret = desc;
    desc = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
    return 0;
}

int coras_fetch_platform_manifest(coras_target *target, const char *reference,
                                  const coras_platform *platform, const char *accept,
                                  coras_descriptor *ret, char **ret_bytes, coras_error **err)
{
    coras_auto_buf bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;

    if (!target || !reference || !ret || !ret_bytes)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing argument");
    if (accept && platform)
        return fetch_negotiated(target, reference, platform, accept, ret, ret_bytes, err);
    if (!platform)
        return coras_fetch_manifest(target, reference, accept, ret, ret_bytes, err);
    CORAS_TRY(coras_select_manifest(target, reference, platform, &desc, &bytes, err));
    CORAS_TRY(coras_buf_take(&bytes, ret_bytes, err));
    *ret = desc;
    desc = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
    return 0;
}

int coras_resolve_config(coras_target *target, const char *reference,
                         const coras_platform *platform, coras_descriptor *ret, coras_error **err)
{
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    coras_auto_value(coras_manifest) manifest = {0};
    coras_auto_free char *bytes = NULL;
    char digest[CORAS_DIGEST_TEXT_MAX];

    if (!target || !reference || !ret)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing argument");
    CORAS_TRY(coras_fetch_platform_manifest(target, reference, platform, NULL, &desc, &bytes, err));
    if (!coras_kind_is_image(coras_media_type_kind(desc.media_type)))
        return coras_fail(err, CORAS_ERR_UNSUPPORTED,
                          "\"%s\" is not an image manifest and does not have a config",
                          coras_digest_format(&desc.digest, digest));
    CORAS_TRY(coras_manifest_parse(bytes, (size_t)desc.size, desc.media_type, &manifest, err));
    return coras_descriptor_copy(ret, &manifest.config, err);
}
