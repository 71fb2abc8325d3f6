/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/index.h
 * Making and changing image indexes from manifests of one repository. Nothing here pushes: the
 * result is bytes and a descriptor for coras_push_manifest().
 */
#ifndef CORAS_INDEX_H
#define CORAS_INDEX_H

#include "coras/target.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What happens to a manifest on its way into an index. */
enum coras_index_step {
    CORAS_INDEX_FETCHING = 1, /**< `name` is about to be fetched; no digest yet */
    CORAS_INDEX_FETCHED,
    CORAS_INDEX_REMOVED, /**< `name` is NULL */
    CORAS_INDEX_ADDED,
    CORAS_INDEX_MERGED
};

/**
 * Told before and after each step, on the calling thread.
 * @param digest  NULL with FETCHING
 * @param name    the reference as the caller gave it; NULL with REMOVED
 */
typedef void (*coras_index_step_fn)(enum coras_index_step step, const coras_digest *digest,
                                    const char *name, void *user);

/** Options of both functions. Zero is default. Strings are borrowed for the call. */
typedef struct coras_index_options {
    size_t size;                          /**< sizeof(coras_index_options) */
    const char *artifact_type;            /**< NULL: none, or as it was */
    const coras_annotations *annotations; /**< create only; NULL: none */
    coras_index_step_fn on_step;          /**< may be NULL */
    void *user;                           /**< for on_step */
    /** Update only: NULL-terminated lists or NULL; carried out in this order. */
    const char *const *remove; /**< digests */
    const char *const *add;    /**< references of manifests */
    const char *const *merge;  /**< references of indexes whose entries are appended */
} coras_index_options;
#define CORAS_INDEX_OPTIONS_INIT CORAS_SIZED_INIT(coras_index_options)

/**
 * Make an index of manifests.
 *
 * The platform of an entry comes from its config, the artifact type from the manifest.
 *
 * @param target     where the manifests are; borrowed
 * @param sources    NULL-terminated tags or digests in `target`; an empty list is allowed; borrowed
 * @param opts       borrowed for the call; NULL for defaults
 * @param ret        of the new index; initialised with CORAS_DESCRIPTOR_INIT; set on success only,
 *                   release with coras_descriptor_clear()
 * @param ret_bytes  its bytes, `ret->size` of them and a terminator; set on success only; give back
 *                   with coras_free()
 * @param err        may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND for a manifest that is not there; CORAS_ERR_INVALID_MANIFEST for
 *         what is none; CORAS_ERR_INVALID_ARGUMENT for the artifact type; CORAS_ERR_TOO_LARGE,
 *         CORAS_ERR_UNAUTHORIZED, any transport error
 *
 * Blocking. Several threads may use one target at a time. Steps are told on the calling thread.
 * Since 0.1.
 * Spec: image-spec 1.1, "OCI Image Index Specification".
 */
CORAS_API CORAS_MUST_CHECK int coras_index_create(coras_target *target, const char *const *sources,
                                                  const coras_index_options *opts,
                                                  coras_descriptor *ret, char **ret_bytes,
                                                  coras_error **err);

/**
 * Make a changed copy of an index: remove, then add, then merge.
 *
 * Entries are appended; an artifact type of "" takes the old one away.
 *
 * @param target     where the index and the manifests are; borrowed
 * @param reference  tag or digest of the index; borrowed
 * @param opts       what to change; borrowed for the call; not NULL
 * @param ret        of the new index; initialised with CORAS_DESCRIPTOR_INIT; set on success only,
 *                   release with coras_descriptor_clear()
 * @param ret_bytes  its bytes, `ret->size` of them and a terminator; set on success only; give back
 *                   with coras_free()
 * @param err        may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND for a manifest that or digest that is not there or not in the
 *         index; CORAS_ERR_NOT_AN_INDEX; CORAS_ERR_INVALID_MANIFEST for what is none;
 *         CORAS_ERR_INVALID_ARGUMENT for the artifact type; CORAS_ERR_TOO_LARGE,
 *         CORAS_ERR_UNAUTHORIZED, any transport error
 *
 * Blocking. Several threads may use one target at a time. Steps are told on the calling thread.
 * Since 0.1.
 * Spec: image-spec 1.1, "OCI Image Index Specification".
 */
CORAS_API CORAS_MUST_CHECK int coras_index_update(coras_target *target, const char *reference,
                                                  const coras_index_options *opts,
                                                  coras_descriptor *ret, char **ret_bytes,
                                                  coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
