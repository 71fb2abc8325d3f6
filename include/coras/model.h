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
 * Blocking. Several threads may use one target. Since 0.1. Source: src/ops/models/open.c.
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
 * Blocking. Thread-safe. Since 0.1. Source: src/ops/models/local.c.
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
 * No other thread may be using the model. Since 0.1. Source: src/ops/models/view.c.
 */
CORAS_API void coras_model_free(coras_model *model);

/** How many elements the tensors of one type have. */
typedef struct coras_fact_dtype {
    char *name;       /**< as the format spells it: "BF16", "Q4_K"; a stranger's text, escaped */
    int64_t elements; /**< of all tensors of the type, in all files */
} coras_fact_dtype;

/** One file. */
typedef struct coras_fact_file {
    char *path;          /**< relative to the model, with slashes; a stranger's text */
    bool has_digest;     /**< the package says the digest of the file itself */
    coras_digest digest; /**< of its content */
    int64_t size;        /**< bytes */
    char *media_type;    /**< of the layer that holds it; NULL: a local file */
} coras_fact_file;

/** One tensor. */
typedef struct coras_fact_tensor {
    const char *name; /**< `name_len` bytes and a terminator; a stranger's text */
    size_t name_len;
    const char *dtype;    /**< as the format spells it */
    const int64_t *shape; /**< `rank` numbers in the order that the file has */
    size_t rank;          /**< 0: a scalar */
    size_t file;          /**< index into `files` */
    int64_t offset;       /**< of its first byte, from the start of the file */
    int64_t bytes;
} coras_fact_tensor;

/** What a model's files say of it. Strings that are NULL and numbers that are -1 are absent. */
typedef struct coras_model_facts {
    const char *package; /**< "oras", "modelpack", "docker", "ollama", "kitops", "modelcar"; "files"
                            for local ones */
    const char *format;  /**< "safetensors", "gguf", "mixed" (both), "other"; by content */
    bool has_digest;     /**< it has a manifest */
    coras_digest digest; /**< of the manifest that holds the files */
    char *architecture;  /**< as the headers or config.json name it; a stranger's text */
    int64_t parameters;  /**< elements of all tensors, by the headers; of packed quantisation those
                            that are stored; -1: no header was read */
    int64_t tensor_count; /**< likewise */
    char *quantization;   /**< a stranger's text, or the name of GGUF's file type */
    int64_t context_length;
    char *license;            /**< a stranger's text */
    bool has_chat_template;   /**< a file of the usual name, or in a header */
    coras_fact_dtype *dtypes; /**< by elements, the most first */
    size_t dtype_count;
    coras_fact_file *files; /**< in the order of the package */
    size_t file_count;
    int64_t shards_expected; /**< files that hold weights, by what says how many there are */
    int64_t shards_present;
    char **shards_missing;      /**< their names, NULL-terminated */
    int64_t total_size;         /**< bytes of all files */
    bool verified;              /**< every header was covered by a digest that was checked */
    char **warnings;            /**< sentences, escaped, NULL-terminated */
    bool has_tensors;           /**< `tensors` was asked for */
    coras_fact_tensor *tensors; /**< by file, in the order of each header */
    size_t tensors_len;
    void *memory; /**< of the library */
} coras_model_facts;

/** What to look for. Zero is default. */
typedef struct coras_inspect_options {
    size_t size;  /**< sizeof(coras_inspect_options) */
    bool tensors; /**< list every tensor; else they are counted only */
} coras_inspect_options;
#define CORAS_INSPECT_OPTIONS_INIT CORAS_SIZED_INIT(coras_inspect_options)

/**
 * What is in a model.
 *
 * Reads the headers of its weight files, several at a time: of a package in a registry by ranges,
 * mostly one request for each file, and a few small documents whole. What comes by a range is not
 * covered by the digest of its layer: `verified` is true only where the package records digests of
 * headers, or where everything is so small that it was read whole.
 *
 * The kind of a file is told by its content, whatever its name and media type say. Odd things that
 * leave no doubt about the tensors become warnings, and so do claims of the package about itself
 * that its files do not bear out.
 *
 * @param model  borrowed; no other thread may be using it
 * @param opts   borrowed for the call; NULL for defaults
 * @param ret    set on success only; release with coras_model_facts_free()
 * @param err    may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_INVALID_MODEL for a weight file that is none; CORAS_ERR_DIGEST_MISMATCH for
 *         one that is not what the manifest says; CORAS_ERR_TOO_LARGE beyond the bounds of a
 *         header, or of the list of tensors; CORAS_ERR_RANGE when the registry serves whole files
 *         only and the header is far inside of one; CORAS_ERR_CANCELLED, CORAS_ERR_NO_MEMORY, any
 *         transport error
 *
 * Blocking. Thread-safe for distinct models. Since 0.1. Source: src/ops/models/inspect.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_model_inspect(coras_model *model,
                                                   const coras_inspect_options *opts,
                                                   coras_model_facts **ret, coras_error **err);

/**
 * Release facts with everything in them.
 *
 * The model need not exist any more.
 *
 * @param facts  may be NULL
 *
 * Never blocks. Thread-safe for distinct records. Since 0.1. Source: src/ops/models/facts.c.
 */
CORAS_API void coras_model_facts_free(coras_model_facts *facts);

#ifdef __cplusplus
}
#endif
#endif
