/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/ops.h
 * What a user asks for: push, pull, copy, attach, discover, tag. Each is a copy of a graph of
 * content between two targets; all block, report events on the calling thread and may be cancelled
 * through the client's coras_cancel.
 */
#ifndef CORAS_OPS_H
#define CORAS_OPS_H

#include "coras/environment.h"
#include "coras/event.h"
#include "coras/plan.h"
#include "coras/select.h"
#include "coras/target.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Options that every operation shares. */
typedef struct coras_run_options {
    size_t size;             /**< sizeof(coras_run_options) */
    int concurrency;         /**< transfers at a time; <= 0: 3 */
    coras_event_fn on_event; /**< may be NULL */
    void *user;              /**< for on_event */
    coras_cancel *cancel;    /**< may be NULL */
    bool no_sync;            /**< skip fsync: faster, what was written may be lost in a power cut */
    const coras_environment *environment; /**< where temporary files and what is remembered go;
                                             NULL: /tmp, and nothing is remembered */
    int connections; /**< bound for the connections to one registry; <= 0: as many as help */
} coras_run_options;
#define CORAS_RUN_OPTIONS_INIT CORAS_SIZED_INIT(coras_run_options)

/* ---- pack and push ------------------------------------------------------------------------- */

/** One file or directory to push. */
typedef struct coras_file {
    const char *path;                     /**< as typed; a directory is packed as tar+gzip */
    const char *media_type;               /**< NULL or "": default for files or directories */
    const coras_annotations *annotations; /**< merged over the generated ones; NULL: none */
} coras_file;

enum coras_image_spec { CORAS_IMAGE_SPEC_V1_1 = 0, CORAS_IMAGE_SPEC_V1_0 };

/** What the manifest says. Zero is default. Strings borrowed for the call. */
typedef struct coras_pack_options {
    size_t size; /**< sizeof(coras_pack_options) */
    enum coras_image_spec image_spec;
    const char *artifact_type;            /**< NULL: `application/vnd.unknown.artifact.v1` (v1.1) */
    const char *config_path;              /**< config file; NULL: none */
    const char *config_media_type;        /**< NULL: `application/vnd.unknown.config.v1+json` */
    const coras_platform *platform;       /**< makes a config with this platform; NULL: none */
    const coras_annotations *annotations; /**< of the manifest; `created` is added when absent */
    const coras_annotations *config_annotations; /**< of the config descriptor */
    const coras_descriptor *subject;             /**< NULL: none */
    /**
     * Pack what symbolic links lead to that leave a packed directory. false: they are an error
     * (CORAS_ERR_UNSAFE_PATH), but for those from a snapshot of a Hugging Face hub cache
     * (`models--x/snapshots/<revision>`) to its `blobs`, which are followed. Links that stay in the
     * directory are packed as links.
     */
    bool follow_links;
} coras_pack_options;
#define CORAS_PACK_OPTIONS_INIT CORAS_SIZED_INIT(coras_pack_options)

/**
 * An artifact that is prepared for a push: its files read (or being read) and described. Between
 * preparing and pushing the caller may open its target.
 */
typedef struct coras_artifact coras_artifact;

/**
 * Prepare files for a push.
 *
 * Files are hashed by coras_artifact_push(), large ones mostly while it sends them; directories are
 * packed here, into an unnamed temporary file. Reports PREPARING for each file and EMPTY_ARTIFACT.
 *
 * @param files  borrowed for the call; may be NULL when `count` is 0
 * @param count  how many files
 * @param pack   what the manifest says; borrowed for the call; NULL for defaults
 * @param run    events, cancelling and limits; borrowed for the call; NULL for defaults
 * @param ret    set on success only; release with coras_artifact_free()
 * @param err    may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND for a file; CORAS_ERR_EXISTS for two of one name;
 *         CORAS_ERR_INVALID_ARGUMENT for media types and dates; CORAS_ERR_CHANGED, CORAS_ERR_IO,
 *         CORAS_ERR_NO_SPACE, CORAS_ERR_CANCELLED, CORAS_ERR_NO_MEMORY
 *
 * Blocking. Thread-safe. Events come on the calling thread.
 * Since 0.1.
 * Source: src/ops/pack.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_artifact_prepare(const coras_file *files, size_t count,
                                                      const coras_pack_options *pack,
                                                      const coras_run_options *run,
                                                      coras_artifact **ret, coras_error **err);

/** How to push. */
typedef struct coras_push_options {
    size_t size;                   /**< sizeof(coras_push_options) */
    const char *reference;         /**< tag (or digest) for the manifest; NULL: by its own digest */
    const char *const *extra_tags; /**< NULL-terminated; TAGGED is reported for each */
    bool force;                    /**< look at every blob even when the manifest exists */
} coras_push_options;
#define CORAS_PUSH_OPTIONS_INIT CORAS_SIZED_INIT(coras_push_options)

