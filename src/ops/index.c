/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making and changing an index of manifests.
 */
#include "coras/index.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"
#include "base/limits.h"
#include "coras/reference.h"
#include "oci/manifest.h"
#include "oci/platform.h"

/* An index in the making. */
struct making {
    coras_target *target;
    const coras_index_options *opts;
    coras_manifest index;
};

static void report(const struct making *m, enum coras_index_step step, const coras_digest *digest,
                   const char *name)
{
    if (m->opts->on_step)
        m->opts->on_step(step, digest, name, m->opts->user);
}

static int set_string(char **slot, const char *text, coras_error **err)
{
    char *copy = text ? coras_strdup(text) : NULL;
    if (text && !copy)
        return coras_fail_no_memory(err);
    free(*slot);
    *slot = copy;
    return 0;
}

/* ---- entries ---- */

/* A source with its parsed content. */
struct source {
    coras_descriptor desc;
    coras_manifest manifest;
};

static void source_clear(struct source *s)
{
    coras_descriptor_clear(&s->desc);
    coras_manifest_clear(&s->manifest);
}

/* `what` is "manifest" or "index", for the message. */
static int fetch_source(const struct making *m, const char *name, const char *what,
                        struct source *ret, coras_error **err)
{
    coras_auto_free char *bytes = NULL;
    report(m, CORAS_INDEX_FETCHING, NULL, name);
    int rc = coras_fetch_manifest(m->target, name, NULL, &ret->desc, &bytes, err);
    if (rc < 0)
        return coras_wrap(err, rc, "could not find the %s %s", what, name);
    enum coras_manifest_kind kind = coras_media_type_kind(ret->desc.media_type);
    bool fits = coras_streq(what, "index") ? coras_kind_is_index(kind)
                                           : coras_kind_is_index(kind) || coras_kind_is_image(kind);
    if (!fits)
        return coras_fail(err, CORAS_ERR_INVALID_MANIFEST, "%s is not %s %s", name,
                          coras_streq(what, "index") ? "an" : "a", what);
    report(m, CORAS_INDEX_FETCHED, &ret->desc.digest, name);
    return coras_manifest_parse(bytes, (size_t)ret->desc.size, ret->desc.media_type, &ret->manifest,
                                err);
}

static bool names(const char *text)
{
    return text && *text;
}

/* What a config says of its platform; a config that is no such JSON says nothing. */
static int platform_of_config(const char *text, size_t len, coras_descriptor *entry,
                              coras_error **err)
{
    coras_auto(coras_json) config = NULL;
    if (coras_json_parse(text, len, &config, NULL) < 0)
        return 0;
    coras_platform *platform = coras_new(coras_platform);
    if (!platform)
        return coras_fail_no_memory(err);
    coras_auto(coras_error) error = NULL;
    int rc = coras_platform_from_json(config, "config", platform, &error);
    if (rc == 0 && (names(platform->os) || names(platform->architecture))) {
        entry->platform = platform;
        return 0;
    }
    coras_platform_clear(platform);
    free(platform);
    if (rc != CORAS_ERR_NO_MEMORY)
        return 0;
    coras_error_propagate(err, &error);
    return rc;
}

static int set_platform(const struct making *m, const coras_descriptor *config,
                        coras_descriptor *entry, coras_error **err)
{
    coras_auto_free char *text = NULL;
    if (!coras_streq(config->media_type, CORAS_MT_OCI_CONFIG) &&
        !coras_streq(config->media_type, CORAS_MT_DOCKER_CONFIG))
        return 0;
    if (config->size > CORAS_LIMIT_MANIFEST)
        return coras_fail(err, CORAS_ERR_TOO_LARGE,
                          "config size %lld exceeds the limit of %d bytes: size exceeds limit",
                          (long long)config->size, CORAS_LIMIT_MANIFEST);
    CORAS_TRY(coras_fetch_bytes(m->target, config, CORAS_LIMIT_MANIFEST, &text, err));
    return platform_of_config(text, (size_t)config->size, entry, err);
}

/* Manifests of before artifactType tell their type by the config, unless that is a plain image's.
 */
static const char *artifact_type_of(const coras_manifest *manifest)
{
    if (manifest->artifact_type && *manifest->artifact_type)
        return manifest->artifact_type;
    const char *type = manifest->has_config ? manifest->config.media_type : NULL;
    if (!type || coras_streq(type, CORAS_MT_OCI_CONFIG) ||
        coras_streq(type, CORAS_MT_DOCKER_CONFIG) || coras_streq(type, CORAS_MT_OCI_EMPTY))
        return NULL;
    return type;
}

static int make_entry(const struct making *m, const struct source *source, coras_descriptor *ret,
                      coras_error **err)
{
    CORAS_TRY(coras_descriptor_set(ret, source->desc.media_type, &source->desc.digest,
                                   source->desc.size, err));
    if (source->manifest.has_config)
        CORAS_TRY(set_platform(m, &source->manifest.config, ret, err));
    return set_string(&ret->artifact_type, artifact_type_of(&source->manifest), err);
}

static int add_manifest(struct making *m, const char *name, coras_digest *ret_digest,
                        coras_error **err)
{
    struct source source = {0};
    coras_auto_value(coras_descriptor) entry = CORAS_DESCRIPTOR_INIT;
    int rc = fetch_source(m, name, "manifest", &source, err);
    if (rc == 0)
        rc = make_entry(m, &source, &entry, err);
    if (rc == 0)
        rc = coras_descriptors_add(&m->index.layers, &entry, err);
    *ret_digest = source.desc.digest;
    source_clear(&source);
    return rc;
}

/* ---- the result ---- */

