/* SPDX-License-Identifier: Apache-2.0 */
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
 * Open a repository of a registry.
 *
 * Connects to nothing.
 *
 * @param client      borrowed; must outlive the target
 * @param registry    host[:port]; copied
 * @param repository  name; copied
 * @param ret         set on success only; release with coras_target_close()
 * @param err         may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_INVALID_REFERENCE for a name that is none; CORAS_ERR_INVALID_ARGUMENT,
 *         CORAS_ERR_NO_MEMORY
 *
 * Never blocks. Thread-safe.
 * Since 0.1.
 * Source: src/registry/registry.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_repository_open(coras_client *client, const char *registry,
                                                     const char *repository, coras_target **ret,
                                                     coras_error **err);

enum coras_layout_mode {
    CORAS_LAYOUT_READ, /**< directory or tar archive; must exist */
    CORAS_LAYOUT_WRITE /**< directory; made with an empty index when missing */
};

/**
 * Open an OCI image layout: a directory, or to read also a tar archive of one.
 *
 * @param path  copied
 * @param mode  whether it must exist
 * @param ret   set on success only; release with coras_target_close()
 * @param err   may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND; CORAS_ERR_CONFIG for what is no layout or no tar archive;
 *         CORAS_ERR_UNSAFE_ARCHIVE; CORAS_ERR_TOO_LARGE for an index.json beyond 64 MiB;
 *         CORAS_ERR_IO, CORAS_ERR_PERMISSION, CORAS_ERR_INVALID_ARGUMENT, CORAS_ERR_NO_MEMORY
 *
 * Blocking. Thread-safe; writers of one layout, also in other processes, wait for each other.
 * Since 0.1.
 * Spec: image-spec 1.1, "OCI Image Layout Specification".
 */
CORAS_API CORAS_MUST_CHECK int coras_layout_open(const char *path, enum coras_layout_mode mode,
                                                 coras_target **ret, coras_error **err);

/**
 * Say that the target is going to be written to, before the first call that reads from it.
 *
 * A registry is then asked for the rights of writing from the first request on: some make a
 * repository when somebody may push to it, and know nothing of it before. The functions that write
 * do so themselves.
 *
 * @param target  borrowed; may be NULL
 *
 * Never blocks. Before other threads use the target.
 * Since 0.1.
 * Source: src/target/target.c.
 */
CORAS_API void coras_target_will_write(coras_target *target);

/**
 * Close a target.
 *
 * What it holds open is released; its client stays.
 *
 * @param target  may be NULL
 *
 * No other thread may be using the target.
 * Since 0.1.
 * Source: src/target/target.c.
 */
CORAS_API void coras_target_close(coras_target *target);

/**
 * What a reference names.
 *
 * Registries are asked by HEAD. Looking for the hint of a reference that is not there (which tags
 * there are) costs one more request, unless `err` is NULL.
 *
 * @param target     borrowed
 * @param reference  tag or digest in text form; borrowed
 * @param ret        of a layout with the annotations of its entry; initialised with
 *                   CORAS_DESCRIPTOR_INIT; set on success only, release with
 *                   coras_descriptor_clear()
 * @param err        may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND; CORAS_ERR_UNAUTHORIZED, CORAS_ERR_DENIED,
 *         CORAS_ERR_INVALID_ARGUMENT when a required argument is NULL, any transport error
 *         (CORAS_ERR_CONNECT, CORAS_ERR_TLS, CORAS_ERR_TIMEOUT, CORAS_ERR_HTTP, CORAS_ERR_PROTOCOL)
 *
 * Blocking. Several threads may use one target at a time.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Checking if content exists in the registry".
 */
CORAS_API CORAS_MUST_CHECK int coras_resolve(coras_target *target, const char *reference,
                                             coras_descriptor *ret, coras_error **err);

/**
 * Fetch a manifest by reference.
 *
 * Its bytes are verified: against the digest that was asked for, and against the one that the
 * registry states.
 *
 * @param target     borrowed
 * @param reference  tag or digest in text form; borrowed
 * @param accept     comma-separated media types for the Accept header, for registries only; NULL
 *                   for the usual list
 * @param ret        initialised with CORAS_DESCRIPTOR_INIT; set on success only, release with
 *                   coras_descriptor_clear()
 * @param ret_bytes  its exact bytes, `ret->size` of them and a terminator; set on success only;
 *                   give back with coras_free()
 * @param err        may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND; CORAS_ERR_DIGEST_MISMATCH; CORAS_ERR_TOO_LARGE above 4 MiB;
 *         CORAS_ERR_UNAUTHORIZED, CORAS_ERR_DENIED, CORAS_ERR_INVALID_ARGUMENT when a required
 *         argument is NULL, any transport error
 *
 * Blocking. Several threads may use one target at a time.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Pulling manifests".
 */
