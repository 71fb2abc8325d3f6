/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The structures of OCI documents as tables, and a walk that compares (manifest_shape.h).
 */
#include "oci/manifest_shape.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "codec/base64.h"
#include "oci/json_fields.h"
#include "oci/mediatype.h"

enum shape {
    SHAPE_INTEGER,
    SHAPE_TEXT,
    SHAPE_BASE64,
    SHAPE_TEXTS,    /* a list */
    SHAPE_TEXT_MAP, /* an object */
    SHAPE_OBJECT,
    SHAPE_OBJECTS, /* a list */
};

struct field {
    const char *key; /* NULL ends a table */
    enum shape shape;
    const struct field *members; /* of an object, or of each in a list of them */
};

static const struct field platform_fields[] = {
    {"architecture", SHAPE_TEXT, NULL}, {"os", SHAPE_TEXT, NULL},
    {"os.version", SHAPE_TEXT, NULL},   {"os.features", SHAPE_TEXTS, NULL},
    {"variant", SHAPE_TEXT, NULL},      {0},
};
static const struct field descriptor_fields[] = {
    {"mediaType", SHAPE_TEXT, NULL},
    {"digest", SHAPE_TEXT, NULL},
    {"size", SHAPE_INTEGER, NULL},
    {"urls", SHAPE_TEXTS, NULL},
    {"annotations", SHAPE_TEXT_MAP, NULL},
    {"data", SHAPE_BASE64, NULL},
    {"platform", SHAPE_OBJECT, platform_fields},
    {"artifactType", SHAPE_TEXT, NULL},
    {0},
};
static const struct field image_fields[] = {
    {"schemaVersion", SHAPE_INTEGER, NULL},       {"mediaType", SHAPE_TEXT, NULL},
    {"artifactType", SHAPE_TEXT, NULL},           {"config", SHAPE_OBJECT, descriptor_fields},
    {"layers", SHAPE_OBJECTS, descriptor_fields}, {"subject", SHAPE_OBJECT, descriptor_fields},
    {"annotations", SHAPE_TEXT_MAP, NULL},        {0},
};
static const struct field index_fields[] = {
    {"schemaVersion", SHAPE_INTEGER, NULL},
    {"mediaType", SHAPE_TEXT, NULL},
    {"artifactType", SHAPE_TEXT, NULL},
    {"manifests", SHAPE_OBJECTS, descriptor_fields},
    {"subject", SHAPE_OBJECT, descriptor_fields},
    {"annotations", SHAPE_TEXT_MAP, NULL},
    {0},
};
static const struct field artifact_fields[] = {
    {"mediaType", SHAPE_TEXT, NULL},
    {"artifactType", SHAPE_TEXT, NULL},
    {"blobs", SHAPE_OBJECTS, descriptor_fields},
    {"subject", SHAPE_OBJECT, descriptor_fields},
    {"annotations", SHAPE_TEXT_MAP, NULL},
    {0},
};

static bool is_null(const coras_json *v)
{
    return coras_json_type_of(v) == CORAS_JSON_NULL;
}

static bool is_text(const coras_json *v)
{
    return is_null(v) || coras_json_type_of(v) == CORAS_JSON_STRING;
}

static bool are_texts(const coras_json *v)
{
    if (coras_json_type_of(v) != CORAS_JSON_ARRAY)
        return false;
    for (size_t i = 0; i < coras_json_len(v); i++)
        if (!is_text(coras_json_at(v, i)))
            return false;
    return true;
}

static bool is_text_map(const coras_json *v)
{
    const coras_json *value;
    const char *key;
    void *iter = NULL;

    if (coras_json_type_of(v) != CORAS_JSON_OBJECT)
        return false;
    while (coras_json_next(v, &iter, &key, &value))
        if (!is_text(value))
            return false;
    return true;
}

static int check_base64(const coras_json *v, const char *what, const char *key, coras_error **err)
{
    coras_auto_buf bytes = CORAS_BUF_UNLIMITED;
    const char *text;

    if (!coras_json_string(v, &text) || !coras_base64_decode(&bytes, text, strlen(text)))
        return coras_field_fail(err, what, key, "not base64");
    return coras_buf_done(&bytes, err);
}

static int check_object(const coras_json *v, const char *what, const struct field *fields,
                        coras_error **err);

static int check_objects(const coras_json *list, const char *what, const char *key,
                         const struct field *fields, coras_error **err)
{
    if (coras_json_type_of(list) != CORAS_JSON_ARRAY)
        return coras_field_fail(err, what, key, "not a list");
    for (size_t i = 0; i < coras_json_len(list); i++) {
        coras_auto_free char *name = coras_asprintf("%s[%zu]", key, i);
        if (!name)
            return coras_fail_no_memory(err);
        CORAS_TRY(check_object(coras_json_at(list, i), name, fields, err));
    }
    return 0;
}

static int check_member(const coras_json *v, const char *what, const struct field *f,
                        coras_error **err)
{
    coras_auto_free char *inner = NULL;
    int64_t number;

    switch (f->shape) {
    case SHAPE_INTEGER:
        return coras_json_int(v, &number) ? 0
                                          : coras_field_fail(err, what, f->key, "not an integer");
    case SHAPE_TEXT:
        return is_text(v) ? 0 : coras_field_fail(err, what, f->key, "not a string");
    case SHAPE_BASE64:
        return check_base64(v, what, f->key, err);
    case SHAPE_TEXTS:
        return are_texts(v) ? 0 : coras_field_fail(err, what, f->key, "not a list of strings");
    case SHAPE_TEXT_MAP:
        return is_text_map(v) ? 0 : coras_field_fail(err, what, f->key, "not a map of strings");
    case SHAPE_OBJECTS:
        return check_objects(v, what, f->key, f->members, err);
    case SHAPE_OBJECT:
        break;
    }
    inner = coras_asprintf("%s%s%s", what, *what ? "." : "", f->key);
    return inner ? check_object(v, inner, f->members, err) : coras_fail_no_memory(err);
}

/* The tables nest three deep, so that calls do. */
static int check_object(const coras_json *v, const char *what, const struct field *fields,
                        coras_error **err)
{
    if (is_null(v))
        return 0;
    CORAS_TRY(coras_field_object(v, what, err));
    for (const struct field *f = fields; f->key; f++) {
        const coras_json *member = coras_field_get(v, f->key);
        if (!is_null(member))
            CORAS_TRY(check_member(member, what, f, err));
    }
    return 0;
}

static const struct field *fields_of(const char *media_type)
{
    switch (coras_media_type_kind(media_type)) {
    case CORAS_KIND_IMAGE:
    case CORAS_KIND_DOCKER_IMAGE:
        return image_fields;
    case CORAS_KIND_INDEX:
    case CORAS_KIND_DOCKER_LIST:
        return index_fields;
    case CORAS_KIND_ARTIFACT:
        return artifact_fields;
    case CORAS_KIND_BLOB:
        break;
    }
    return NULL;
}

int coras_manifest_check_shape(const char *text, size_t len, const char *media_type,
                               coras_error **err)
{
    coras_auto(coras_json) document = NULL;
    const struct field *fields = fields_of(media_type);

    if (!fields)
        return 0;
    int rc = coras_json_parse_prefix(text, len, &document, err);
    if (rc == CORAS_ERR_INVALID_JSON)
        rc = coras_error_recode(err, CORAS_ERR_INVALID_MANIFEST);
    CORAS_TRY(rc);
    return check_object(document, "", fields, err);
}
