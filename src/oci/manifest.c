/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests and indexes from bytes to values and back (manifest.h): what is refused, and what is
 * read although no specification allows it.
 */
#include "oci/manifest.h"

#include <string.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/vec.h"
#include "oci/json_fields.h"
#include "oci/platform.h"

void coras_manifest_clear(coras_manifest *m)
{
    free(m->media_type);
    free(m->artifact_type);
    coras_descriptor_clear(&m->config);
    for (size_t i = 0; m->layer_names && i < m->layers.len; i++)
        free(m->layer_names[i]);
    free(m->layer_names);
    coras_descriptors_clear(&m->layers);
    coras_descriptor_clear(&m->subject);
    coras_annotations_clear(&m->annotations);
    *m = (coras_manifest){0};
}

/* ---- reading ---- */

static int bad(coras_error **err, const char *why)
{
    return coras_fail(err, CORAS_ERR_INVALID_MANIFEST, "%s", why);
}

static bool is_schema1(const char *media_type)
{
    return coras_str_starts(media_type, "application/vnd.docker.distribution.manifest.v1+");
}

static int unsupported_type(const char *media_type, coras_error **err)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;

    if (is_schema1(media_type))
        return coras_fail(err, CORAS_ERR_UNSUPPORTED, "Docker schema 1 manifests are unsupported");
    coras_escape(&shown, media_type, strlen(media_type), 255); /* what RFC 6838 allows */
    return coras_fail(err, CORAS_ERR_UNSUPPORTED, "media type \"%s\" is no manifest: unsupported",
                      shown.ptr);
}

static int contradiction(const char *in_body, const char *fetched_as, coras_error **err)
{
    coras_auto_free char *body = coras_escape_dup(in_body);
    coras_auto_free char *fetched = coras_escape_dup(fetched_as);

    if (!body || !fetched)
        return coras_fail_no_memory(err);
    return coras_fail(err, CORAS_ERR_INVALID_MANIFEST,
                      "mediaType \"%.255s\" contradicts the type \"%.255s\" that it was fetched as",
                      body, fetched);
}

/* Whether a document of one type may be read as the other: image or index is what matters. */
static bool means_the_same(const char *in_body, const char *fetched_as)
{
    enum coras_manifest_kind body = coras_media_type_kind(in_body);
    enum coras_manifest_kind fetched = coras_media_type_kind(fetched_as);

    return body == fetched || (coras_kind_is_image(body) && coras_kind_is_image(fetched)) ||
           (coras_kind_is_index(body) && coras_kind_is_index(fetched));
}

/* The type of the document: that of the fetch, else its own word. */
static int read_media_type(const coras_json *doc, const char *fetched_as, coras_manifest *m,
                           coras_error **err)
{
    bool known = fetched_as && *fetched_as;

    CORAS_TRY(coras_field_text(doc, "", "mediaType", &m->media_type, err));
    if (m->media_type && !*m->media_type) {
        free(m->media_type); /* Go's form of an absent value */
        m->media_type = NULL;
    }
    if (m->media_type && known && !means_the_same(m->media_type, fetched_as))
        return contradiction(m->media_type, fetched_as, err);
    if (!m->media_type && !known)
        return bad(err, "mediaType: missing");
    if (known) {
        free(m->media_type);
        if (!coras_text_copy(&m->media_type, fetched_as))
            return coras_fail_no_memory(err);
    }
    m->kind = coras_media_type_kind(m->media_type);
    return m->kind == CORAS_KIND_BLOB ? unsupported_type(m->media_type, err) : 0;
}

static bool has_content(const coras_json *doc, const char *key)
{
    const coras_json *v = coras_field_get(doc, key);

    return coras_json_type_of(v) == CORAS_JSON_ARRAY ? coras_json_len(v) > 0
                                                     : coras_json_type_of(v) != CORAS_JSON_NULL;
}

/* Nobody reads the number, but what it says of a document without any of our members. */
static int check_schema_version(const coras_json *doc, coras_error **err)
{
    const coras_json *v = coras_field_get(doc, "schemaVersion");
    int64_t version;

    if (coras_json_type_of(v) == CORAS_JSON_NULL)
        return 0;
    if (!coras_json_int(v, &version))
        return bad(err, "schemaVersion: not an integer");
    if (version == 1 && coras_field_get(doc, "fsLayers"))
        return coras_fail(err, CORAS_ERR_UNSUPPORTED, "schema 1 manifests are unsupported");
    return 0;
}

