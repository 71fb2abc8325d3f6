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
 * Parse and validate. `name:tag@digest` keeps the digest; an empty tag or digest counts as none.
 *
 * @return 0, or CORAS_ERR_INVALID_REFERENCE with the message "invalid reference: …" that names the
 *         first part that is wrong (registry, repository, tag, digest in this order)
 */
CORAS_API CORAS_MUST_CHECK int coras_reference_parse(const char *text, coras_reference *ret,
                                                     coras_error **err);

/** Validate a bare registry `host[:port]`. */
CORAS_API CORAS_MUST_CHECK int coras_registry_validate(const char *host, coras_error **err);
/** Validate a repository name. Spec: distribution-spec 1.1, "Pulling manifests" (name grammar). */
CORAS_API CORAS_MUST_CHECK int coras_repository_validate(const char *name, coras_error **err);
/** Validate a tag: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`; message `invalid reference: invalid tag
 * "x"`. */
CORAS_API CORAS_MUST_CHECK int coras_tag_validate(const char *tag, coras_error **err);
/** Whether a media type matches RFC 6838 `type/subtype`. */
CORAS_API bool coras_media_type_is_valid(const char *media_type);

/** Free the content. */
CORAS_API void coras_reference_clear(coras_reference *r);

#ifdef __cplusplus
}
#endif
#endif
