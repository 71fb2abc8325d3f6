/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/attach.h
 * Attaching files or annotations to an artifact that exists: a signature, a report, a bill of
 * materials. What is attached is an artifact of its own whose `subject` is the other one; readers
 * find it by coras_discover().
 */
#ifndef CORAS_ATTACH_H
#define CORAS_ATTACH_H

#include "coras/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What to attach beside the files. Strings and lists are borrowed for the call. */
typedef struct coras_attach_options {
    size_t size;                          /**< sizeof(coras_attach_options) */
    const char *artifact_type;            /**< what kind of thing this is; required */
    const coras_platform *platform;       /**< attach to this manifest of an index; NULL: to it */
    const char *config_path;              /**< config file; NULL: none */
    const char *config_media_type;        /**< NULL: `application/vnd.unknown.config.v1+json` */
    const coras_annotations *annotations; /**< of the manifest; NULL: none */
    const coras_annotations *config_annotations; /**< of the config descriptor; NULL: none */
    bool follow_links;                           /**< as in coras_pack_options */
} coras_attach_options;
/** No options but the artifact type, which is still to be given. */
#define CORAS_ATTACH_OPTIONS_INIT CORAS_SIZED_INIT(coras_attach_options)

/** What was attached to what. */
typedef struct coras_attached {
    coras_descriptor subject;  /**< what it was attached to */
    coras_descriptor manifest; /**< the new manifest, with artifact type and annotations */
    char *bytes;               /**< the new manifest's bytes, `manifest.size` of them */
} coras_attached;
/** Nothing attached yet, for initialising. */
#define CORAS_ATTACHED_INIT                                                                        \
    {                                                                                              \
        CORAS_DESCRIPTOR_INIT, CORAS_DESCRIPTOR_INIT, NULL                                         \
    }

/**
 * Free the content; the struct is CORAS_ATTACHED_INIT again.
 *
 * @param attached  an initialised result, filled or not
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/ops/attach.c.
 */
CORAS_API void coras_attached_clear(coras_attached *attached);

/**
 * Attach files, annotations or both to a manifest.
 *
 * Files are packed as by coras_artifact_prepare(), pushed as by coras_artifact_push(). The new
 * manifest has no tag. Where the registry has no referrers API, its referrers tag is written.
 *
 * Reports PREPARING or EMPTY_ARTIFACT, then START, PROGRESS, RETRYING, EXISTS, DONE.
 *
 * @param target      where the subject is, and where the new manifest goes; borrowed
 * @param reference   tag or digest of the subject
 * @param files       what to attach; may be NULL when `file_count` is 0, and only annotations are
 *                    attached
 * @param file_count  number of files
 * @param opts        artifact type and more
 * @param run         events, concurrency, cancelling; NULL: defaults
 * @param ret         an initialised result, set on success only; coras_attached_clear()
 * @param err         may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND (subject or file), CORAS_ERR_INVALID_ARGUMENT (no artifact type, a
 *         bad annotation), CORAS_ERR_CHANGED (a file changed while it was read),
 *         CORAS_ERR_UNAUTHORIZED, CORAS_ERR_DENIED, any transport error
 *
 * Blocking; events come on the calling thread. Spec: image-spec 1.1, "Image Manifest", property
 * `subject`; distribution-spec 1.1, "Pushing Manifests with Subject".
 * Since 0.1.
 */
CORAS_API CORAS_MUST_CHECK int coras_attach(coras_target *target, const char *reference,
                                            const coras_file *files, size_t file_count,
                                            const coras_attach_options *opts,
                                            const coras_run_options *run, coras_attached *ret,
                                            coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