/* A document that is an image to one reader and an index to another (CVE-2021-41190). */
static int check_unambiguous(const coras_json *doc, const coras_manifest *m, coras_error **err)
{
    bool image_parts = has_content(doc, "layers") || has_content(doc, "config");
    bool index_parts = has_content(doc, "manifests");

    if (image_parts && index_parts)
        return bad(err, "ambiguous: both an image manifest and an index");
    if (coras_kind_is_index(m->kind) ? image_parts : index_parts)
        return bad(err, "content does not fit the media type");
    return 0;
}

/* Absent or null is an empty list. */
static int read_list(const coras_json *doc, const char *key, coras_descriptors *ret,
                     coras_error **err)
{
    const coras_json *list = coras_field_get(doc, key);
    enum coras_json_type type = coras_json_type_of(list);

    if (type == CORAS_JSON_NULL)
        return 0;
    if (type != CORAS_JSON_ARRAY)
        return coras_field_fail(err, "", key, "not a list");
    for (size_t i = 0; i < coras_json_len(list); i++) {
        coras_auto_free char *what = coras_asprintf("%s[%zu]", key, i);
        if (!what || coras_vec_grow(ret, 1) < 0)
            return coras_fail_no_memory(err);
        coras_descriptor *d = &ret->items[ret->len];
        *d = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
        CORAS_TRY(coras_descriptor_from_json(coras_json_at(list, i), what, d, err));
        ret->len++;
    }
    return 0;
}

/* No specification knows this member: what is no text is as good as absent. */
static int read_layer_names(const coras_json *doc, coras_manifest *m, coras_error **err)
{
    const coras_json *list = coras_field_get(doc, "layers");

    for (size_t i = 0; i < m->layers.len; i++) {
        const char *name = coras_json_get_string(coras_json_at(list, i), "name");
        if (!name)
            continue;
        if (!m->layer_names)
            m->layer_names = coras_calloc(m->layers.len, sizeof(*m->layer_names));
        if (!m->layer_names || !coras_text_copy(&m->layer_names[i], name))
            return coras_fail_no_memory(err);
    }
    return 0;
}

static int read_content(const coras_json *doc, coras_manifest *m, coras_error **err)
{
    if (coras_kind_is_index(m->kind))
        return read_list(doc, "manifests", &m->layers, err);
    if (m->kind == CORAS_KIND_ARTIFACT)
        return read_list(doc, "blobs", &m->layers, err);
    if (coras_json_type_of(coras_field_get(doc, "config")) == CORAS_JSON_NULL)
        return bad(err, "config: missing");
    CORAS_TRY(
        coras_descriptor_from_json(coras_field_get(doc, "config"), "config", &m->config, err));
    m->has_config = true;
    CORAS_TRY(read_list(doc, "layers", &m->layers, err));
    return read_layer_names(doc, m, err);
}

static int read_subject(const coras_json *doc, coras_manifest *m, coras_error **err)
{
    const coras_json *subject = coras_field_get(doc, "subject");

    bool is_empty =
        coras_json_type_of(subject) == CORAS_JSON_OBJECT && coras_json_len(subject) == 0;

    if (coras_json_type_of(subject) == CORAS_JSON_NULL || is_empty)
        return 0;
    CORAS_TRY(coras_descriptor_from_json(subject, "subject", &m->subject, err));
    m->has_subject = true;
    return 0;
}

static int read_document(const coras_json *doc, const char *media_type, coras_manifest *m,
                         coras_error **err)
{
    CORAS_TRY(coras_field_object(doc, "", err));
    CORAS_TRY(read_media_type(doc, media_type, m, err));
    CORAS_TRY(check_schema_version(doc, err));
    CORAS_TRY(check_unambiguous(doc, m, err));
    CORAS_TRY(read_content(doc, m, err));
    CORAS_TRY(coras_field_text(doc, "", "artifactType", &m->artifact_type, err));
    CORAS_TRY(read_subject(doc, m, err));
    return coras_annotations_from_json(coras_field_get(doc, "annotations"), "annotations",
                                       &m->annotations, err);
}

