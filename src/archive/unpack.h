/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tar.gz layer back into a directory. Everything is made in a private directory beside the
 * target, by descriptors, never through a symbolic link; the target changes only after the whole
 * archive has been read and verified.
 */
#ifndef CORAS_ARCHIVE_UNPACK_H
#define CORAS_ARCHIVE_UNPACK_H

#include "base/cancel.h"
#include "coras/digest.h"

struct coras_unpack_request {
    int blob_fd; /* the archive, bytes [0, size) */
    int64_t size;
    int parent_dirfd;    /* directory in which the target is or will be */
    int stage_dirfd;     /* on the same file system: where it is made first; the parent will do */
    const char *dirname; /* the target's name in the parent: one component */
    const char *title;   /* what the members' names begin with */
    const char *target_path;        /* absolute path of the target, for messages; NULL: the title */
    const coras_digest *tar_digest; /* of the uncompressed bytes; NULL: not checked */
    const char *reserved;           /* a name directly in the target that is refused; NULL: none */
    bool no_sync;                   /* leave writing back to the system */
    coras_cancel *cancel;
};

/*
 * Unpack. A target that does not exist appears complete by one rename; into a directory that exists
 * the entries are moved one by one, replacing files and links of the same names. A symbolic link
 * at the target is replaced. Devices, FIFOs and unknown members are left out; owners, setuid,
 * setgid and sticky bits are dropped.
 *
 * UNSAFE_ARCHIVE for names, links or bytes that are refused, DIGEST_MISMATCH "content digest
 * mismatch", TOO_LARGE, NO_SPACE, IO: nothing has appeared then (with IO in the middle of a merge:
 * some entries). The caller puts "failed to extract tar to <absolute target>" in front.
 */
CORAS_MUST_CHECK int coras_unpack(const struct coras_unpack_request *request, coras_error **err);

#endif
