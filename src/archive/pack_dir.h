/*
 * A directory as one layer: tar + gzip in an unnamed temporary file. The tar is that of Go's oras,
 * byte for byte; the gzip around it is ours (deterministic, made on all cores).
 */
#ifndef CORAS_ARCHIVE_PACK_DIR_H
#define CORAS_ARCHIVE_PACK_DIR_H

#include "base/cancel.h"
#include "coras/digest.h"

struct coras_pack_dir_options {
    unsigned threads; /* of the compressor; 0: one per processor */
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
 * link gives an archive of that one link, as upstream does. `opts` may be NULL.
 *
 * Errors begin with "failed to tar <absolute path>: "; CHANGED when a file changed meanwhile.
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
