/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/cache.h
 * A cache: a target around a target. It reads like the target that it stands before, and keeps what
 * was read in a second one, so that the next reader finds it near.
 *
 * What a reference names is always asked of the origin, so a cache is never stale. What a digest
 * names is looked for in the store first, brought from the origin when it is missing, and kept
 * verified. A copy that does not match its digest any more (a bad disk, somebody's hand) is
 * noticed, brought anew and replaced; the reader gets the right bytes.
 *
 * Several caches, also of several processes, may share one store.
 */
#ifndef CORAS_CACHE_H
#define CORAS_CACHE_H

#include "coras/target.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Put a store before a target.
 *
 * The result is used wherever a target is read: coras_pull(), coras_copy() as the source,
 * coras_fetch_manifest(), coras_fetch_blob(), coras_save_blob(), and all others. Nothing is
 * connected and nothing is read here. Writing goes to the origin alone.
 *
 * A store that cannot be written fails the call that would have kept something in it: a cache that
 * silently keeps nothing would cost every reader a download.
 *
 * @param origin  whose content is kept; borrowed, must outlive the cache
 * @param store   where it is kept: an OCI layout opened with CORAS_LAYOUT_WRITE; borrowed, must
 *                outlive the cache
 * @param ret     the cache; coras_target_close() it before the two others. Untouched on failure
 * @param err     may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_INVALID_ARGUMENT for a store that is no local target, CORAS_ERR_NO_MEMORY
 *
 * Since 0.1.
 * Thread-safe: a cache may be used by several threads at once, as its origin.
 * Spec: image-spec 1.1, "OCI Image Layout Specification", for the store.
 */
CORAS_API CORAS_MUST_CHECK int coras_cache_open(coras_target *origin, coras_target *store,
                                                coras_target **ret, coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
