/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/model.h
 * Machine-learning models in registries: which files a package holds, whatever tool has written it,
 * and what their headers say.
 */
#ifndef CORAS_MODEL_H
#define CORAS_MODEL_H

#include "coras/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A model: the files of a package in a registry or an OCI layout, or local ones. */
typedef struct coras_model coras_model;

/**
 * Open a model package.
 *
 * Fetches its manifest, and what is needed to know the names of its files: the headers of the
 * members where they are in tar archives, the whole archive where it is compressed.
 *
 * @param target     borrowed; must outlive the model
 * @param reference  tag or digest in text form; copied
 * @param platform   which manifest of an index; borrowed for the call; NULL: the only one, else the
 *                   one for linux and this machine's architecture
 * @param run        concurrency and cancelling, of this and of later calls with the model; copied,
 *                   what it points at must outlive the model; NULL for defaults
 * @param ret        set on success only; release with coras_model_free()
 * @param err        may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND for a reference or a platform; CORAS_ERR_INVALID_MANIFEST,
 *         CORAS_ERR_UNSUPPORTED for what is no artifact; CORAS_ERR_UNSAFE_PATH, CORAS_ERR_EXISTS
 *         for names of files that cannot stand together; CORAS_ERR_UNSAFE_ARCHIVE,
 *         CORAS_ERR_TOO_LARGE, CORAS_ERR_INVALID_ARGUMENT, CORAS_ERR_UNAUTHORIZED,
 *         CORAS_ERR_CANCELLED, CORAS_ERR_NO_MEMORY, any transport error
 *
 * Blocking. Several threads may use one target. Since 0.1. Source: src/ops/model_open.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_model_open(coras_target *target, const char *reference,
                                                const coras_platform *platform,
                                                const coras_run_options *run, coras_model **ret,
                                                coras_error **err);

/**
 * Open local files as a model: a directory with all that is below it, or one file.
 *
 * Links that leave the directory are left out, but for those of a Hugging Face hub cache; so is
 * what such caches and git keep for themselves.
 *
 * @param path  copied
 * @param run   cancelling, as in coras_model_open(); NULL for defaults
 * @param ret   set on success only; release with coras_model_free()
 * @param err   may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND, CORAS_ERR_PERMISSION, CORAS_ERR_IO, CORAS_ERR_TOO_LARGE for
 *         more than a million files; CORAS_ERR_INVALID_ARGUMENT, CORAS_ERR_NO_MEMORY
 *
 * Blocking. Thread-safe. Since 0.1. Source: src/ops/model_local.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_model_open_path(const char *path, const coras_run_options *run,
                                                     coras_model **ret, coras_error **err);

/**
 * Release a model.
 *
 * Its target stays.
 *
 * @param model  may be NULL
 *
 * No other thread may be using the model. Since 0.1. Source: src/ops/model_view.c.
 */
CORAS_API void coras_model_free(coras_model *model);

#ifdef __cplusplus
}
#endif
#endif
