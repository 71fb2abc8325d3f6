/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From described content to the manifest, with the rules of image-spec 1.0 and 1.1.
 */
#include "codec/date.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/vec.h"
#include "coras/reference.h"
#include "ops/artifact.h"

/* The artifact type that the manifest itself carries: 1.1 always, 1.0 never. */
static const char *manifest_artifact_type(const coras_artifact *a)
{
    if (a->image_spec == CORAS_IMAGE_SPEC_V1_0)
        return NULL;
    return a->artifact_type ? a->artifact_type : CORAS_MT_UNKNOWN_ARTIFACT;
}

static int check_media_types(const coras_artifact *a, coras_error **err)
{
    const char *type = manifest_artifact_type(a);
    const char *config_type = a->config.desc.media_type;

    if (!type && !a->has_config_file)
        type = a->artifact_type; /* 1.0 carries it as the config's */
    if (type && !*type)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing artifact type");
    if (type && !coras_media_type_is_valid(type))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "invalid artifactType format: %s: invalid media type", type);
    if (!coras_media_type_is_valid(config_type))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "invalid config mediaType format: %s: invalid media type", config_type);
    return 0;
}

int coras_artifact_check(const coras_artifact *a, coras_error **err)
{
    const char *created = coras_annotations_get(&a->annotations, CORAS_ANN_CREATED);
    int64_t ignored;

    CORAS_TRY(check_media_types(a, err));
    if (!created)
        return 0;
    int rc = coras_parse_rfc3339(created, &ignored, err);
    return rc < 0 ? coras_wrap(err, rc, "invalid date and time format") : 0;
}

static int describe(const coras_artifact *a, const coras_manifest *m, const coras_buf *bytes,
                    coras_descriptor *ret, coras_error **err)
{
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    /* 1.0 has no artifact type of its own: the config's media type takes its part */
    const char *type = m->artifact_type ? m->artifact_type : m->config.media_type;

    CORAS_TRY(coras_descriptor_of_bytes(CORAS_MT_OCI_MANIFEST, bytes->ptr, bytes->len, &desc, err));
    CORAS_TRY(coras_annotations_copy(&desc.annotations, &a->annotations, err));
    desc.artifact_type = coras_strdup(type);
    if (!desc.artifact_type)
        return coras_fail_no_memory(err);
    *ret = desc;
    desc = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
    return 0;
}

static bool has_digest(const coras_descriptor *desc)
{
    return desc->digest.algorithm != CORAS_DIGEST_NONE;
}

/* A digest that is not known yet takes as much room as any other of its kind. */
static int add_or_stand_in(coras_descriptors *list, const coras_descriptor *desc, coras_error **err)
{
    CORAS_TRY(coras_descriptors_add(list, desc, err));
    if (!has_digest(desc))
        list->items[list->len - 1].digest.algorithm = CORAS_SHA256;
    return 0;
}

int coras_artifact_check_size(const coras_artifact *a, coras_error **err)
{
    coras_auto_value(coras_manifest) m = {.kind = CORAS_KIND_IMAGE, .has_config = true};
    coras_auto_buf bytes = CORAS_BUF_UNLIMITED;

    CORAS_TRY(coras_descriptor_copy(&m.config, &a->config.desc, err));
    m.config.digest.algorithm = CORAS_SHA256;
    coras_vec_foreach (item, &a->layers)
        CORAS_TRY(add_or_stand_in(&m.layers, &item->desc, err));
    CORAS_TRY(coras_annotations_copy(&m.annotations, &a->annotations, err));
    CORAS_TRY(coras_manifest_write(&m, &bytes, err));
    if (bytes.len <= CORAS_LIMIT_MANIFEST)
        return 0;
    return coras_fail(err, CORAS_ERR_TOO_LARGE,
                      "the manifest of %zu files would have %zu bytes, and registries take %d",
                      a->layers.len, bytes.len, CORAS_LIMIT_MANIFEST);
}

int coras_artifact_manifest(const coras_artifact *a, coras_buf *bytes, coras_descriptor *ret,
                            coras_error **err)
{
    coras_auto_value(coras_manifest) m = {.kind = CORAS_KIND_IMAGE, .has_config = true};
    const char *type = manifest_artifact_type(a);

    CORAS_TRY(coras_artifact_check(a, err));
    if (type && !(m.artifact_type = coras_strdup(type)))
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_descriptor_copy(&m.config, &a->config.desc, err));
    coras_vec_foreach (item, &a->layers)
        CORAS_TRY(coras_descriptors_add(&m.layers, &item->desc, err));
    if (a->has_subject) {
        m.has_subject = true;
        CORAS_TRY(coras_descriptor_copy(&m.subject, &a->subject, err));
    }
    CORAS_TRY(coras_annotations_copy(&m.annotations, &a->annotations, err));
    CORAS_TRY(coras_manifest_write(&m, bytes, err));
    return describe(a, &m, bytes, ret, err);
}
