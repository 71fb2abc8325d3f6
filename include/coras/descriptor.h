/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/descriptor.h
 * Descriptors: what points at content. Spec: image-spec 1.1, "OCI Content Descriptors".
 */
#ifndef CORAS_DESCRIPTOR_H
#define CORAS_DESCRIPTOR_H

#include <stdint.h>
#include "coras/digest.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One annotation. Both strings are owned by the list that holds it. */
typedef struct coras_annotation {
    char *key;
    char *value;
} coras_annotation;

/** Annotations: unique keys, in the order they were added; written sorted by key. */
typedef struct coras_annotations {
    coras_annotation *items;
    size_t len, cap;
} coras_annotations;

/**
 * The value of a key.
 *
 * @param a    borrowed
 * @param key  borrowed, compared exactly
 * @return borrowed from the list, valid until it changes; NULL when the key is absent
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/oci/annotations.c.
 */
CORAS_API const char *coras_annotations_get(const coras_annotations *a, const char *key);

/**
 * Insert a key, or give it another value.
 *
 * @param a      borrowed; changed in place
 * @param key    copied
 * @param value  copied
 * @param err    may be NULL; set only on failure, release with coras_error_free()
 * @return 0, or CORAS_ERR_NO_MEMORY; the list is then as it was
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/oci/annotations.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_annotations_set(coras_annotations *a, const char *key,
                                                     const char *value, coras_error **err);

/**
 * Remove a key.
 *
 * That it is absent is fine.
 *
 * @param a    borrowed; changed in place
 * @param key  borrowed, compared exactly
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/oci/annotations.c.
 */
CORAS_API void coras_annotations_remove(coras_annotations *a, const char *key);

/**
 * Set every annotation of one list in another.
 *
 * @param to    borrowed; changed in place
 * @param from  borrowed; its strings are copied
 * @param err   may be NULL; set only on failure, release with coras_error_free()
 * @return 0, or CORAS_ERR_NO_MEMORY; some may be set then
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/oci/annotations.c.
 */
CORAS_API CORAS_MUST_CHECK int
coras_annotations_merge(coras_annotations *to, const coras_annotations *from, coras_error **err);

/**
 * Release the content of a list, which is empty again and may be used on.
 *
 * @param a  may be NULL or empty
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/oci/annotations.c.
 */
CORAS_API void coras_annotations_clear(coras_annotations *a);

/** A platform. Spec: image-spec 1.1, "Image Index", property `platform`. NULL strings are absent.
 */
typedef struct coras_platform {
    char *architecture;
    char *os;
    char *os_version;
    char **os_features; /**< NULL-terminated list, or NULL */
    char *variant;
} coras_platform;

/**
 * Release the content of a platform, which names nothing again and may be used on.
 *
 * @param p  all zero, or filled by this library; not one with strings of the caller's own
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/oci/platform.c.
 */
CORAS_API void coras_platform_clear(coras_platform *p);

/**
 * A descriptor. A plain record: initialise with CORAS_DESCRIPTOR_INIT (all zero), release with
 * coras_descriptor_clear(). Strings are owned by the record; NULL is absent.
 */
typedef struct coras_descriptor {
    char *media_type;
    coras_digest digest;
    int64_t size; /**< bytes, >= 0 */
    char **urls;  /**< NULL-terminated list, or NULL; never followed by this library */
    coras_annotations annotations;
    void *data; /**< embedded content, verified against digest and size when parsed; or NULL */
    size_t data_len;
    coras_platform *platform; /**< or NULL */
    char *artifact_type;
} coras_descriptor;

#define CORAS_DESCRIPTOR_INIT CORAS_ZERO_INIT

/**
 * A deep copy.
 *
 * @param to    initialised; what it holds is released and replaced, on success only
 * @param from  borrowed
 * @param err   may be NULL; set only on failure, release with coras_error_free()
 * @return 0, or CORAS_ERR_NO_MEMORY
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/oci/descriptor.c.
 */
CORAS_API CORAS_MUST_CHECK int
coras_descriptor_copy(coras_descriptor *to, const coras_descriptor *from, coras_error **err);

/**
 * Make a descriptor of a media type, a digest and a size, and nothing else.
 *
 * @param to          initialised; what it holds is released and replaced, on success only
 * @param media_type  copied
 * @param digest      copied
 * @param size        bytes; at least 0
 * @param err         may be NULL; set only on failure, release with coras_error_free()
 * @return 0, or CORAS_ERR_NO_MEMORY
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/oci/descriptor.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_descriptor_set(coras_descriptor *to, const char *media_type,
                                                    const coras_digest *digest, int64_t size,
                                                    coras_error **err);

/**
 * Release the content of a record, which is CORAS_DESCRIPTOR_INIT again and may be used on.
 *
 * @param d  initialised
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/oci/descriptor.c.
 */
CORAS_API void coras_descriptor_clear(coras_descriptor *d);

/**
 * The file name that a descriptor gives its content: its annotation
 * `org.opencontainers.image.title`.
 *
 * It comes from whoever pushed it and may be any path.
 *
 * @param d  borrowed
 * @return borrowed, valid until the annotations change; NULL when absent
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Spec: image-spec 1.1, "Pre-Defined Annotation Keys".
 */
CORAS_API const char *coras_descriptor_title(const coras_descriptor *d);

/**
 * A descriptor as compact JSON, with its members in the order in which oras writes them.
 *
 * @param d    borrowed
 * @param ret  NUL-terminated text; set on success only; give back with coras_free()
 * @param err  may be NULL; set only on failure, release with coras_error_free()
 * @return 0, or CORAS_ERR_NO_MEMORY
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Spec: image-spec 1.1, "OCI Content Descriptors".
 */
CORAS_API CORAS_MUST_CHECK int coras_descriptor_to_json(const coras_descriptor *d, char **ret,
                                                        coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
