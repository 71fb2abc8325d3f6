/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/model_path.h
 * From a reference to the path that an engine opens, through a cache that programs share.
 *
 * A cache is a directory: an OCI layout (coras/cache.h) that has `models/` beside its content.
 * There each model has a directory, named by the digest of what its reference stands for, which
 * appears at once and complete. Its files are hard links to the cache's blobs where they are the
 * same bytes, so a model takes its size once. They are read-only; mode and time are the cache's.
 *
 * A program that reads a model for longer than a moment holds its lease: `models/<name>.lease`,
 * locked by flock(LOCK_SH). As long as somebody holds it, coras_cache_prune() leaves the model. It
 * may have been pruned between the answer and the lock: ask again while holding it, which is cheap.
 */
#ifndef CORAS_MODEL_PATH_H
#define CORAS_MODEL_PATH_H

#include "coras/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Which cache, and how. Zero is default. */
typedef struct coras_model_path_options {
    size_t size;       /**< sizeof(coras_model_path_options) */
    const char *cache; /**< its directory; NULL: `content` in the environment's cache directory */
    const char *name;  /**< what the reference is called with registry and repository: under this
                          name the model is found again with `no_pull`; NULL: only by digest */
    bool no_pull;      /**< ask nobody: what is not in the cache is an error */
} coras_model_path_options;
#define CORAS_MODEL_PATH_OPTIONS_INIT CORAS_SIZED_INIT(coras_model_path_options)

/** Where a model is. */
typedef struct coras_model_place {
    coras_digest digest; /**< of what the reference names */
    char *path;          /**< absolute: of safetensors the directory with `config.json`, of GGUF the
                            file, of a split one the first */
    const char *format;  /**< "safetensors" or "gguf"; static */
    char *lease;         /**< absolute: the file whose lock keeps the model */
    bool was_pulled;     /**< it was not there before */
    char *remark;        /**< for people: what else was there to choose; or NULL */
} coras_model_place;

/**
 * Release what coras_model_path() has told, which is empty again.
 *
 * @param place  all zero, or filled by coras_model_path()
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/ops/models/path.c.
 */
CORAS_API void coras_model_place_clear(coras_model_place *place);

/**
 * Tell where a model is in the cache, and pull it into the cache when it is not.
 *
 * What is there costs one request (what does the tag stand for now), none when the reference is a
 * digest or with `no_pull`. Of several callers, also in other processes, one pulls and the others
 * wait. A model whose files are not what was put there, or not all there, is made anew.
 *
 * @param source     where it comes from, without a cache before it; borrowed; may be NULL with
 *                   `no_pull`
 * @param reference  tag or digest in text form; borrowed
 * @param opts       which cache; borrowed for the call; NULL for defaults
 * @param run        events, cancelling and limits; borrowed for the call; NULL for defaults
 * @param ret        where it is; set on success only, release with coras_model_place_clear()
 * @param err        may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND, with `no_pull` also for what is not in the cache;
 *         CORAS_ERR_UNSUPPORTED for a package without a model in it; CORAS_ERR_INVALID_ARGUMENT
 *         when no directory is known; the errors of coras_model_get()
 *
 * Blocking. Several threads may use one target at a time. Events come on the calling thread.
 * Since 0.1.
 * Source: src/ops/models/path.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_model_path(coras_target *source, const char *reference,
                                                const coras_model_path_options *opts,
                                                const coras_run_options *run,
                                                coras_model_place *ret, coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
