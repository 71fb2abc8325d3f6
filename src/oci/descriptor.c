/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors as values: copied, read from JSON, written as Go writes them (descriptor.h).
 */
#include "oci/descriptor.h"

#include <assert.h>
#include <string.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"
#include "base/vec.h"
#include "codec/base64.h"
#include "oci/digest.h"
#include "oci/json_fields.h"
#include "oci/manifest.h"
#include "oci/platform.h"

/* ---- records ---- */

static void free_platform(coras_platform *p)
{
    if (p)
        coras_platform_clear(p);
    free(p);
}

void coras_descriptor_clear(coras_descriptor *d)
{
    free(d->media_type);
    coras_text_list_free(d->urls);
    coras_annotations_clear(&d->annotations);
    free(d->data);
    free_platform(d->platform);
    free(d->artifact_type);
    *d = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
}

/* Move what `from` owns to `to`, whose content is freed. */
static void move(coras_descriptor *to, coras_descriptor *from)
{
    coras_descriptor_clear(to);
    *to = *from;
    *from = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
}

static int copy_platform(coras_platform **to, const coras_platform *from, coras_error **err)
{
    if (!from)
        return 0;
    *to = coras_new(coras_platform);
    return *to ? coras_platform_copy(*to, from, err) : coras_fail_no_memory(err);
}

static bool copy_data(coras_descriptor *to, const coras_descriptor *from)
{
    if (!from->data)
        return true;
    to->data = coras_malloc(from->data_len);
    if (!to->data)
        return false;
    memcpy(to->data, from->data, from->data_len);
    to->data_len = from->data_len;
    return true;
}

int coras_descriptor_copy(coras_descriptor *to, const coras_descriptor *from, coras_error **err)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;

    if (!to || !from)
        return coras_missing_argument(err);
    d.digest = from->digest;
    d.size = from->size;
    if (!coras_text_copy(&d.media_type, from->media_type) ||
        !coras_text_copy(&d.artifact_type, from->artifact_type) ||
        !coras_text_list_copy(&d.urls, from->urls) || !copy_data(&d, from))
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_annotations_copy(&d.annotations, &from->annotations, err));
    CORAS_TRY(copy_platform(&d.platform, from->platform, err));
    move(to, &d);
    return 0;
}

int coras_descriptor_set(coras_descriptor *to, const char *media_type, const coras_digest *digest,
                         int64_t size, coras_error **err)
{
    coras_descriptor d = {.size = size};

    if (!to || !digest || size < 0)
        return coras_missing_argument(err);
    d.digest = *digest;
    if (!coras_text_copy(&d.media_type, media_type))
        return coras_fail_no_memory(err);
    move(to, &d);
    return 0;
}

const char *coras_descriptor_title(const coras_descriptor *d)
{
    return coras_annotations_get(&d->annotations, CORAS_ANN_TITLE);
}

void coras_descriptors_clear(coras_descriptors *l)
{
    for (size_t i = 0; i < l->len; i++)
        coras_descriptor_clear(&l->items[i]);
    free(l->items);
    *l = (coras_descriptors){0};
}

int coras_descriptors_add(coras_descriptors *l, const coras_descriptor *d, coras_error **err)
{
    coras_descriptor copy = CORAS_DESCRIPTOR_INIT;

    CORAS_TRY(coras_descriptor_copy(&copy, d, err));
    if (coras_vec_grow(l, 1) < 0) {
        coras_descriptor_clear(&copy);
        return coras_fail_no_memory(err);
    }
    l->items[l->len++] = copy;
    return 0;
}

/* ---- the empty descriptor ---- */

int coras_descriptor_empty(const char *media_type, bool with_data, coras_descriptor *ret,
                           coras_error **err)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;

    CORAS_TRY(coras_descriptor_of_bytes(media_type ? media_type : CORAS_MT_OCI_EMPTY,
                                        CORAS_EMPTY_JSON, CORAS_EMPTY_JSON_SIZE, &d, err));
    if (with_data) {
        d.data = coras_strdup(CORAS_EMPTY_JSON);
        if (!d.data)
            return coras_fail_no_memory(err);
        d.data_len = CORAS_EMPTY_JSON_SIZE;
    }
    move(ret, &d);
    return 0;
}

bool coras_descriptor_is_empty(const coras_descriptor *d, bool media_type_too)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    if (media_type_too && (!d->media_type || !coras_streq(d->media_type, CORAS_MT_OCI_EMPTY)))
        return false;
    return d->size == CORAS_EMPTY_JSON_SIZE &&
           coras_streq(coras_digest_format(&d->digest, text), CORAS_EMPTY_JSON_DIGEST);
}

int coras_descriptor_of_bytes(const char *media_type, const void *data, size_t len,
                              coras_descriptor *ret, coras_error **err)
{
    coras_digest digest;

    CORAS_TRY(coras_digest_of(CORAS_SHA256, data, len, &digest, err));
    return coras_descriptor_set(ret, media_type, &digest, (int64_t)len, err);
}

/* ---- reading ---- */

static int read_digest(const coras_json *v, const char *what, coras_digest *ret, coras_error **err)
{
    const coras_json *digest = coras_field_get(v, "digest");
    const char *text;
    int rc;

    if (!coras_json_string(digest, &text))
        return coras_field_fail(err, what, "digest", digest ? "not a string" : "missing");
    rc = coras_digest_parse(text, ret, err);
    if (rc < 0) {
        rc = coras_error_recode(err, CORAS_ERR_INVALID_MANIFEST);
        return coras_wrap(err, rc, "%s%sdigest", what, *what ? "." : "");
    }
    return 0;
}

