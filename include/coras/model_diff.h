/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/model_diff.h
 * What distinguishes two models: files, tensors, configuration.
 */
#ifndef CORAS_MODEL_DIFF_H
#define CORAS_MODEL_DIFF_H

#include "coras/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A tensor that both models have and that is not the same in them. */
typedef struct coras_changed_tensor {
    char *name; /**< a stranger's text, up to its first NUL */
    bool dtype; /**< the type differs */
    bool shape; /**< the shape differs */
    bool bytes; /**< type and shape are equal, the content differs: only known by comparing it */
} coras_changed_tensor;

/** A value of a JSON document that differs. */
typedef struct coras_changed_value {
    /** Names of members, joined by dots: of config.json as they are ("rope_scaling.factor"), of
     * another document behind its path and a colon ("generation_config.json:top_p"), and so for the
     * metadata of a weight file ("model.gguf:general.name"): texts and integers. */
    char *path;
    char *a; /**< compact JSON; NULL: absent */
    char *b; /**< likewise */
} coras_changed_value;

/** What distinguishes model b from model a. Lists of texts are NULL-terminated. */
typedef struct coras_model_difference {
    char **files_added;   /**< paths that only b has */
    char **files_removed; /**< paths that only a has */
    char **files_changed; /**< paths of both with other content */
    char **tensors_added;
    char **tensors_removed;
    coras_changed_tensor *tensors_changed;
    size_t tensors_changed_len;
    coras_changed_value *config;
    size_t config_len;
} coras_model_difference;

/** How to compare. Zero is default. */
typedef struct coras_diff_options {
    size_t size; /**< sizeof(coras_diff_options) */
    bool deep;   /**< compare the bytes of tensors whose type and shape are equal */
} coras_diff_options;
#define CORAS_DIFF_OPTIONS_INIT CORAS_SIZED_INIT(coras_diff_options)

/**
 * Compare two models.
 *
 * Files of one digest are equal, and so are the tensors in them: they are not read. Of other weight
 * files the headers are read, of other documents those that are small. Without `deep` the content
 * of tensors in such files is not compared; with it, it is read from both sides by ranges, some
 * mebibytes at a time, up to the first difference. What is read by ranges is not verified.
 *
 * @param a     borrowed; no other thread may be using it; may lie elsewhere than `b`
 * @param b     borrowed; no other thread may be using it
 * @param opts  borrowed for the call; NULL for defaults
 * @param ret   set on success only; release with coras_model_difference_free()
 * @param err   may be NULL; set only on failure, release with coras_error_free()
 * @return 0, whether or not they differ; CORAS_ERR_INVALID_MODEL for a weight file that is none;
 *         CORAS_ERR_TOO_LARGE for more tensors than can be compared; CORAS_ERR_DIGEST_MISMATCH,
 *         CORAS_ERR_CANCELLED, CORAS_ERR_NO_MEMORY, any transport error
 *
 * Blocking. Thread-safe for distinct models. Since 0.1. Source: src/ops/models/diff.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_model_diff(coras_model *a, coras_model *b,
                                                const coras_diff_options *opts,
                                                coras_model_difference **ret, coras_error **err);

/**
 * Release a difference with everything in it.
 *
 * The models need not exist any more.
 *
 * @param difference  may be NULL
 *
 * Never blocks. Thread-safe for distinct records. Since 0.1. Source: src/ops/models/diff.c.
 */
CORAS_API void coras_model_difference_free(coras_model_difference *difference);

#ifdef __cplusplus
}
#endif
#endif