/**
 * Push a prepared artifact: content first, the tag last, so nobody sees a tag whose content is
 * missing.
 *
 * Content that the target has is not sent.
 *
 * @param artifact   borrowed; may be pushed to several targets, one after the other
 * @param target     borrowed
 * @param opts       names of the manifest; borrowed for the call; NULL for defaults
 * @param run        events, cancelling and limits; borrowed for the call; NULL for defaults
 * @param ret        of the manifest, with artifact type and annotations; initialised with
 *                   CORAS_DESCRIPTOR_INIT; set on success only, release with
 *                   coras_descriptor_clear()
 * @param ret_bytes  the manifest's bytes, `ret->size` of them and a terminator; set on success
 *                   only; give back with coras_free(); may be NULL
 * @param err        may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_CHANGED when a file changed meanwhile; CORAS_ERR_UNAUTHORIZED,
 *         CORAS_ERR_DENIED, CORAS_ERR_CANCELLED, CORAS_ERR_IO, any transport error
 *
 * Blocking. One push of an artifact at a time; several threads may use the target. Events come on
 * the calling thread.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Push".
 */
CORAS_API CORAS_MUST_CHECK int coras_artifact_push(coras_artifact *artifact, coras_target *target,
                                                   const coras_push_options *opts,
                                                   const coras_run_options *run,
                                                   coras_descriptor *ret, char **ret_bytes,
                                                   coras_error **err);

/**
 * Release a prepared artifact and close its files.
 *
 * @param artifact  may be NULL
 *
 * No other thread may be using the artifact.
 * Since 0.1.
 * Source: src/ops/pack.c.
 */
CORAS_API void coras_artifact_free(coras_artifact *artifact);

/* ---- pull ---------------------------------------------------------------------------------- */

/** What to pull and where. */
typedef struct coras_pull_options {
    size_t size;                      /**< sizeof(coras_pull_options) */
    const char *output;               /**< directory; NULL: "." */
    bool keep_old_files;              /**< an existing file is an error */
    bool allow_path_traversal;        /**< titles may leave the directory */
    bool include_subject;             /**< follow `subject` too */
    const char *config_path;          /**< save the config under this name; NULL: not */
    const char *config_media_type;    /**< only a config of this type; NULL: the first */
    const coras_platform *platform;   /**< pick from an index; NULL: all */
    const coras_selection *selection; /**< which files; NULL: all. The config that `config_path`
                                         asks for is taken anyway; manifests are always read */
    coras_plan *plan; /**< not NULL: a dry run. Nothing is written, and what would be is added here:
                         initialised with CORAS_PLAN_INIT; set on success only */
} coras_pull_options;
#define CORAS_PULL_OPTIONS_INIT CORAS_SIZED_INIT(coras_pull_options)

/** One file that a pull put in place. */
typedef struct coras_pulled_file {
    char *path; /**< absolute; ends in "/" for an unpacked directory */
    coras_descriptor desc;
} coras_pulled_file;

/** What a pull did. */
typedef struct coras_pull_result {
    coras_descriptor root;
    coras_pulled_file *files; /**< in the order of the manifest */
    size_t file_count;
    bool skipped_unnamed;      /**< some content had no file name and stayed away */
    const char *model_package; /**< no file was named, and this is the kind of a model package whose
                                  files coras_model_get() would put in place; static, or NULL */
} coras_pull_result;

/**
 * Release what a pull has told, which is empty again.
 *
 * @param result  all zero, or filled by coras_pull()
 *
 * Never blocks. Thread-safe for distinct records.
 * Since 0.1.
 * Source: src/ops/pull.c.
 */
CORAS_API void coras_pull_result_clear(coras_pull_result *result);

