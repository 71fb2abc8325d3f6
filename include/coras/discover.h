/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/discover.h
 * What refers to a manifest: signatures, attestations, bills of materials, and what refers to
 * those.
 */
#ifndef CORAS_DISCOVER_H
#define CORAS_DISCOVER_H

#include "coras/target.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A manifest with what refers to it. Owned by its parent; the root by the caller. */
typedef struct coras_referrer {
    coras_descriptor desc;        /**< with artifact type and annotations, as the target lists it */
    struct coras_referrer *items; /**< what refers to `desc`, in the target's order */
    size_t len;                   /**< of `items` */
    size_t cap;                   /**< room in `items`; the library's business */
} coras_referrer;

/** The empty tree, for initialising. */
#define CORAS_REFERRER_INIT                                                                        \
    {                                                                                              \
        CORAS_DESCRIPTOR_INIT, NULL, 0, 0                                                          \
    }

/**
 * Free a tree with everything in it; the struct is CORAS_REFERRER_INIT again.
 *
 * @param root  an initialised tree, empty or not
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/ops/discover.c.
 */
CORAS_API void coras_referrer_clear(coras_referrer *root);

/** What to look for. All zero is everything. Strings are borrowed for the call. */
typedef struct coras_discover_options {
    size_t size;                    /**< sizeof(coras_discover_options) */
    const coras_platform *platform; /**< which manifest of an index; NULL: the index itself */
    const char *artifact_type;      /**< only referrers of this type; NULL: all */
    int depth; /**< levels below the manifest; <= 0 or more than 64: all, if they are not more than
                  64 */
} coras_discover_options;
/** No options: everything that refers to the manifest. */
#define CORAS_DISCOVER_OPTIONS_INIT CORAS_SIZED_INIT(coras_discover_options)

/**
 * Find what refers to a manifest, as a tree.
 *
 * Depth first. A manifest that was met before is listed again, and not descended into, so that a
 * graph that refers back to itself ends. With an artifact type only referrers of that type are
 * listed and followed.
 *
 * @param target     where to look; borrowed
 * @param reference  tag or digest of the manifest
 * @param opts       NULL: everything
 * @param ret        the manifest with its referrers; an initialised tree, set on success only;
 *                   coras_referrer_clear()
 * @param err        may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND (no such reference, or nothing for the platform),
 *         CORAS_ERR_UNSUPPORTED (not a manifest), CORAS_ERR_TOO_LARGE (more referrers than a
 *         process should hold, or more levels; a smaller depth may do), any transport error
 *
 * Blocking; thread-safe. Spec: distribution-spec 1.1, "Listing Referrers".
 * Since 0.1.
 */
CORAS_API CORAS_MUST_CHECK int coras_discover(coras_target *target, const char *reference,
                                              const coras_discover_options *opts,
                                              coras_referrer *ret, coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
