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
 * Parse "algorithm:hex". The only way from text to a digest.
 *
 * @param text  borrowed, NUL-terminated
 * @param ret   set on success only
 * @return 0, or CORAS_ERR_INVALID_DIGEST with one of the messages "invalid checksum digest format",
 *         "invalid checksum digest length", "unsupported digest algorithm"
 */
CORAS_API CORAS_MUST_CHECK int coras_digest_parse(const char *text, coras_digest *ret,
                                                  coras_error **err);

/** Write "algorithm:hex" with terminator into `text` (CORAS_DIGEST_TEXT_MAX bytes). Returns `text`.
 */
CORAS_API char *coras_digest_format(const coras_digest *digest, char *text);

/** Whether algorithm and bytes are equal. */
CORAS_API bool coras_digest_equal(const coras_digest *a, const coras_digest *b);

/** Digest of a piece of memory. `algorithm` must be a registered one. */
CORAS_API CORAS_MUST_CHECK int coras_digest_of(int algorithm, const void *data, size_t len,
                                               coras_digest *ret, coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
