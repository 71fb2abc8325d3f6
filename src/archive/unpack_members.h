/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The middle of unpacking: from the bytes of an archive to the members of a tree, verified. Where
 * the tree goes is for unpack.c and layers.c.
 */
#ifndef CORAS_ARCHIVE_UNPACK_MEMBERS_H
#define CORAS_ARCHIVE_UNPACK_MEMBERS_H

#include "archive/unpack_tree.h"
#include "base/cancel.h"
#include "codec/decompress.h"
#include "coras/digest.h"

struct coras_archive_input {
    int fd; /* the archive, bytes [0, size) */
    int64_t size;
    enum coras_compression compression;
    const coras_digest *tar_digest; /* of the uncompressed bytes; NULL: not checked */
    coras_cancel *cancel;
    /* Asked before each member: 0 to make it, 1 to pass it over, or an error. It may give the entry
     * other names, which live until the next call. NULL: all are made. */
    int (*choose)(void *user, coras_tar_entry *entry, coras_error **err);
    void *user;
};

/* UNSAFE_ARCHIVE, DIGEST_MISMATCH "content digest mismatch", TOO_LARGE, NO_SPACE, IO: the tree is
 * not what the archive holds then. */
CORAS_MUST_CHECK int coras_unpack_members(const struct coras_archive_input *input,
                                          struct coras_tree *tree, coras_error **err);

#endif
