/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/model_store.h
 * Models in and out of the stores that other programs keep on this machine: the cache of the
 * Hugging Face hub's clients, and that of Ollama. No network but registries is used.
 */
#ifndef CORAS_MODEL_STORE_H
#define CORAS_MODEL_STORE_H

#include "coras/model_push.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Prepare a model of a local store for coras_artifact_push(), as coras_model_prepare() does with a
 * directory.
 *
 * `source` is one of
 * - `hf:DIR`: a snapshot in a hub cache, or a directory `models--<owner>--<name>` there, whose
 *   revision `main` is meant;
 * - `hf:<owner>/<name>[@<revision>]`: a model in the cache that the environment names;
 * - `ollama:[[<host>/]<namespace>/]<model>[:<tag>]`: a model in the store of Ollama that the
 *   environment names; its parts become files (`model.gguf`, `mmproj.gguf`, `template`,
 *   `params.json`, `license`, ...);
 * - any other directory or file.
 *
 * Blobs that are named after their sha256 are not hashed before they are sent, and not read when
 * the target has them; what is sent is compared with the name.
 *
 * @param source  borrowed for the call
 * @param opts    borrowed for the call; NULL for defaults
 * @param run     events, cancelling and where things are; borrowed for the call; NULL for defaults,
 *                which know of no stores
 * @param ret     set on success only; release with coras_artifact_free()
 * @param report  all zero; filled on success only, release with coras_model_pack_report_clear();
 *                may be NULL
 * @param err     may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND for a model, a revision or a blob that is not there;
 *         CORAS_ERR_INVALID_REFERENCE for a name that the store cannot have;
 *         CORAS_ERR_SIZE_MISMATCH, CORAS_ERR_INVALID_MANIFEST, CORAS_ERR_INVALID_JSON for a store
 *         of Ollama that is damaged; else as coras_model_prepare()
 *
 * Blocking. Thread-safe. Events come on the calling thread.
 * Since 0.1.
 * Source: src/ops/models/sources.c.
 */
CORAS_API CORAS_MUST_CHECK int
coras_model_prepare_import(const char *source, const coras_model_pack_options *opts,
                           const coras_run_options *run, coras_artifact **ret,
                           coras_model_pack_report *report, coras_error **err);

/** Stores of other programs that models are put into. */
enum coras_model_store {
    CORAS_MODEL_STORE_HUB = 0, /**< the cache of the Hugging Face hub's clients */
    CORAS_MODEL_STORE_OLLAMA   /**< the models of Ollama */
};

/** Where a model goes. Strings are borrowed for the call. */
typedef struct coras_model_export_options {
    size_t size; /**< sizeof(coras_model_export_options) */
    enum coras_model_store store;
    const char *directory; /**< of the store: what HF_HUB_CACHE or OLLAMA_MODELS names; made when
                                missing */
    const char *name;      /**< in the store: `<owner>/<name>`, or
                                `[[<host>/]<namespace>/]<model>[:<tag>]` */
    const coras_selection *selection; /**< which files; NULL: all */
    const coras_platform *platform; /**< which manifest of an index; NULL: as coras_model_open() */
} coras_model_export_options;
#define CORAS_MODEL_EXPORT_OPTIONS_INIT CORAS_SIZED_INIT(coras_model_export_options)

/** What an export has made. */
typedef struct coras_model_export_result {
    char *path;          /**< absolute: the snapshot's directory, or the manifest */
    coras_digest digest; /**< of the manifest that was exported */
} coras_model_export_result;

/**
 * Release what an export has told, which is empty again.
 *
 * @param result  all zero, or filled by coras_model_export()
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/ops/models/export.c.
 */
CORAS_API void coras_model_export_result_clear(coras_model_export_result *result);

/**
 * Put a model of a registry or a layout where another program finds it without the network.
 *
 * The hub's cache gets blobs named by their sha256, a snapshot of links, and the revisions `main`
 * and the reference's tag; the snapshot is called by the commit that the package records
 * (`org.opencontainers.image.revision`), else by the first 40 digits of its digest.
 *
 * Ollama's store gets a manifest and its blobs: of a package of Ollama's own what it is, of any
 * other the GGUF with its projector, template, system prompt, parameters and licences.
 *
 * Content that is there already stays, content that the source keeps in a file of the same file
 * system (such as a cache) is linked, and everything that is brought is verified. What names it all
 * comes last, so that other programs see a model that is whole or none.
 *
 * @param source     borrowed
 * @param reference  tag or digest; borrowed
 * @param opts       borrowed for the call
 * @param run        events, cancelling and concurrency; borrowed for the call; NULL for defaults
 * @param ret        set on success only, release with coras_model_export_result_clear()
 * @param err        may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND; CORAS_ERR_INVALID_REFERENCE for a name that the store cannot
 *         have; CORAS_ERR_UNSUPPORTED for files in archives, and for what Ollama does not load;
 *         CORAS_ERR_INVALID_MODEL for a GGUF whose header breaks a rule;
 *         CORAS_ERR_INVALID_ARGUMENT for a selection without files; CORAS_ERR_DIGEST_MISMATCH,
 *         CORAS_ERR_NO_SPACE, CORAS_ERR_IO, CORAS_ERR_CANCELLED, CORAS_ERR_NO_MEMORY, any transport
 *         error, and what coras_model_open() returns
 *
 * Blocking. Several threads may use one target. Events come on the calling thread.
 * Since 0.1.
 * Source: src/ops/models/export.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_model_export(coras_target *source, const char *reference,
                                                  const coras_model_export_options *opts,
                                                  const coras_run_options *run,
                                                  coras_model_export_result *ret,
                                                  coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