/**
 * Pull the files of an artifact.
 *
 * A final name appears only when its bytes are verified and on disk; files that are already right
 * are left alone (SKIPPED). Names are given when everything has arrived; when that fails half way,
 * what this pull has made new is taken away again, and what it has already replaced stays replaced.
 * What was cut goes on where it stopped, also in a later process.
 *
 * With a selection only what it takes is transferred, compared with the names that the files will
 * have below the directory.
 *
 * @param source     borrowed
 * @param reference  tag or digest in text form; borrowed
 * @param opts       where to, and what; borrowed for the call; NULL for defaults
 * @param run        events, cancelling and limits; borrowed for the call; NULL for defaults
 * @param ret        what was done; set on success only, release with coras_pull_result_clear()
 * @param err        may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND; CORAS_ERR_NOTHING_CHOSEN for a selection that takes nothing;
 *         CORAS_ERR_INVALID_ARGUMENT for a pattern that is none; CORAS_ERR_NO_PLATFORM;
 *         CORAS_ERR_UNSAFE_PATH for a title that leads out; CORAS_ERR_EXISTS with keep_old_files
 * and for two files of one name; CORAS_ERR_DIGEST_MISMATCH, CORAS_ERR_SIZE_MISMATCH,
 * CORAS_ERR_UNSAFE_ARCHIVE, CORAS_ERR_NO_SPACE, CORAS_ERR_IO, CORAS_ERR_UNAUTHORIZED,
 * CORAS_ERR_CANCELLED, any transport error
 *
 * Blocking. Several threads may use one target at a time. Events come on the calling thread.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Pull".
 */
CORAS_API CORAS_MUST_CHECK int coras_pull(coras_target *source, const char *reference,
                                          const coras_pull_options *opts,
                                          const coras_run_options *run, coras_pull_result *ret,
                                          coras_error **err);

/* ---- copy, tag, resolve -------------------------------------------------------------------- */

/** What of a graph to copy. */
typedef struct coras_copy_options {
    size_t size;                     /**< sizeof(coras_copy_options) */
    bool recursive;                  /**< referrers too */
    bool force;                      /**< descend even where the destination has the root */
    const coras_platform *platforms; /**< pick from an index; NULL: everything */
    size_t platform_count;
    const char *const *extra_tags; /**< NULL-terminated */
    /**
     * Which content of image manifests to take, by its title, else by the path that a model package
     * gives it; NULL: all. Manifests and configs go along
     * in any case and are not changed, so that the destination holds a part of what they name: a
     * layout does, a registry would refuse them (CORAS_ERR_UNSUPPORTED). A later copy of the whole
     * completes it. Reports LEFT.
     */
    const coras_selection *selection;
    coras_plan *plan; /**< not NULL: a dry run. Nothing is written, and what would be is added here:
                         initialised with CORAS_PLAN_INIT; set on success only */
} coras_copy_options;
#define CORAS_COPY_OPTIONS_INIT CORAS_SIZED_INIT(coras_copy_options)

/**
 * Copy an artifact with everything it points at.
 *
 * Nothing is transferred that the destination has; blobs are mounted when both are repositories of
 * one registry and the clients' options give the same credentials; every byte is verified on the
 * way.
 *
 * @param from            borrowed
 * @param from_reference  tag or digest at the source; borrowed
 * @param to              borrowed; may be NULL for a dry run, to which nothing is there
 * @param to_reference    tag at the destination; NULL: by digest; borrowed
 * @param opts            what of the graph; borrowed for the call; NULL for defaults
 * @param run             events, cancelling and limits; borrowed for the call; NULL for defaults
 * @param ret             the copied root, which differs from the source's when platforms are
 *                        picked; initialised with CORAS_DESCRIPTOR_INIT; set on success only,
 *                        release with coras_descriptor_clear()
 * @param err             may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND; CORAS_ERR_NOTHING_CHOSEN for a selection that takes nothing;
 *         CORAS_ERR_INVALID_ARGUMENT for a pattern that is none; CORAS_ERR_UNSUPPORTED for a
 *         selection into a registry; CORAS_ERR_NO_PLATFORM, CORAS_ERR_DIGEST_MISMATCH,
 *         CORAS_ERR_SIZE_MISMATCH, CORAS_ERR_NO_SPACE, CORAS_ERR_IO, CORAS_ERR_UNAUTHORIZED,
 *         CORAS_ERR_DENIED, CORAS_ERR_CANCELLED, any transport error; coras_error_side() tells
 *         which end failed
 *
 * Blocking. Several threads may use both targets at a time. Events come on the calling thread.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Pull" and "Push".
 */
