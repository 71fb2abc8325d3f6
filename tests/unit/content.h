/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small artifacts for tests of targets.
 */
#ifndef CORAS_UNIT_TARGET_CONTENT_H
#define CORAS_UNIT_TARGET_CONTENT_H

#include "support.h"

#include <string.h>

#include "oci/digest.h"
#include "oci/manifest.h"
#include "target/target.h"

/* Descriptor of a text. Clear it. */
static inline CORAS_UNUSED coras_descriptor describe(const char *media_type, const char *text)
{
    coras_descriptor d = CORAS_DESCRIPTOR_INIT;
    assert_ok(coras_descriptor_of_bytes(media_type, text, strlen(text), &d, NULL), NULL);
    return d;
}

static inline CORAS_UNUSED int push_text(coras_target *t, const char *text, coras_error **err)
{
    coras_auto_value(coras_descriptor) d = describe(CORAS_MT_OCTET_STREAM, text);
    const coras_memory memory = {text, strlen(text)};
    const coras_source source = coras_source_memory(&memory);
    const coras_blob_push push = {.desc = &d, .source = &source};
    return t->ops->push_blob(t, &push, err);
}

/* Text of an image manifest over one layer; `subject` may be NULL. free() it. */
static inline CORAS_UNUSED char *manifest_text(const char *artifact_type, const char *layer,
                                               const coras_descriptor *subject)
{
    coras_manifest m = {.kind = CORAS_KIND_IMAGE, .has_config = true};
    coras_buf out = CORAS_BUF_UNLIMITED;
    coras_descriptor d = describe(CORAS_MT_OCI_LAYER, layer);
    char *text = NULL;
    m.media_type = coras_strdup(CORAS_MT_OCI_MANIFEST);
    m.artifact_type = coras_strdup(artifact_type);
    assert_ok(coras_descriptor_empty(NULL, true, &m.config, NULL), NULL);
    assert_ok(coras_descriptors_add(&m.layers, &d, NULL), NULL);
    if (subject) {
        m.has_subject = true;
        assert_ok(coras_descriptor_copy(&m.subject, subject, NULL), NULL);
    }
    assert_ok(coras_manifest_write(&m, &out, NULL), NULL);
    assert_ok(coras_buf_take(&out, &text, NULL), NULL);
    coras_descriptor_clear(&d);
    coras_manifest_clear(&m);
    return text;
}

/* Push layer, config and manifest; the manifest's descriptor. Clear it. */
static inline CORAS_UNUSED coras_descriptor push_artifact(coras_target *t, const char *tag,
                                                          const char *layer,
                                                          const coras_descriptor *subject)
{
    coras_auto(coras_error) err = NULL;
    coras_auto_free char *text = manifest_text("test/type", layer, subject);
    coras_descriptor d = describe(CORAS_MT_OCI_MANIFEST, text);
    assert_true(push_text(t, layer, &err) >= 0);
    assert_true(push_text(t, CORAS_EMPTY_JSON, &err) >= 0);
    assert_ok(t->ops->push_manifest(t, &d, text, tag, &err), err);
    return d;
}

/* An index over two manifests. Clear the descriptor. */
static inline CORAS_UNUSED coras_descriptor push_index(coras_target *t, const char *tag,
                                                       const coras_descriptor *a,
                                                       const coras_descriptor *b)
{
    coras_auto(coras_error) err = NULL;
    coras_auto_value(coras_manifest) m = {.kind = CORAS_KIND_INDEX};
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    m.media_type = coras_strdup(CORAS_MT_OCI_INDEX);
    assert_ok(coras_descriptors_add(&m.layers, a, NULL), NULL);
    assert_ok(coras_descriptors_add(&m.layers, b, NULL), NULL);
    assert_ok(coras_manifest_write(&m, &out, NULL), NULL);
    coras_descriptor d = describe(CORAS_MT_OCI_INDEX, out.ptr);
    assert_ok(t->ops->push_manifest(t, &d, out.ptr, tag, &err), err);
    return d;
}

static inline CORAS_UNUSED bool join_tag(const char *tag, void *user)
{
    coras_buf *out = user;
    coras_buf_printf(out, "%s%s", out->len ? " " : "", tag);
    return true;
}

static inline CORAS_UNUSED void assert_tags(coras_target *t, const char *last, const char *expected)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;
    assert_ok(t->ops->tags(t, last, join_tag, &out, &err), err);
    assert_string_equal(out.ptr, expected);
}

static inline CORAS_UNUSED bool join_referrer(const coras_descriptor *d, void *user)
{
    coras_buf *out = user;
    char text[CORAS_DIGEST_TEXT_MAX];
    coras_buf_printf(out, "%s%s %s", out->len ? "\n" : "", coras_digest_format(&d->digest, text),
                     d->artifact_type ? d->artifact_type : "-");
    return true;
}

static inline CORAS_UNUSED bool has_content(coras_target *t, const coras_descriptor *d)
{
    coras_auto(coras_error) err = NULL;
    bool ret = false;
    assert_ok(t->ops->exists(t, d, &ret, &err), err);
    return ret;
}

#endif
