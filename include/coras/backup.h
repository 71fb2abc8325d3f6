/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/backup.h
 * Backing up tags of a repository into an OCI layout, and the way back. A backup is a layout like
 * any other: it can be read with coras_layout_open(), copied from with coras_copy(), and packed
 * into one tar archive with coras_layout_export().
 */
#ifndef CORAS_BACKUP_H
#define CORAS_BACKUP_H

#include "coras/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What to back up. All zero is every tag without referrers. */
typedef struct coras_backup_options {
    size_t size;             /**< sizeof(coras_backup_options) */
    const char *const *tags; /**< NULL-terminated, each must exist; NULL: all that there are */
    bool include_referrers;  /**< with everything that refers to what the tags name */
} coras_backup_options;

/** Every tag, without referrers. */
#define CORAS_BACKUP_OPTIONS_INIT CORAS_SIZED_INIT(coras_backup_options)

/**
 * Back up tags of one target into another, one after the other.
 *
 * A tag is put into the store when everything that it names is there, so an interrupted backup
 * holds whole artifacts only; the next one goes on where it stopped.
 *
 * Reports FOUND for each tag, then for each tag BEGUN, the events of coras_copy(), and ENDED.
 *
 * @param source  what to back up, usually a repository; borrowed
 * @param store   where to, usually a layout opened with CORAS_LAYOUT_WRITE; borrowed
 * @param opts    NULL: every tag, without referrers
 * @param run     events, concurrency, cancelling; NULL: defaults
 * @param err     may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND (a tag that was named, or there are no tags at all, in which case
 *         no FOUND was reported), any error of coras_copy()
 *
 * Blocking; events come on the calling thread. Spec: image-spec 1.1, "OCI Image Layout
 * Specification"; distribution-spec 1.1, "Listing Tags" and "Listing Referrers".
 * Since 0.1.
 */
CORAS_API CORAS_MUST_CHECK int coras_backup(coras_target *source, coras_target *store,
                                            const coras_backup_options *opts,
                                            const coras_run_options *run, coras_error **err);

/** What to restore. All zero is every tag with its referrers. */
typedef struct coras_restore_options {
    size_t size;             /**< sizeof(coras_restore_options) */
    const char *const *tags; /**< NULL-terminated, each must exist; NULL: all that there are */
    bool exclude_referrers;  /**< without what refers to what the tags name */
    bool dry_run;            /**< look and report only; nothing is written */
} coras_restore_options;

/** Every tag, with its referrers. */
#define CORAS_RESTORE_OPTIONS_INIT CORAS_SIZED_INIT(coras_restore_options)

/**
 * Restore tags of a backup, one after the other.
 *
 * With referrers a tag appears at the destination when they are there: whoever sees the tag sees
 * them.
 *
 * Reports as coras_backup(); with `dry_run` FOUND, BEGUN and ENDED only.
 *
 * @param store   the backup: a layout, in a directory or an archive; borrowed
 * @param target  where to, usually a repository; borrowed
 * @param opts    NULL: every tag, with its referrers
 * @param run     events, concurrency, cancelling; NULL: defaults
 * @param err     may be NULL; set only on failure, release with coras_error_free()
 * @return as coras_backup()
 *
 * Blocking; events come on the calling thread. Spec: as coras_backup().
 * Since 0.1.
 */
CORAS_API CORAS_MUST_CHECK int coras_restore(coras_target *store, coras_target *target,
                                             const coras_restore_options *opts,
                                             const coras_run_options *run, coras_error **err);

/**
 * Count the manifests that refer to one, directly or through other referrers; for an index also
 * those that refer to its manifests.
 *
 * Each is counted once.
 *
 * @param target  borrowed
 * @param desc    the one that is referred to; borrowed
 * @param ret     set on success only
 * @param err     may be NULL; set only on failure, release with coras_error_free()
 * @return 0, or an error of coras_list_referrers()
 *
 * Blocking. Several threads may use one target at a time.
 * Since 0.1.
 * Source: src/ops/referrer_walk.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_count_referrers(coras_target *target,
                                                     const coras_descriptor *desc, size_t *ret,
                                                     coras_error **err);

/**
 * Write a layout as an uncompressed tar archive: `blobs/`, `index.json` and `oci-layout` in lexical
 * order, with their modes and times.
 *
 * Other files are left out.
 *
 * @param directory  the layout; borrowed
 * @param fd         where the archive goes, from its current position; borrowed
 * @param ret_size   bytes written; set on success only
 * @param err        may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND, CORAS_ERR_IO, CORAS_ERR_NO_SPACE, CORAS_ERR_CHANGED,
 *         CORAS_ERR_NO_MEMORY
 *
 * Blocking. Thread-safe for distinct descriptors.
 * Since 0.1.
 * Source: src/ops/layout_export.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_layout_export(const char *directory, int fd, int64_t *ret_size,
                                                   coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
