/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory as one layer: tar + gzip in an unnamed temporary file. The tar is that of Go's oras,
 * byte for byte; the gzip around it is ours (deterministic, made on all cores).
 */
#ifndef CORAS_ARCHIVE_PACK_DIR_H
#define CORAS_ARCHIVE_PACK_DIR_H

#include "base/cancel.h"
#include "coras/digest.h"

/* What becomes of a symbolic link that leads out of the directory: whoever unpacks it would get a
 * link to nowhere. Links that stay inside are packed as links, always. */
enum coras_outside_links {
    CORAS_OUTSIDE_REFUSED = 0,
    CORAS_OUTSIDE_FOLLOWED, /* what it leads to is packed under its name */
    CORAS_OUTSIDE_KEPT,     /* as a link */
};

struct coras_pack_dir_options {
    enum coras_outside_links outside;
    const char *follow_into; /* absolute: links below it are followed in any case; NULL: none */
    unsigned threads;        /* of the compressor; 0: one per processor */
    coras_cancel *cancel;
    const char *temporary_dir; /* of the archive; NULL: /tmp */
};

struct coras_packed_dir {
    int fd; /* owned: the archive, unnamed, open for reading */
    int64_t size;
    coras_digest digest;     /* of the archive */
    coras_digest tar_digest; /* of the tar inside */
};

/*
 * Pack what is at `path`, entries named `<name_prefix>/<relative path>`. A path that is a symbolic
 * link leads out of itself. `opts` may be NULL.
 *
 * Errors begin with "failed to tar <absolute path>: "; CHANGED when a file changed meanwhile;
 * UNSAFE_PATH names a link that leads out.
 */
CORAS_MUST_CHECK int coras_pack_directory(const char *path, const char *name_prefix,
                                          const struct coras_pack_dir_options *opts,
                                          struct coras_packed_dir *ret, coras_error **err);

/*
 * The digest of the tar that packing would give, without making it: whether a directory is what
 * was once packed. Same errors.
 */
CORAS_MUST_CHECK int coras_hash_directory(const char *path, const char *name_prefix,
                                          coras_cancel *cancel, coras_digest *ret,
                                          coras_error **err);

#endif