CORAS_API CORAS_MUST_CHECK int coras_fetch_manifest(coras_target *target, const char *reference,
                                                    const char *accept, coras_descriptor *ret,
                                                    char **ret_bytes, coras_error **err);

/**
 * Fetch small content by descriptor into memory, verified.
 *
 * Content that the descriptor embeds costs no request.
 *
 * @param target     borrowed
 * @param desc       media type decides whether it is a manifest or a blob; borrowed
 * @param limit      most bytes to hold; larger content is not asked for
 * @param ret_bytes  `desc->size` bytes and a terminator; set on success only; give back with
 *                   coras_free()
 * @param err        may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_TOO_LARGE above `limit`; CORAS_ERR_NOT_FOUND, CORAS_ERR_DIGEST_MISMATCH,
 *         CORAS_ERR_SIZE_MISMATCH, CORAS_ERR_UNAUTHORIZED, CORAS_ERR_INVALID_ARGUMENT when a
 *         required argument is NULL, any transport error
 *
 * Blocking. Several threads may use one target at a time.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Pulling blobs".
 */
CORAS_API CORAS_MUST_CHECK int coras_fetch_bytes(coras_target *target, const coras_descriptor *desc,
                                                 size_t limit, char **ret_bytes, coras_error **err);

/** Receives content in order: 0 to go on, or a negative code with *err set to stop. */
typedef int (*coras_write_fn)(void *user, const void *data, size_t len, coras_error **err);

/**
 * Stream a blob, verified while it streams: after CORAS_ERR_DIGEST_MISMATCH or
 * CORAS_ERR_SIZE_MISMATCH what was written must be thrown away.
 *
 * What is cut goes on where it stopped.
 *
 * @param target  borrowed
 * @param desc    borrowed
 * @param write   gets the bytes in order, each once, on the calling thread
 * @param user    handed to `write`
 * @param err     may be NULL; set only on failure, release with coras_error_free()
 * @return 0; what `write` returned when it was negative; CORAS_ERR_NOT_FOUND,
 *         CORAS_ERR_DIGEST_MISMATCH, CORAS_ERR_SIZE_MISMATCH, CORAS_ERR_UNAUTHORIZED,
 *         CORAS_ERR_INVALID_ARGUMENT when a required argument is NULL, any transport error
 *
 * Blocking. Several threads may use one target at a time.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Pulling blobs".
 */
CORAS_API CORAS_MUST_CHECK int coras_fetch_blob(coras_target *target, const coras_descriptor *desc,
                                                coras_write_fn write, void *user,
                                                coras_error **err);

/**
 * What a target says of a blob.
 *
 * Registries are asked by HEAD.
 *
 * @param target  borrowed
 * @param digest  borrowed
 * @param ret     media type application/octet-stream, digest and size; initialised with
 *                CORAS_DESCRIPTOR_INIT; set on success only, release with coras_descriptor_clear()
 * @param err     may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND, CORAS_ERR_UNAUTHORIZED, CORAS_ERR_INVALID_ARGUMENT when a
 *         required argument is NULL, any transport error
 *
 * Blocking. Several threads may use one target at a time.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Checking if content exists in the registry".
 */
CORAS_API CORAS_MUST_CHECK int coras_resolve_blob(coras_target *target, const coras_digest *digest,
                                                  coras_descriptor *ret, coras_error **err);

/**
 * The same as coras_resolve_blob(), asked as a download asks (registries: GET of the first byte),
 * so that a registry that refuses says why.
 *
 * For what is to be fetched next.
 *
 * @param target  borrowed
 * @param digest  borrowed
 * @param ret     media type application/octet-stream, digest and size; initialised with
 *                CORAS_DESCRIPTOR_INIT; set on success only, release with coras_descriptor_clear()
 * @param err     may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND, CORAS_ERR_UNAUTHORIZED, CORAS_ERR_INVALID_ARGUMENT when a
 *         required argument is NULL, any transport error
 *
 * Blocking. Several threads may use one target at a time.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Pulling blobs".
 */
CORAS_API CORAS_MUST_CHECK int coras_probe_blob(coras_target *target, const coras_digest *digest,
                                                coras_descriptor *ret, coras_error **err);

/**
 * Whether content is there.
 *
 * @param target  borrowed
 * @param desc    media type decides whether it is a manifest or a blob; borrowed
 * @param ret     set on success only
 * @param err     may be NULL; set only on failure, release with coras_error_free()
 * @return 0, also when it is not there; CORAS_ERR_UNAUTHORIZED, CORAS_ERR_INVALID_ARGUMENT when a
 *         required argument is NULL, any transport error
 *
 * Blocking. Several threads may use one target at a time.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Checking if content exists in the registry".
 */
