/*
 * Digests of local files that were hashed before, remembered in the user's cache directory under
 * device, inode, size, mtime and ctime, so that pushing or pulling the same large files again reads
 * nothing. Best effort: whatever goes wrong means "not known".
 */
#ifndef CORAS_TRANSFER_DIGEST_CACHE_H
#define CORAS_TRANSFER_DIGEST_CACHE_H

#include <sys/stat.h>
#include "coras/digest.h"

/* Smaller files are hashed faster than looked up. */
#define CORAS_DIGEST_CACHE_MIN_BYTES (4 * 1024 * 1024)

bool coras_digest_cache_get(const struct stat *st, coras_digest *ret);
/*
 * Remember the digest of the open file, which had the identity `hashed` when it was read. Waits
 * some milliseconds when the file changed so recently that a further change could carry the same
 * time stamps.
 */
void coras_digest_cache_put(int fd, const struct stat *hashed, const coras_digest *digest);

/* Same file, same content as far as its identity tells. */
bool coras_same_file_state(const struct stat *a, const struct stat *b);

#endif
