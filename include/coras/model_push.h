/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/model_push.h
 * A directory with a model as an artifact that every reader of the CNCF ModelPack specification
 * understands, and that plain clients of registries can pull by file names.
 *
 * The files stay what they are: one layer each, whose digest is the file's sha256. What is to be
 * known of the model without fetching it (architecture, format, size, precision, licences, what
 * goes in and what comes out) is read from the files themselves. The same files give the same
 * digest, wherever they are and whenever they are pushed.
 */
#ifndef CORAS_MODEL_PUSH_H
#define CORAS_MODEL_PUSH_H

#include "coras/ops.h"
#include "coras/select.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How a model is packed. All zero is default. */
typedef struct coras_model_pack_options {
    size_t size;                          /**< sizeof(coras_model_pack_options) */
    const coras_selection *selection;     /**< which files, by their paths; NULL: all */
    const coras_annotations *annotations; /**< of the manifest, stronger than those that come from
                                             the files; NULL: none */
} coras_model_pack_options;
#define CORAS_MODEL_PACK_OPTIONS_INIT CORAS_SIZED_INIT(coras_model_pack_options)

/** What somebody who packs a model should hear of. Text in it is escaped for a terminal. */
typedef struct coras_model_pack_report {
    char **left_out; /**< paths of what never belongs to a model, such as hidden files; directories
                        end in "/" */
    size_t left_out_count;
    char **warnings; /**< sentences about files that were packed all the same */
    size_t warning_count;
} coras_model_pack_report;

/**
 * Release what packing has told, which is empty again.
 *
 * @param report  all zero, or filled by coras_model_prepare()
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/ops/models/push.c.
 */
CORAS_API void coras_model_pack_report_clear(coras_model_pack_report *report);

/**
 * Prepare a directory, or one file, as a model for coras_artifact_push().
 *
 * Each file becomes a raw layer of a ModelPack media type, with its path below the directory as
 * title and as `org.cncf.model.filepath`. Kinds and formats are found by content. The headers of
 * safetensors and GGUF files are read to their end and held to every rule of their format; their
 * sizes and digests are recorded (`dev.coras.header.size`, `dev.coras.header.digest`), so that
 * whoever reads a header by a range later can verify it. The front matter of README.md gives
 * licences and other annotations. Times, owners and modes are constants; the time of creation is
 * the environment's `source_date_s`.
 *
 * Left out: hidden files, `*.incomplete`, `*.lock`, `__pycache__` and `*.pyc`. Symbolic links are
 * followed to files of the directory, and out of a snapshot of a Hugging Face hub cache to its
 * blobs. Those that are named after their sha256 are not hashed before they are sent, and not read
 * when the target has them; what is sent is compared with the name.
 *
 * Large files are hashed while coras_artifact_push() sends them. Reports PREPARING for each file.
 *
 * @param path    directory or file; borrowed for the call
 * @param opts    borrowed for the call; NULL for defaults
 * @param run     events, cancelling and where things are; borrowed for the call; NULL for defaults
 * @param ret     set on success only; release with coras_artifact_free()
 * @param report  all zero; filled on success only, release with coras_model_pack_report_clear();
 *                may be NULL
 * @param err     may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND for the path; CORAS_ERR_INVALID_MODEL for a weight file whose
 *         header breaks a rule, with file and offset; CORAS_ERR_UNSAFE_PATH for a link that leads
 *         out, for two names that differ in the case of letters only and for a name that is no
 *         text; CORAS_ERR_TOO_LARGE when the manifest would be larger than registries take;
 *         CORAS_ERR_INVALID_ARGUMENT for something that is neither file nor directory, for a bad
 *         pattern and when no file is left; CORAS_ERR_CHANGED, CORAS_ERR_IO, CORAS_ERR_PERMISSION,
 *         CORAS_ERR_CANCELLED, CORAS_ERR_NO_MEMORY
 *
 * Blocking. Thread-safe. Events come on the calling thread.
 * Since 0.1.
 * Spec: model-spec 0.0.7, "Model Artifact"; docs/config.md; docs/annotations.md.
 */
CORAS_API CORAS_MUST_CHECK int
coras_model_prepare(const char *path, const coras_model_pack_options *opts,
                    const coras_run_options *run, coras_artifact **ret,
                    coras_model_pack_report *report, coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