static int read_size(const coras_json *v, const char *what, int64_t *ret, coras_error **err)
{
    const coras_json *size = coras_field_get(v, "size");

    if (!size)
        return coras_field_fail(err, what, "size", "missing");
    if (!coras_json_int(size, ret))
        return coras_field_fail(err, what, "size", "not an integer");
    if (*ret < 0)
        return coras_field_fail(err, what, "size", "negative");
    return 0;
}

/* Whether embedded content is what the descriptor says. Nobody reads it instead of the content
 * unless it is; upstream never does. */
static int check_data(const coras_descriptor *d, const coras_buf *bytes, bool *ret,
                      coras_error **err)
{
    coras_digest digest;

    *ret = false;
    if (bytes->len == 0 || (uint64_t)d->size != bytes->len)
        return 0;
    CORAS_TRY(coras_digest_of(d->digest.algorithm, bytes->ptr, bytes->len, &digest, err));
    *ret = coras_digest_equal(&digest, &d->digest);
    return 0;
}

static int read_data(const coras_json *v, const char *what, coras_descriptor *d, coras_error **err)
{
    coras_auto_buf bytes = CORAS_BUF_UNLIMITED;
    const coras_json *data = coras_field_get(v, "data");
    const char *text;
    bool right = false;
    char *taken;

    if (coras_json_type_of(data) == CORAS_JSON_NULL)
        return 0;
    if (!coras_json_string(data, &text) || !coras_base64_decode(&bytes, text, strlen(text)))
        return coras_field_fail(err, what, "data", "not base64 text");
    CORAS_TRY(coras_buf_done(&bytes, err));
    CORAS_TRY(check_data(d, &bytes, &right, err));
    if (!right)
        return 0;
    d->data_len = bytes.len;
    CORAS_TRY(coras_buf_take(&bytes, &taken, err));
    d->data = taken;
    return 0;
}

static int read_platform(const coras_json *v, const char *what, coras_platform **ret,
                         coras_error **err)
{
    coras_auto_free char *inner = NULL;
    const coras_json *platform = coras_field_get(v, "platform");

    if (coras_json_type_of(platform) == CORAS_JSON_NULL)
        return 0;
    inner = coras_asprintf("%s.platform", what);
    *ret = coras_new(coras_platform);
    if (!inner || !*ret)
        return coras_fail_no_memory(err);
    return coras_platform_from_json(platform, inner, *ret, err);
}

static int read_annotations(const coras_json *v, const char *what, coras_annotations *ret,
                            coras_error **err)
{
    coras_auto_free char *inner = coras_asprintf("%s.annotations", what);

    if (!inner)
        return coras_fail_no_memory(err);
    return coras_annotations_from_json(coras_field_get(v, "annotations"), inner, ret, err);
}

int coras_descriptor_from_json(const coras_json *v, const char *what, coras_descriptor *ret,
                               coras_error **err)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;

    CORAS_TRY(coras_field_object(v, what, err));
    CORAS_TRY(coras_field_text(v, what, "mediaType", &d.media_type, err));
    if (!d.media_type && !coras_text_copy(&d.media_type, ""))
        return coras_fail_no_memory(err);
    CORAS_TRY(read_digest(v, what, &d.digest, err));
    CORAS_TRY(read_size(v, what, &d.size, err));
    CORAS_TRY(coras_field_text_list(v, what, "urls", &d.urls, err));
    CORAS_TRY(read_annotations(v, what, &d.annotations, err));
    CORAS_TRY(read_data(v, what, &d, err));
    CORAS_TRY(read_platform(v, what, &d.platform, err));
    CORAS_TRY(coras_field_text(v, what, "artifactType", &d.artifact_type, err));
    move(ret, &d);
    return 0;
}

/* ---- writing ---- */

static void write_data(coras_json_writer *w, const coras_descriptor *d)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    if (!d->data || d->data_len == 0)
        return;
    coras_base64_put(&text, d->data, d->data_len);
    if (text.failed)
        w->out->failed = text.failed;
    coras_jw_member(w, "data", text.ptr);
}

void coras_descriptor_write_members(coras_json_writer *w, const coras_descriptor *d)
{
    char digest[CORAS_DIGEST_TEXT_MAX];

    coras_jw_member(w, "mediaType", d->media_type ? d->media_type : "");
    coras_jw_member(w, "digest", coras_digest_format(&d->digest, digest));
    coras_jw_member_int(w, "size", d->size);
    coras_text_list_write(w, "urls", d->urls);
    if (d->annotations.len) {
        coras_jw_key(w, "annotations");
        coras_annotations_write(w, &d->annotations);
    }
    write_data(w, d);
    if (d->platform) {
        coras_jw_key(w, "platform");
        coras_platform_write(w, d->platform);
    }
    coras_jw_member_opt(w, "artifactType", d->artifact_type);
}

void coras_descriptor_write(coras_json_writer *w, const coras_descriptor *d)
{
    coras_jw_object(w);
    coras_descriptor_write_members(w, d);
    coras_jw_end_object(w);
}

int coras_descriptor_to_json(const coras_descriptor *d, char **ret, coras_error **err)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&out, 0);

    if (!d || !ret)
        return coras_missing_argument(err);
    coras_descriptor_write(&w, d);
    return coras_buf_take(&out, ret, err);
}