int coras_manifest_parse(const char *text, size_t len, const char *media_type, coras_manifest *ret,
                         coras_error **err)
{
    coras_auto(coras_json) doc = NULL;
    coras_auto_value(coras_manifest) m = {0};
    int rc;

    if (media_type && is_schema1(media_type)) /* signed ones are no plain JSON */
        return unsupported_type(media_type, err);
    rc = coras_json_parse(text, len, &doc, err);
    if (rc == CORAS_ERR_INVALID_JSON) {
        rc = coras_error_recode(err, CORAS_ERR_INVALID_MANIFEST);
        return coras_wrap(err, rc, "invalid JSON");
    }
    CORAS_TRY(rc);
    CORAS_TRY(read_document(doc, media_type, &m, err));
    *ret = m;
    m = (coras_manifest){0};
    return 0;
}

/* ---- looking ---- */

int coras_manifest_successors(const coras_manifest *m, const coras_descriptor ***ret,
                              size_t *ret_len, coras_error **err)
{
    const coras_descriptor **list = coras_calloc(m->layers.len + 2, sizeof(coras_descriptor *));
    size_t len = 0;

    if (!list)
        return coras_fail_no_memory(err);
    if (m->has_subject)
        list[len++] = &m->subject;
    if (m->has_config)
        list[len++] = &m->config;
    for (size_t i = 0; i < m->layers.len; i++)
        list[len++] = &m->layers.items[i];
    *ret = list;
    *ret_len = len;
    return 0;
}

const coras_descriptor *coras_manifest_find_platform(const coras_manifest *index,
                                                     const coras_platform *want)
{
    for (size_t i = 0; i < index->layers.len; i++) {
        const coras_descriptor *entry = &index->layers.items[i];
        if (entry->platform && coras_platform_matches(entry->platform, want))
            return entry;
    }
    return NULL;
}

const char *coras_manifest_effective_artifact_type(const coras_manifest *m)
{
    if (m->artifact_type && *m->artifact_type)
        return m->artifact_type;
    return coras_kind_is_image(m->kind) && m->has_config ? m->config.media_type : NULL;
}

/* ---- writing ---- */

static void write_content(coras_json_writer *w, const coras_manifest *m)
{
    if (m->kind == CORAS_KIND_IMAGE) {
        coras_jw_key(w, "config");
        coras_descriptor_write(w, &m->config);
    }
    coras_jw_key(w, m->kind == CORAS_KIND_IMAGE ? "layers" : "manifests");
    coras_jw_array(w);
    for (size_t i = 0; i < m->layers.len; i++)
        coras_descriptor_write(w, &m->layers.items[i]);
    coras_jw_end_array(w);
    if (m->has_subject) {
        coras_jw_key(w, "subject");
        coras_descriptor_write(w, &m->subject);
    }
    if (m->annotations.len) {
        coras_jw_key(w, "annotations");
        coras_annotations_write(w, &m->annotations);
    }
}

static const char *written_media_type(enum coras_manifest_kind kind)
{
    if (kind == CORAS_KIND_DOCKER_LIST)
        return CORAS_MT_DOCKER_LIST;
    return kind == CORAS_KIND_IMAGE ? CORAS_MT_OCI_MANIFEST : CORAS_MT_OCI_INDEX;
}

int coras_manifest_write(const coras_manifest *m, coras_buf *out, coras_error **err)
{
    coras_json_writer w = CORAS_JSON_WRITER(out, 0);

    if (m->kind != CORAS_KIND_IMAGE && !coras_kind_is_index(m->kind))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "only OCI image manifests and indexes can be written");
    if (m->kind == CORAS_KIND_IMAGE && !m->has_config)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "an image manifest needs a config");
    coras_jw_object(&w);
    coras_jw_member_int(&w, "schemaVersion", 2);
    coras_jw_member(&w, "mediaType", written_media_type(m->kind));
    coras_jw_member_opt(&w, "artifactType", m->artifact_type);
    write_content(&w, m);
    coras_jw_end_object(&w);
    return coras_buf_done(out, err);
}
