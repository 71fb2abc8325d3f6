/**
 * @file coras/backup.h
 * What backing up and restoring need beside coras_copy(): counting what refers to a manifest, and
 * an OCI layout as one tar archive. Reading such an archive is coras_layout_open()'s business.
 */
#ifndef CORAS_BACKUP_H
#define CORAS_BACKUP_H

#include "coras/target.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Count the manifests that refer to `desc`, directly or through other referrers; for an index also
 * those that refer to its manifests. Each is counted once.
 *
 * @return 0 with *ret set, or an error of coras_list_referrers()
 */
CORAS_API CORAS_MUST_CHECK int coras_count_referrers(coras_target *target,
                                                     const coras_descriptor *desc, size_t *ret,
                                                     coras_error **err);

/**
 * Write the layout at `directory` as an uncompressed tar archive: `blobs/`, `index.json` and
 * `oci-layout` in lexical order, with their modes and times. Other files are left out.
 *
 * @param fd        where the archive goes, from its current position; borrowed
 * @param ret_size  bytes written
 */
CORAS_API CORAS_MUST_CHECK int coras_layout_export(const char *directory, int fd, int64_t *ret_size,
                                                   coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
