/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/read.h
 * Looking into an artifact without pulling it: which files it has, and a part of one of them.
 */
#ifndef CORAS_READ_H
#define CORAS_READ_H

#include <stddef.h>
#include <stdint.h>
#include "coras/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Find a file of an artifact by its name.
 *
 * Fetches the manifest that `reference` names, verifies it and looks at the titles of its layers;
 * the first that is equal to `name` counts. Of an index it is the manifest for `platform`.
 *
 * @param target     borrowed
 * @param reference  tag or digest in text form; borrowed
 * @param name       title of the file, such as "model.safetensors"; borrowed
 * @param platform   which manifest of an index; borrowed; NULL when `reference` names an artifact
 * @param ret        initialised with CORAS_DESCRIPTOR_INIT; set on success only, release with
 *                   coras_descriptor_clear()
 * @param err        may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND when there is no such reference, platform or file;
 *         CORAS_ERR_UNSUPPORTED for an index without `platform`; CORAS_ERR_INVALID_MANIFEST,
 *         CORAS_ERR_INVALID_ARGUMENT, CORAS_ERR_UNAUTHORIZED, any transport error
 *
 * Blocking. Several threads may use one target. Since 0.1. Source: src/ops/read.c.
 * Spec: image-spec 1.1, annotation `org.opencontainers.image.title`.
 */
CORAS_API CORAS_MUST_CHECK int coras_find_file(coras_target *target, const char *reference,
                                               const char *name, const coras_platform *platform,
                                               coras_descriptor *ret, coras_error **err);

/**
 * Read some bytes of one file into memory of the caller.
 *
 * What was cut is asked for again from where it stopped, as long as trying helps. A part of a file
 * is NOT covered by its digest: whoever serves it can put in what they like, unnoticed. Use it over
 * a connection to a registry that you trust, or on content that is checked by other means; whole
 * content is verified by coras_fetch_bytes() and coras_save_blob().
 *
 * @param target  borrowed
 * @param desc    the file, as coras_find_file() gives it; borrowed
 * @param offset  bytes to leave out before the first; at least 0
 * @param length  bytes to read; `offset + length` is at most `desc->size`; 0 is allowed
 * @param buffer  room for `length` bytes; after a failure its content is undefined
 * @param err     may be NULL; set only on failure, release with coras_error_free()
 * @return 0 with all `length` bytes read; CORAS_ERR_INVALID_ARGUMENT for a range outside the file;
 *         CORAS_ERR_RANGE when the registry serves whole files only and `offset` is not 0;
 *         CORAS_ERR_SIZE_MISMATCH when the file ends before the range; CORAS_ERR_NOT_FOUND,
 *         CORAS_ERR_UNAUTHORIZED, any transport error
 *
 * Blocking. Several threads may use one target. Since 0.1. Source: src/ops/read.c.
 * Spec: distribution-spec 1.1, "Pulling blobs"; RFC 9110, section 14.
 */
CORAS_API CORAS_MUST_CHECK int coras_read_range(coras_target *target, const coras_descriptor *desc,
                                                int64_t offset, size_t length, void *buffer,
                                                coras_error **err);

/** One part of one file, and where it goes. All zero but for what is needed is fine. */
typedef struct coras_range_read {
    const coras_descriptor *desc; /**< the file; borrowed */
    int64_t offset;               /**< bytes to leave out before the first; at least 0 */
    size_t length;                /**< bytes to read; `offset + length` is at most `desc->size` */
    void *buffer;                 /**< room for `length` bytes, of the caller */
    void *tag;                    /**< for the caller; not looked at */
    /** Set at the end: the file was read whole by the ranges of this call, and the bytes have its
     * digest. */
    bool verified;
} coras_range_read;

/** How to read many ranges. Zero is default. */
typedef struct coras_read_options {
    size_t size; /**< sizeof(coras_read_options) */
    /** Ranges of one file that are at most so many bytes apart are read by one request, and what
     * lies between them is thrown away; 0: 1 MiB; negative: never. */
    int64_t gap;
    /**
     * Told once for each range, when the last of its bytes has arrived: before the digest of the
     * file is known. Called on a thread of the library, one call at a time; must not call back into
     * this library, nor wait long. `range` is a member of the caller's array. May be NULL.
     */
    void (*on_range)(const coras_range_read *range, void *user);
    void *user; /**< for on_range */
} coras_read_options;
#define CORAS_READ_OPTIONS_INIT CORAS_SIZED_INIT(coras_read_options)

/**
 * Read parts of files into memory of the caller, over several connections.
 *
 * The order of requests is by file (as the files come first in `ranges`) and offset, whatever the
 * order of the ranges; neighbours share a request, long ranges are read over several connections at
 * a time. Ranges may overlap. What was cut goes on where it stopped.
 *
 * When ranges of one call make up a whole file, its digest is checked at the end. Other bytes are
 * NOT covered by a digest, as with coras_read_range().
 *
 * @param target  borrowed
 * @param ranges  borrowed for the call; `verified` is set in each on success
 * @param count   how many ranges
 * @param opts    borrowed for the call; NULL for defaults
 * @param run     concurrency and cancelling; borrowed for the call; NULL for defaults
 * @param err     may be NULL; set only on failure, release with coras_error_free()
 * @return 0 with everything read; after a failure the content of all buffers is undefined:
 *         CORAS_ERR_INVALID_ARGUMENT for a range outside its file; CORAS_ERR_DIGEST_MISMATCH for a
 *         file that was read whole; CORAS_ERR_RANGE when the registry serves whole files only and
 *         a range does not begin at 0; CORAS_ERR_SIZE_MISMATCH, CORAS_ERR_NOT_FOUND,
 *         CORAS_ERR_UNAUTHORIZED, CORAS_ERR_CANCELLED, CORAS_ERR_NO_MEMORY, any transport error
 *
 * Blocking. Several threads may use one target. Since 0.1. Source: src/ops/read_ranges.c.
 * Spec: distribution-spec 1.1, "Pulling blobs"; RFC 9110, section 14.
 */
CORAS_API CORAS_MUST_CHECK int coras_read_ranges(coras_target *target, coras_range_read *ranges,
                                                 size_t count, const coras_read_options *opts,
                                                 const coras_run_options *run, coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
