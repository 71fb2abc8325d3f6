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

/** Value of a key, borrowed; NULL when absent. */
CORAS_API const char *coras_annotations_get(const coras_annotations *a, const char *key);
/** Insert or replace; strings are copied. */
CORAS_API CORAS_MUST_CHECK int coras_annotations_set(coras_annotations *a, const char *key,
                                                     const char *value, coras_error **err);
/** Remove a key; absent is fine. */
CORAS_API void coras_annotations_remove(coras_annotations *a, const char *key);
/** Set every annotation of `from` in `to`. */
CORAS_API CORAS_MUST_CHECK int
coras_annotations_merge(coras_annotations *to, const coras_annotations *from, coras_error **err);
/** Free the content; the struct is empty again. */
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

/** Deep copy; `to` must be initialised and is overwritten on success only. */
CORAS_API CORAS_MUST_CHECK int
coras_descriptor_copy(coras_descriptor *to, const coras_descriptor *from, coras_error **err);
/** mediaType, digest and size only. */
CORAS_API CORAS_MUST_CHECK int coras_descriptor_set(coras_descriptor *to, const char *media_type,
                                                    const coras_digest *digest, int64_t size,
                                                    coras_error **err);
/** Free the content; the record is CORAS_DESCRIPTOR_INIT again. */
CORAS_API void coras_descriptor_clear(coras_descriptor *d);
/** The file name: annotation `org.opencontainers.image.title`; NULL when absent. Borrowed. */
CORAS_API const char *coras_descriptor_title(const coras_descriptor *d);
/** Compact JSON with members in the order that Go's oras writes; free() the result. */
CORAS_API CORAS_MUST_CHECK int coras_descriptor_to_json(const coras_descriptor *d, char **ret,
                                                        coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
