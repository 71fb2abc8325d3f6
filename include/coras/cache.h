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

#include "coras/ops.h"
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

/* ---- what a cache holds -------------------------------------------------------------------- */

/** One model of a cache (coras/model_path.h). */
typedef struct coras_cached_model {
    coras_digest digest; /**< of what its reference named */
    char *reference;     /**< a name by which it was asked for; NULL: only by digest */
    char *path;          /**< its directory, absolute */
    int64_t bytes;       /**< of its files; those that it shares with others are counted too */
    int64_t last_use;    /**< seconds since 1970 */
    bool is_leased;      /**< somebody holds its lease */
    bool is_intact;      /**< its files are what its record says; false while it is made, too */
} coras_cached_model;

/** What a cache holds. */
typedef struct coras_cache_contents {
    char *directory; /**< absolute */
    coras_cached_model *models;
    size_t model_count;
    size_t blob_count;  /**< of its content, manifests included */
    int64_t blob_bytes; /**< of those that are no model's file */
    int64_t bytes;      /**< of all, each file once */
} coras_cache_contents;

/**
 * Release what coras_cache_list() has told, which is empty again.
 *
 * @param contents  all zero, or filled by coras_cache_list()
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/ops/cache/list.c.
 */
CORAS_API void coras_cache_contents_clear(coras_cache_contents *contents);

/**
 * Look at a cache. Nothing is read but names, sizes and times.
 *
 * @param directory  the cache; NULL: `content` in the cache directory of the run's environment
 * @param run        the environment; borrowed for the call; NULL for defaults
 * @param ret        what there is; set on success only, release with coras_cache_contents_clear()
 * @param err        may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND when there is no such cache; CORAS_ERR_INVALID_ARGUMENT when no
 *         directory is known; CORAS_ERR_CONFIG for a directory that is no cache; CORAS_ERR_IO,
 *         CORAS_ERR_NO_MEMORY
 *
 * Blocking. Thread-safe.
 * Since 0.1.
 * Source: src/ops/cache/list.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_cache_list(const char *directory, const coras_run_options *run,
                                                coras_cache_contents *ret, coras_error **err);

/** What may go. Zero takes nothing away. */
typedef struct coras_cache_prune_options {
    size_t size;           /**< sizeof(coras_cache_prune_options) */
    const char *directory; /**< as of coras_cache_list() */
    bool limits_bytes;     /**< keep no more than max_bytes: what was used longest ago goes first */
    int64_t max_bytes;
    bool limits_age; /**< keep nothing that was used longer ago than max_age_s seconds */
    int64_t max_age_s;
} coras_cache_prune_options;
#define CORAS_CACHE_PRUNE_OPTIONS_INIT CORAS_SIZED_INIT(coras_cache_prune_options)

/** What has gone. */
typedef struct coras_cache_pruned {
    size_t models;      /**< that were taken away */
    size_t blobs;       /**< further content, unfinished too */
    int64_t bytes;      /**< that are free now */
    int64_t left;       /**< bytes that the cache holds now */
    size_t kept_in_use; /**< models that would have gone, but somebody reads or makes them */
} coras_cache_pruned;

/**
 * Take away from a cache what was not used for long.
 *
 * A model whose lease somebody holds stays, and so does what is being written. The time of the last
 * use of a model is that of the last coras_model_path(), that of other content when it was read or
 * came, as far as the file system tells. Another process may fill the cache meanwhile; one that
 * reads content through it at the very moment at which that goes fails and may be run again.
 *
 * @param opts  what may go; borrowed for the call; NULL for defaults
 * @param run   the environment and cancelling; borrowed for the call; NULL for defaults
 * @param ret   what has gone; set on success only
 * @param err   may be NULL; set only on failure, release with coras_error_free()
 * @return 0; the errors of coras_cache_list(); CORAS_ERR_CANCELLED
 *
 * Blocking. Thread-safe.
 * Since 0.1.
 * Source: src/ops/cache/prune.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_cache_prune(const coras_cache_prune_options *opts,
                                                 const coras_run_options *run,
                                                 coras_cache_pruned *ret, coras_error **err);

/** What coras_cache_verify() is to do. */
typedef struct coras_cache_verify_options {
    size_t size;           /**< sizeof(coras_cache_verify_options) */
    const char *directory; /**< as of coras_cache_list() */
    bool remove; /**< take away what is damaged; the next reader brings it again. A model that
                    somebody reads keeps its files and is made anew for the next caller */
} coras_cache_verify_options;
#define CORAS_CACHE_VERIFY_OPTIONS_INIT CORAS_SIZED_INIT(coras_cache_verify_options)

/** What was found. */
typedef struct coras_cache_report {
    char **damaged; /**< names below the directory: `blobs/…`, `models/…`; NULL-terminated */
    size_t damaged_count;
    size_t checked; /**< files that were read whole */
    int64_t bytes;  /**< in them */
    size_t looked; /**< files of models that were unpacked: no digest is known of them, so that only
                      their sizes and times were compared */
} coras_cache_report;

/**
 * Release what coras_cache_verify() has told, which is empty again.
 *
 * @param report  all zero, or filled by coras_cache_verify()
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/ops/cache/verify.c.
 */
CORAS_API void coras_cache_report_clear(coras_cache_report *report);

/**
 * Read everything in a cache and compare it with its digest.
 *
 * @param opts  which cache; borrowed for the call; NULL for defaults
 * @param run   the environment and cancelling; borrowed for the call; NULL for defaults
 * @param ret   what was found; set on success only, release with coras_cache_report_clear()
 * @param err   may be NULL; set only on failure, release with coras_error_free()
 * @return 0, also when something is damaged; the errors of coras_cache_list(); CORAS_ERR_CANCELLED
 *
 * Blocking: reads every byte. Thread-safe.
 * Since 0.1.
 * Source: src/ops/cache/verify.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_cache_verify(const coras_cache_verify_options *opts,
                                                  const coras_run_options *run,
                                                  coras_cache_report *ret, coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