CORAS_API CORAS_MUST_CHECK int coras_exists(coras_target *target, const coras_descriptor *desc,
                                            bool *ret, coras_error **err);

/**
 * Store a manifest.
 *
 * What it names must be there already.
 *
 * @param target     borrowed
 * @param desc       media type, digest and size of `data`; borrowed
 * @param data       `desc->size` bytes, sent as they are; borrowed
 * @param reference  tag or digest text; NULL: by its digest alone; borrowed
 * @param err        may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_INVALID_MANIFEST or CORAS_ERR_HTTP when the registry does not take it;
 *         CORAS_ERR_UNAUTHORIZED, CORAS_ERR_DENIED, CORAS_ERR_INVALID_ARGUMENT when a required
 *         argument is NULL, any transport error
 *
 * Blocking. Several threads may use one target at a time.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Pushing manifests".
 */
CORAS_API CORAS_MUST_CHECK int coras_push_manifest(coras_target *target,
                                                   const coras_descriptor *desc, const void *data,
                                                   const char *reference, coras_error **err);

/**
 * Visit the tags of a target in its own order.
 *
 * @param target  borrowed
 * @param last    only those after this one; NULL: all. Some registries ignore it; borrowed
 * @param visit   on the calling thread; the tag is borrowed for the call; false ends the visit
 * @param user    handed to `visit`
 * @param err     may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND when there is no such repository; CORAS_ERR_TOO_LARGE for a list
 *         without end; CORAS_ERR_UNAUTHORIZED, CORAS_ERR_INVALID_ARGUMENT when a required argument
 *         is NULL, any transport error
 *
 * Blocking. Several threads may use one target at a time.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Listing tags".
 */
CORAS_API CORAS_MUST_CHECK int coras_list_tags(coras_target *target, const char *last,
                                               bool (*visit)(const char *tag, void *user),
                                               void *user, coras_error **err);

/**
 * Visit the repositories of a registry, where it lists them (`/v2/_catalog`).
 *
 * @param client    borrowed
 * @param registry  host[:port]; borrowed
 * @param last      only those after this one; NULL: all; borrowed
 * @param visit     on the calling thread; the name is borrowed for the call; false ends the visit
 * @param user      handed to `visit`
 * @param err       may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND when the registry has no list; CORAS_ERR_TOO_LARGE for a list
 *         without end; CORAS_ERR_UNAUTHORIZED, CORAS_ERR_INVALID_ARGUMENT when a required argument
 *         is NULL, any transport error
 *
 * Blocking. Thread-safe.
 * Since 0.1.
 * Source: src/registry/list.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_list_repositories(coras_client *client, const char *registry,
                                                       const char *last,
                                                       bool (*visit)(const char *name, void *user),
                                                       void *user, coras_error **err);

/**
 * Visit the manifests whose subject is a given one.
 *
 * @param target         borrowed
 * @param desc           the subject; borrowed
 * @param artifact_type  only manifests of this type; NULL: all; borrowed
 * @param visit          on the calling thread; the descriptor is borrowed for the call; false ends
 *                       the visit
 * @param user           handed to `visit`
 * @param err            may be NULL; set only on failure, release with coras_error_free()
 * @return 0, also when there are none; CORAS_ERR_UNSUPPORTED when the client insists on the API and
 *         the registry has none; CORAS_ERR_TOO_LARGE for a list without end;
 *         CORAS_ERR_UNAUTHORIZED, CORAS_ERR_INVALID_ARGUMENT when a required argument is NULL, any
 *         transport error
 *
 * Blocking. Several threads may use one target at a time.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Listing Referrers".
 */
CORAS_API CORAS_MUST_CHECK int
coras_list_referrers(coras_target *target, const coras_descriptor *desc, const char *artifact_type,
                     bool (*visit)(const coras_descriptor *referrer, void *user), void *user,
                     coras_error **err);

/**
 * Delete a manifest with all tags on it, or a blob.
 *
 * @param target  borrowed
 * @param desc    media type decides which of both; borrowed
 * @param err     may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND; CORAS_ERR_UNSUPPORTED or CORAS_ERR_HTTP when the registry does
 *         not delete; CORAS_ERR_UNAUTHORIZED, CORAS_ERR_DENIED, CORAS_ERR_INVALID_ARGUMENT when a
 *         required argument is NULL, any transport error
 *
 * Blocking. Several threads may use one target at a time.
 * Since 0.1.
 * Spec: distribution-spec 1.1, "Content Management".
 */
CORAS_API CORAS_MUST_CHECK int coras_delete(coras_target *target, const coras_descriptor *desc,
                                            coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