CORAS_API CORAS_MUST_CHECK int coras_copy(coras_target *from, const char *from_reference,
                                          coras_target *to, const char *to_reference,
                                          const coras_copy_options *opts,
                                          const coras_run_options *run, coras_descriptor *ret,
                                          coras_error **err);

/**
 * Give a manifest further names.
 *
 * Reports TAGGING once, TAGGED for each.
 *
 * @param target     borrowed
 * @param reference  tag or digest of the manifest; borrowed
 * @param new_tags   NULL-terminated; borrowed
 * @param run        events, cancelling and limits; borrowed for the call; NULL for defaults
 * @param ret        the manifest; initialised with CORAS_DESCRIPTOR_INIT; set on success only,
 *                   release with coras_descriptor_clear()
 * @param err        may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND, CORAS_ERR_INVALID_REFERENCE, CORAS_ERR_UNAUTHORIZED,
 *         CORAS_ERR_DENIED, CORAS_ERR_CANCELLED, any transport error
 *
 * Blocking. Several threads may use one target at a time. Events come on the calling thread.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Pushing manifests".
 */
CORAS_API CORAS_MUST_CHECK int coras_tag(coras_target *target, const char *reference,
                                         const char *const *new_tags, const coras_run_options *run,
                                         coras_descriptor *ret, coras_error **err);

/**
 * Resolve a reference with a platform: on an index the first manifest that matches, on an image the
 * image itself when its config says so.
 *
 * @param target     borrowed
 * @param reference  tag or digest in text form; borrowed
 * @param platform   which one; NULL: as coras_resolve(); borrowed
 * @param ret        initialised with CORAS_DESCRIPTOR_INIT; set on success only, release with
 *                   coras_descriptor_clear()
 * @param err        may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND; CORAS_ERR_NO_PLATFORM when none matches; CORAS_ERR_UNSUPPORTED
 *         for what is neither image nor index; CORAS_ERR_UNAUTHORIZED, any transport error
 *
 * Blocking. Several threads may use one target at a time.
 * Since 0.1.
 * Spec: image-spec 1.1, "OCI Image Index Specification".
 */
CORAS_API CORAS_MUST_CHECK int coras_resolve_platform(coras_target *target, const char *reference,
                                                      const coras_platform *platform,
                                                      coras_descriptor *ret, coras_error **err);

/**
 * Fetch a manifest into memory, with the choice of coras_resolve_platform().
 *
 * @param target     where; borrowed
 * @param reference  tag or digest
 * @param platform   which manifest of an index; NULL: what the reference names itself
 * @param accept     NULL for the usual media types, else those of the Accept header,
 * comma-separated (registries only)
 * @param ret        what was fetched: of a platform the entry in its index;
 * coras_descriptor_clear()
 * @param ret_bytes  its exact bytes, verified, NUL-terminated; coras_free()
 * @param err        may be NULL; set only on failure
 * @return 0; CORAS_ERR_NOT_FOUND (no such reference, or no manifest for the platform),
 *         CORAS_ERR_UNSUPPORTED (neither image nor index), CORAS_ERR_DIGEST_MISMATCH,
 *         CORAS_ERR_TOO_LARGE, any transport error
 *
 * Blocking. Several threads may use one target at a time.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Pulling manifests".
 */
CORAS_API CORAS_MUST_CHECK int
coras_fetch_platform_manifest(coras_target *target, const char *reference,
                              const coras_platform *platform, const char *accept,
                              coras_descriptor *ret, char **ret_bytes, coras_error **err);

/**
 * Find the config of an image: its manifest is fetched, the config is not.
 *
 * @param target     where; borrowed
 * @param reference  tag or digest
 * @param platform   which manifest of an index; NULL: what the reference names itself
 * @param ret        descriptor of the config, set on success only; coras_descriptor_clear()
 * @param err        may be NULL; set only on failure
 * @return 0; CORAS_ERR_UNSUPPORTED (what was found is no image), or an error of
 *         coras_fetch_platform_manifest()
 *
 * Blocking; thread-safe. Spec: image-spec 1.1, "Image Manifest", property `config`.
 * Since 0.1.
 */
CORAS_API CORAS_MUST_CHECK int coras_resolve_config(coras_target *target, const char *reference,
                                                    const coras_platform *platform,
                                                    coras_descriptor *ret, coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
