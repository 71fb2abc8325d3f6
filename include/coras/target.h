/**
 * @file coras/target.h
 * Targets: places that hold content by digest and names for it: a repository of a registry, an OCI
 * layout (directory, or tar archive to read).
 *
 * A reference is a tag or a digest in text form, without the repository. Functions block; a target
 * may be used by several threads at once.
 */
#ifndef CORAS_TARGET_H
#define CORAS_TARGET_H

#include "coras/client.h"
#include "coras/descriptor.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A target. */
typedef struct coras_target coras_target;

/**
 * Open a repository. Connects to nothing.
 * @param client      borrowed; must outlive the target
 * @param registry    host[:port]
 * @param repository  name, validated
 */
CORAS_API CORAS_MUST_CHECK int coras_repository_open(coras_client *client, const char *registry,
                                                     const char *repository, coras_target **ret,
                                                     coras_error **err);

enum coras_layout_mode {
    CORAS_LAYOUT_READ, /**< directory or tar archive; must exist */
    CORAS_LAYOUT_WRITE /**< directory; made with an empty index when missing */
};

/**
 * Open an OCI image layout. Spec: image-spec 1.1, "OCI Image Layout Specification".
 * @return 0; CORAS_ERR_NOT_FOUND, CORAS_ERR_CONFIG ("invalid OCI Image Layout: …", "invalid OCI
 * Image Index: …"), CORAS_ERR_UNSAFE_ARCHIVE or CORAS_ERR_CONFIG for a file that is no tar archive
 * ("… does not look like a tar archive: …")
 */
CORAS_API CORAS_MUST_CHECK int coras_layout_open(const char *path, enum coras_layout_mode mode,
                                                 coras_target **ret, coras_error **err);

/**
 * Say that the target is going to be written to, before the first call that reads from it. A
 * registry is then asked for the rights of writing from the first request on: some make a
 * repository when somebody may push to it, and know nothing of it before. The functions that write
 * do so themselves.
 * @param target  borrowed; NULL is allowed
 */
CORAS_API void coras_target_will_write(coras_target *target);

/** Close. NULL is allowed. */
CORAS_API void coras_target_close(coras_target *target);

/** What a reference names. Registries are asked by HEAD. CORAS_ERR_NOT_FOUND when there is no such
 * thing; looking for its hint (which tags there are) costs one more request unless `err` is NULL.
 */
CORAS_API CORAS_MUST_CHECK int coras_resolve(coras_target *target, const char *reference,
                                             coras_descriptor *ret, coras_error **err);

/**
 * Fetch a manifest by reference, verified. `accept` is NULL for the usual list, else a
 * comma-separated list of media types for the Accept header (registries only).
 * @param ret_bytes  its exact bytes, NUL-terminated for convenience; free() them
 */
CORAS_API CORAS_MUST_CHECK int coras_fetch_manifest(coras_target *target, const char *reference,
                                                    const char *accept, coras_descriptor *ret,
                                                    char **ret_bytes, coras_error **err);

/** Fetch small content by descriptor into memory, verified; CORAS_ERR_TOO_LARGE above `limit`
 * bytes. */
CORAS_API CORAS_MUST_CHECK int coras_fetch_bytes(coras_target *target, const coras_descriptor *desc,
                                                 size_t limit, char **ret_bytes, coras_error **err);

/** Receives content in order: 0 to go on, or a negative code with *err set to stop. */
typedef int (*coras_write_fn)(void *user, const void *data, size_t len, coras_error **err);

/**
 * Stream a blob, verified while it streams: on CORAS_ERR_DIGEST_MISMATCH or CORAS_ERR_SIZE_MISMATCH
 * what was written must be thrown away.
 */
CORAS_API CORAS_MUST_CHECK int coras_fetch_blob(coras_target *target, const coras_descriptor *desc,
                                                coras_write_fn write, void *user,
                                                coras_error **err);

/** What the target says of a blob: media type application/octet-stream, digest, size (registries:
 * HEAD). */
CORAS_API CORAS_MUST_CHECK int coras_resolve_blob(coras_target *target, const coras_digest *digest,
                                                  coras_descriptor *ret, coras_error **err);

/** The same, asked as a download asks (registries: GET of the first byte), so that a registry that
 * refuses says why. For what is to be fetched next. */
CORAS_API CORAS_MUST_CHECK int coras_probe_blob(coras_target *target, const coras_digest *digest,
                                                coras_descriptor *ret, coras_error **err);

/** Whether content is there (manifest or blob by media type). */
CORAS_API CORAS_MUST_CHECK int coras_exists(coras_target *target, const coras_descriptor *desc,
                                            bool *ret, coras_error **err);

/** Store a manifest; with `reference` NULL by its digest, else under a tag (or the digest text). */
CORAS_API CORAS_MUST_CHECK int coras_push_manifest(coras_target *target,
                                                   const coras_descriptor *desc, const void *data,
                                                   const char *reference, coras_error **err);

/** Visit tags in the target's order, those after `last` (NULL: all; some registries ignore it),
 * until visit returns false. */
CORAS_API CORAS_MUST_CHECK int coras_list_tags(coras_target *target, const char *last,
                                               bool (*visit)(const char *tag, void *user),
                                               void *user, coras_error **err);

/** Visit repositories of a registry (`/v2/_catalog`), those after `last`. */
CORAS_API CORAS_MUST_CHECK int coras_list_repositories(coras_client *client, const char *registry,
                                                       const char *last,
                                                       bool (*visit)(const char *name, void *user),
                                                       void *user, coras_error **err);

/** Visit the manifests whose subject is `desc`; with `artifact_type` not NULL only those of that
 * type. */
CORAS_API CORAS_MUST_CHECK int
coras_list_referrers(coras_target *target, const coras_descriptor *desc, const char *artifact_type,
                     bool (*visit)(const coras_descriptor *referrer, void *user), void *user,
                     coras_error **err);

/** Delete a manifest or a blob by descriptor (media type decides). For manifests all tags on it go
 * as well. */
CORAS_API CORAS_MUST_CHECK int coras_delete(coras_target *target, const coras_descriptor *desc,
                                            coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
