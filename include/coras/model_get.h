/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/model_get.h
 * From a reference to a directory that an engine can load, whichever tool packed the model.
 */
#ifndef CORAS_MODEL_GET_H
#define CORAS_MODEL_GET_H

#include "coras/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Where to put a model, and which. */
typedef struct coras_model_get_options {
    size_t size;                    /**< sizeof(coras_model_get_options) */
    const char *output;             /**< directory; NULL: "." */
    const coras_platform *platform; /**< pick from an index; NULL: its only entry, else the one for
                                       Linux and the architecture of this machine */
    /** Only tensors whose names match one of these patterns (as in coras_selection, where a dot is
     * a character like others; NULL-terminated): new safetensors files that hold nothing else, and
     * the small documents of the model. NULL: whole files. */
    const char *const *tensors;
    /** Of those tensors (without `tensors`: of all) the part of one of `shard_count` processes,
     * counted from 0: the rows that belong to it of a tensor with two dimensions or more, others
     * whole. `shard_count` 0: all rows. */
    int shard;
    int shard_count;                  /**< see `shard` */
    const coras_selection *selection; /**< which files; NULL: all */
    coras_plan *plan;                 /**< not NULL: a dry run, as of coras_pull(); with `tensors`
                                         sizes are what would be moved of the content */
    bool shared; /**< files may be hard links into the cache that `source` is (coras/cache.h):
                    recorded modes and times are not restored, and nobody may write to the files */
    bool safe;   /**< scan first (coras_model_scan()), and pull nothing when something of medium
                    severity or worse is found */
} coras_model_get_options;
#define CORAS_MODEL_GET_OPTIONS_INIT CORAS_SIZED_INIT(coras_model_get_options)

/** What coras_model_get() did. */
typedef struct coras_model_got {
    coras_descriptor root; /**< the manifest whose files they are; of an index the picked entry */
    const char *package;   /**< who packed it: "oras", "modelpack", "docker", "ollama", "kitops" or
                              "modelcar"; static */
    coras_pulled_file *files; /**< in the order of the manifest; an archive is its directory */
    size_t file_count;
    char **warnings; /**< for people, escaped; NULL-terminated list, or NULL */
} coras_model_got;

/**
 * Release what coras_model_get() has told, which is empty again.
 *
 * @param got  all zero, or filled by coras_model_get()
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/ops/models/pull.c.
 */
CORAS_API void coras_model_got_clear(coras_model_got *got);

/**
 * Pull a model: every package form becomes the directory that engines want.
 *
 * Files get the mode and the time that the package recorded, else the usual ones. All of the
 * promises of coras_pull() hold: a final name appears only when its bytes are verified and on disk,
 * what is already right is left alone (SKIPPED), what was cut goes on where it stopped. The config
 * of the package is no file of the model and is not written. Links of archives become files when
 * they lead to files of the package.
 *
 * With `tensors` or `shard_count` only the bytes of those tensors are moved, and what lies between
 * two that are at most 1 MiB apart. Shards are then counted anew, with an index.json where several
 * remain, and all files appear at once at the end. No digest covers a part of a blob: what comes so
 * is NOT verified, and a warning says it.
 *
 * @param source     borrowed
 * @param reference  tag or digest in text form; borrowed
 * @param opts       where to; borrowed for the call; NULL for defaults
 * @param run        events, cancelling and limits; borrowed for the call; NULL for defaults
 * @param ret        what was done; set on success only, release with coras_model_got_clear()
 * @param err        may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_UNSAFE_MODEL when `safe` was asked for and code was found;
 *         CORAS_ERR_UNSUPPORTED for what cannot be laid down, with what there is in the message;
 *         CORAS_ERR_NOTHING_CHOSEN for a selection that takes nothing; CORAS_ERR_INVALID_ARGUMENT
 *         for a pattern that is none, and for a dry run or a selection of tensors;
 *         CORAS_ERR_NOT_FOUND; CORAS_ERR_NO_PLATFORM; CORAS_ERR_UNSAFE_PATH and CORAS_ERR_EXISTS
 *         for paths that lead out or cannot stand beside each other; CORAS_ERR_UNSAFE_ARCHIVE,
 *         CORAS_ERR_DIGEST_MISMATCH, CORAS_ERR_SIZE_MISMATCH, CORAS_ERR_TOO_LARGE for content that
 *         is not what the package says; CORAS_ERR_INVALID_MODEL for weight files that are not what
 *         they claim to be; CORAS_ERR_UNSUPPORTED for tensors that have no such part, with the
 *         first of them, and CORAS_ERR_NOT_FOUND for a pattern that matches none, with some of
 *         those that there are; CORAS_ERR_NO_SPACE, CORAS_ERR_IO, CORAS_ERR_UNAUTHORIZED,
 *         CORAS_ERR_CANCELLED, any transport error
 *
 * Blocking. Several threads may use one target at a time. Events come on the calling thread.
 * Since 0.1.
 * Spec: model-spec, "Model Format Specification"; image-spec 1.1, "Image Manifest".
 */
CORAS_API CORAS_MUST_CHECK int coras_model_get(coras_target *source, const char *reference,
                                               const coras_model_get_options *opts,
                                               const coras_run_options *run, coras_model_got *ret,
                                               coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