static int check_artifact_type(const struct making *m, coras_error **err)
{
    const char *type = m->opts->artifact_type;
    if (!type || !*type || coras_media_type_is_valid(type))
        return 0;
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "%s: invalid media type", type);
}

static int set_artifact_type(struct making *m, coras_error **err)
{
    const char *type = m->opts->artifact_type;
    if (!type)
        return 0;
    return set_string(&m->index.artifact_type, *type ? type : NULL, err);
}

static int finish_index(struct making *m, coras_descriptor *ret, char **ret_bytes,
                        coras_error **err)
{
    coras_auto_buf bytes = CORAS_BUF_UNLIMITED;
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    CORAS_TRY(coras_manifest_write(&m->index, &bytes, err));
    CORAS_TRY(coras_buf_done(&bytes, err));
    CORAS_TRY(coras_descriptor_of_bytes(m->index.media_type, bytes.ptr, bytes.len, &desc, err));
    CORAS_TRY(coras_buf_take(&bytes, ret_bytes, err));
    *ret = desc;
    desc = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
    return 0;
}

/* ---- create ---- */

static int create(struct making *m, const char *const *sources, coras_descriptor *ret,
                  char **ret_bytes, coras_error **err)
{
    m->index.kind = CORAS_KIND_INDEX;
    CORAS_TRY(check_artifact_type(m, err));
    CORAS_TRY(set_string(&m->index.media_type, CORAS_MT_OCI_INDEX, err));
    CORAS_TRY(set_artifact_type(m, err));
    for (; sources && *sources; sources++) {
        coras_digest digest;
        CORAS_TRY(add_manifest(m, *sources, &digest, err));
    }
    if (m->opts->annotations)
        CORAS_TRY(coras_annotations_copy(&m->index.annotations, m->opts->annotations, err));
    return finish_index(m, ret, ret_bytes, err);
}

int coras_index_create(coras_target *target, const char *const *sources,
                       const coras_index_options *opts, coras_descriptor *ret, char **ret_bytes,
                       coras_error **err)
{
    coras_index_options known = CORAS_INDEX_OPTIONS_INIT;

    if (!target || !ret || !ret_bytes)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "a target and places for the results");
    CORAS_TRY(coras_options_read(&known, sizeof(known), opts, err));
    struct making m = {.target = target, .opts = &known};
    int rc = create(&m, sources, ret, ret_bytes, err);
    coras_manifest_clear(&m.index);
    return rc;
}

/* ---- update ---- */

/* Every entry with that digest goes. */
static int remove_manifest(struct making *m, const char *reference, const char *text,
                           coras_error **err)
{
    coras_digest digest;
    coras_descriptors *entries = &m->index.layers;
    size_t kept = 0;
    CORAS_TRY(coras_digest_parse(text, &digest, err));
    for (size_t i = 0; i < entries->len; i++) {
        if (coras_digest_equal(&entries->items[i].digest, &digest)) {
            coras_descriptor_clear(&entries->items[i]);
            continue;
        }
        if (kept != i) {
            entries->items[kept] = entries->items[i];
            entries->items[i] = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
        }
        kept++;
    }
    bool found = kept < entries->len;
    entries->len = kept;
    if (!found)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "%s does not exist in the index %s",
                          text, reference);
    report(m, CORAS_INDEX_REMOVED, &digest, NULL);
    return 0;
}

static int merge_index(struct making *m, const char *name, coras_error **err)
{
    struct source source = {0};
    int rc = fetch_source(m, name, "index", &source, err);
    for (size_t i = 0; rc == 0 && i < source.manifest.layers.len; i++)
        rc = coras_descriptors_add(&m->index.layers, &source.manifest.layers.items[i], err);
    if (rc == 0)
        report(m, CORAS_INDEX_MERGED, &source.desc.digest, name);
    source_clear(&source);
    return rc;
}

static bool is_repeated(const char *const *list, const char *const *item)
{
    while (list < item)
        if (coras_streq(*list++, *item))
            return true;
    return false;
}

static int change(struct making *m, const char *reference, coras_error **err)
{
    const coras_index_options *o = m->opts;
    for (const char *const *digest = o->remove; digest && *digest; digest++)
        if (!is_repeated(o->remove, digest))
            CORAS_TRY(remove_manifest(m, reference, *digest, err));
    for (const char *const *name = o->add; name && *name; name++) {
        coras_digest digest;
        CORAS_TRY(add_manifest(m, *name, &digest, err));
        report(m, CORAS_INDEX_ADDED, &digest, *name);
    }
    for (const char *const *name = o->merge; name && *name; name++)
        CORAS_TRY(merge_index(m, *name, err));
    return set_artifact_type(m, err);
}

static int update(struct making *m, const char *reference, coras_descriptor *ret, char **ret_bytes,
                  coras_error **err)
{
    struct source source = {0};
    CORAS_TRY(check_artifact_type(m, err));
    int rc = fetch_source(m, reference, "index", &source, err);
    if (rc == 0) {
        m->index = source.manifest;
        source.manifest = (coras_manifest){0};
        rc = change(m, reference, err);
    }
    if (rc == 0)
        rc = finish_index(m, ret, ret_bytes, err);
    source_clear(&source);
    return rc;
}

int coras_index_update(coras_target *target, const char *reference, const coras_index_options *opts,
                       coras_descriptor *ret, char **ret_bytes, coras_error **err)
{
    coras_index_options known = CORAS_INDEX_OPTIONS_INIT;

    if (!target || !reference || !opts || !ret || !ret_bytes)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "a target, a reference, options and places for the results");
    CORAS_TRY(coras_options_read(&known, sizeof(known), opts, err));
    struct making m = {.target = target, .opts = &known};
    int rc = update(&m, reference, ret, ret_bytes, err);
    coras_manifest_clear(&m.index);
    return rc;
}
