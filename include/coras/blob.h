/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/blob.h
 * Single blobs, outside of any artifact.
 */
#ifndef CORAS_BLOB_H
#define CORAS_BLOB_H

#include "coras/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Digest of an open file, read from its first byte to its end.
 *
 * @param algorithm  a registered one (enum coras_digest_algorithm)
 * @param fd         regular file; borrowed, its position is neither used nor moved
 * @param ret        set on success only
 * @param err        may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_IO, CORAS_ERR_NO_MEMORY, CORAS_ERR_INVALID_DIGEST for another algorithm
 *
 * Blocking; thread-safe. Spec: image-spec 1.1, "Digests".
 * Since 0.1.
 */
CORAS_API CORAS_MUST_CHECK int coras_digest_of_file(int algorithm, int fd, coras_digest *ret,
                                                    coras_error **err);

/**
 * Upload one blob from an open file unless the target has it.
 *
 * The digest is the caller's word; a registry refuses content that does not match it. Reports
 * START, PROGRESS, RETRYING and DONE or FAILED, or EXISTS alone.
 *
 * @param target  borrowed
 * @param desc    digest and size of the content; `media_type` only names it in events; borrowed
 * @param fd      regular file that holds the content from offset 0; borrowed, its position is not
 *                used
 * @param run     events, cancelling and limits; borrowed for the call; NULL for defaults
 * @param err     may be NULL; set only on failure, release with coras_error_free()
 * @return 0; 1 if the blob was already there and nothing was sent; CORAS_ERR_DIGEST_MISMATCH,
 *         CORAS_ERR_CHANGED when the file changed meanwhile, CORAS_ERR_UNAUTHORIZED,
 *         CORAS_ERR_DENIED, CORAS_ERR_CANCELLED, any transport error
 *
 * Blocking. Several threads may use one target at a time. Events come on the calling thread.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Pushing blobs".
 */
CORAS_API CORAS_MUST_CHECK int coras_push_blob(coras_target *target, const coras_descriptor *desc,
                                               int fd, const coras_run_options *run,
                                               coras_error **err);

/**
 * Download one blob to a file.
 *
 * The file appears under its name when all its bytes are verified and on disk; until then they are
 * in a file beside it, which a later call goes on from. Reports START, PROGRESS, RETRYING and DONE
 * or FAILED.
 *
 * @param target  borrowed
 * @param desc    digest and size; borrowed
 * @param path    in a directory that exists; an existing file is replaced, its permissions stay;
 *                borrowed
 * @param run     events, cancelling and limits; borrowed for the call; NULL for defaults
 * @param err     may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND, CORAS_ERR_DIGEST_MISMATCH, CORAS_ERR_SIZE_MISMATCH,
 *         CORAS_ERR_NO_SPACE, CORAS_ERR_IO, CORAS_ERR_UNAUTHORIZED, CORAS_ERR_CANCELLED, any
 *         transport error
 *
 * Blocking. Several threads may use one target at a time. Events come on the calling thread.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Pulling blobs".
 */
CORAS_API CORAS_MUST_CHECK int coras_save_blob(coras_target *target, const coras_descriptor *desc,
                                               const char *path, const coras_run_options *run,
                                               coras_error **err);

/**
 * Bring one blob from one target to another unless that has it.
 *
 * What was cut goes on where it stopped, in a local target also in a later process; every byte is
 * verified. Reports START, PROGRESS, RETRYING and DONE or FAILED, or EXISTS alone.
 *
 * @param from  borrowed
 * @param to    borrowed
 * @param desc  digest and size; `media_type` decides whether `from` has it among its manifests;
 *              borrowed
 * @param run   events, cancelling and limits; borrowed for the call; NULL for defaults
 * @param err   may be NULL; set only on failure, release with coras_error_free()
 * @return 0; 1 if the blob was already there and nothing was sent; CORAS_ERR_NOT_FOUND,
 *         CORAS_ERR_DIGEST_MISMATCH, CORAS_ERR_SIZE_MISMATCH, CORAS_ERR_NO_SPACE, CORAS_ERR_IO,
 *         CORAS_ERR_UNAUTHORIZED, CORAS_ERR_CANCELLED, any transport error
 *
 * Blocking. Several threads may use both targets at a time. Events come on the calling thread.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Pulling blobs" and "Pushing blobs".
 */
CORAS_API CORAS_MUST_CHECK int coras_copy_blob(coras_target *from, coras_target *to,
                                               const coras_descriptor *desc,
                                               const coras_run_options *run, coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
