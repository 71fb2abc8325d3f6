/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/digest.h
 * Content digests as values. Spec: image-spec 1.1, "Digests".
 */
#ifndef CORAS_DIGEST_H
#define CORAS_DIGEST_H

#include <stddef.h>
#include "coras/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Registered algorithms that can be verified. */
enum coras_digest_algorithm {
    CORAS_DIGEST_NONE = 0,
    CORAS_SHA256 = 1,
    CORAS_SHA384 = 2,
    CORAS_SHA512 = 3
};

/** Most raw bytes of a digest. */
#define CORAS_DIGEST_BYTES_MAX 64
/** Bytes for the text of any digest, with the terminator: "sha512:" + 128 + NUL. */
#define CORAS_DIGEST_TEXT_MAX 136

/** A digest: algorithm and raw bytes (unused bytes are zero). Plain value; copy by assignment. */
typedef struct coras_digest {
    unsigned char algorithm; /**< enum coras_digest_algorithm; CORAS_DIGEST_NONE = unset */
    unsigned char bytes[CORAS_DIGEST_BYTES_MAX];
} coras_digest;

/**
 * Parse "algorithm:hex".
 *
 * This is the only way from text to a digest, so a digest is always well-formed.
 *
 * @param text  borrowed, NUL-terminated
 * @param ret   set on success only
 * @param err   may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_INVALID_DIGEST for what is no digest; CORAS_ERR_UNSUPPORTED_DIGEST for an
 *         algorithm that cannot be verified; CORAS_ERR_INVALID_ARGUMENT
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Spec: image-spec 1.1, "Digests".
 */
CORAS_API CORAS_MUST_CHECK int coras_digest_parse(const char *text, coras_digest *ret,
                                                  coras_error **err);

/**
 * Write a digest as "algorithm:hex".
 *
 * @param digest  borrowed
 * @param text    room for CORAS_DIGEST_TEXT_MAX bytes; gets the text and its terminator
 * @return `text`
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Spec: image-spec 1.1, "Digests".
 */
CORAS_API char *coras_digest_format(const coras_digest *digest, char *text);

/**
 * Whether two digests are the same: algorithm and bytes.
 *
 * @param a  borrowed
 * @param b  borrowed
 * @return true when they are
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/oci/digest.c.
 */
CORAS_API bool coras_digest_equal(const coras_digest *a, const coras_digest *b);

/**
 * The digest of a piece of memory.
 *
 * @param algorithm  CORAS_SHA256, CORAS_SHA384 or CORAS_SHA512
 * @param data       borrowed; may be NULL when `len` is 0
 * @param len        bytes
 * @param ret        set on success only
 * @param err        may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_UNSUPPORTED_DIGEST or CORAS_ERR_INVALID_ARGUMENT for another algorithm;
 *         CORAS_ERR_NO_MEMORY
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/oci/digest.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_digest_of(int algorithm, const void *data, size_t len,
                                               coras_digest *ret, coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
