/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/model_scan.h
 * What in a model runs code, or may: imports in pickles, scripts, templates, links.
 *
 * Nothing is loaded. A scan says what it has found and what it has looked at; that it has found
 * nothing does not make a model harmless.
 */
#ifndef CORAS_MODEL_SCAN_H
#define CORAS_MODEL_SCAN_H

#include "coras/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How bad a finding is. Higher values are worse. */
enum coras_severity {
    CORAS_SEVERITY_LOW = 1, /**< runs code by its nature, and shows nothing unusual */
    CORAS_SEVERITY_MEDIUM,  /**< runs code of its own that nobody knows */
    CORAS_SEVERITY_HIGH     /**< reaches programs, files or hosts, or hides what it reaches */
};

/** One finding. Texts are owned by the result. */
typedef struct coras_scan_finding {
    char *file;       /**< path in the model, as its package has it: a stranger's bytes */
    int64_t offset;   /**< byte of the file; 0 where it is about all of it */
    const char *kind; /**< "pickle", "code", "executable", "template", "link", "path", "archive",
                           "name", "external"; static */
    enum coras_severity severity; /**< how bad */
    char *detail;                 /**< what, for people; escaped, one line */
} coras_scan_finding;

/** A file that was looked at, or was not. Texts are owned by the result. */
typedef struct coras_scan_note {
    char *file; /**< path in the model, as its package has it */
    char *why;  /**< for people, escaped: what was looked at, or why it was not; may be NULL */
} coras_scan_note;

/** What a scan has found. Filled by coras_model_scan(), released by coras_scan_result_clear(). */
typedef struct coras_scan_result {
    char *reference;     /**< as it was asked for, or the path */
    bool has_digest;     /**< whether `digest` is set: not for local files */
    coras_digest digest; /**< of the manifest */
    /** What was found, in the order of the files. */
    struct {
        coras_scan_finding *items; /**< `len` of them */
        size_t len, cap;           /**< findings, and room for findings */
    } findings;
    /** Files that were looked at as far as their format can hold code. */
    struct {
        coras_scan_note *items; /**< `len` of them */
        size_t len, cap;        /**< notes, and room for notes */
    } looked;
    /** Files that were not looked at, or not to their end. */
    struct {
        coras_scan_note *items; /**< `len` of them */
        size_t len, cap;        /**< notes, and room for notes */
    } not_looked;
} coras_scan_result;
/** For a result that coras_model_scan() is going to fill. */
#define CORAS_SCAN_RESULT_INIT CORAS_ZERO_INIT

/**
 * Look for what runs code in a model.
 *
 * Reads little of what cannot hold code (the headers of safetensors and GGUF files), the directory
 * and the pickles of zip archives, and files that are pickles as a whole. Content is recognised by
 * its bytes; a name that promises something else is a finding. What was read by ranges is not
 * covered by a digest that was checked.
 *
 * @param model  borrowed; one thread at a time
 * @param ret    initialised with CORAS_SCAN_RESULT_INIT; set on success only, release with
 *               coras_scan_result_clear()
 * @param err    may be NULL; set only on failure, release with coras_error_free()
 * @return 0, whatever was found; CORAS_ERR_CANCELLED, CORAS_ERR_IO, CORAS_ERR_NO_MEMORY,
 *         CORAS_ERR_INVALID_ARGUMENT, any transport error
 *
 * Blocking. Several models may be scanned at a time.
 * Since 0.1.
 * Source: src/ops/models/scan.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_model_scan(coras_model *model, coras_scan_result *ret,
                                                coras_error **err);

/**
 * The same for a reference or a path that may not even be a model that can be laid down: names that
 * leave the package, or that cannot stand together, are findings instead of errors.
 *
 * @param target     borrowed; NULL: `reference` is a path of a local directory or file
 * @param reference  tag or digest, or the path
 * @param platform   as in coras_model_open(); NULL for the default
 * @param run        concurrency and cancelling; borrowed for the call; NULL for defaults
 * @param ret        as in coras_model_scan()
 * @param err        may be NULL; set only on failure, release with coras_error_free()
 * @return as coras_model_open(), coras_model_open_path() and coras_model_scan() do, but for
 *         CORAS_ERR_UNSAFE_PATH, CORAS_ERR_UNSAFE_ARCHIVE and CORAS_ERR_EXISTS
 *
 * Blocking. Several threads may use one target.
 * Since 0.1.
 * Source: src/ops/models/scan.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_model_scan_at(coras_target *target, const char *reference,
                                                   const coras_platform *platform,
                                                   const coras_run_options *run,
                                                   coras_scan_result *ret, coras_error **err);

/**
 * The worst severity of a result.
 *
 * @param result  borrowed
 * @return a value of enum coras_severity; 0 when nothing was found
 *
 * Never blocks. Thread-safe. Since 0.1. Source: src/ops/models/scan_result.c.
 */
CORAS_API int coras_scan_worst(const coras_scan_result *result);

/**
 * The name of a severity: "low", "medium", "high".
 *
 * @param severity  a value of enum coras_severity
 * @return static text; "none" for other values
 *
 * Never blocks. Thread-safe. Since 0.1. Source: src/ops/models/scan_result.c.
 */
CORAS_API const char *coras_severity_name(int severity);

/**
 * Release what a result owns; it is empty afterwards.
 *
 * @param result  may be NULL
 *
 * No other thread may be using the result. Since 0.1. Source: src/ops/models/scan_result.c.
 */
CORAS_API void coras_scan_result_clear(coras_scan_result *result);

#ifdef __cplusplus
}
#endif

#endif
