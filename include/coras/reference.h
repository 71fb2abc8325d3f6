/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/reference.h
 * References: `<registry>/<repository>[:<tag>|@<digest>]`. No part is ever defaulted.
 */
#ifndef CORAS_REFERENCE_H
#define CORAS_REFERENCE_H

#include "coras/digest.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A parsed reference. All strings owned; `repository` is NULL for a bare registry. */
typedef struct coras_reference {
    char *registry;   /**< host[:port] as typed */
    char *repository; /**< or NULL */
    char *reference;  /**< tag or digest text; NULL when none was given */
    bool is_digest;   /**< `reference` is a digest */
} coras_reference;

/**
 * Parse and validate a reference.
 *
 * `name:tag@digest` keeps the digest; an empty tag or digest counts as none.
 *
 * @param text  borrowed, NUL-terminated
 * @param ret   set on success only; release with coras_reference_clear()
 * @param err   may be NULL; set only on failure, release with coras_error_free()
 * @return 0, or CORAS_ERR_INVALID_REFERENCE with a message that names the first part that is wrong
 *         (registry, repository, tag, digest, in this order); CORAS_ERR_NO_MEMORY
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Pulling manifests".
 */
CORAS_API CORAS_MUST_CHECK int coras_reference_parse(const char *text, coras_reference *ret,
                                                     coras_error **err);

/**
 * Validate a bare registry.
 *
 * @param host  host name or address, with a port where one is meant; borrowed
 * @param err   may be NULL; set only on failure, release with coras_error_free()
 * @return 0, or CORAS_ERR_INVALID_REFERENCE
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/oci/reference.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_registry_validate(const char *host, coras_error **err);

/**
 * Validate the name of a repository.
 *
 * @param name  such as "models/tiny"; borrowed
 * @param err   may be NULL; set only on failure, release with coras_error_free()
 * @return 0, or CORAS_ERR_INVALID_REFERENCE
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Pulling manifests" (grammar of names).
 */
CORAS_API CORAS_MUST_CHECK int coras_repository_validate(const char *name, coras_error **err);

/**
 * Validate a tag: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
 *
 * @param tag  borrowed
 * @param err  may be NULL; set only on failure, release with coras_error_free()
 * @return 0, or CORAS_ERR_INVALID_REFERENCE
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Pulling manifests" (grammar of tags).
 */
CORAS_API CORAS_MUST_CHECK int coras_tag_validate(const char *tag, coras_error **err);

/**
 * Whether a text is a media type: `type/subtype` as RFC 6838 has it, without parameters.
 *
 * @param media_type  borrowed
 * @return true when it is
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Spec: RFC 6838, section 4.2.
 */
CORAS_API bool coras_media_type_is_valid(const char *media_type);

/**
 * Release the content of a reference, which is empty again.
 *
 * @param r  all zero, or filled by coras_reference_parse()
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/oci/reference.c.
 */
CORAS_API void coras_reference_clear(coras_reference *r);

#ifdef __cplusplus
}
#endif
#endif
