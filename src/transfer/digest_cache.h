/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests of local files that were hashed before, remembered in the user's cache directory under
 * device, inode, size, mtime and ctime, so that pushing or pulling the same large files again reads
 * nothing. Best effort: whatever goes wrong means "not known".
 *
 * What is promised: a remembered digest is that of the bytes, also when somebody writes through a
 * shared mapping. Such writes move mtime only with the first one to a page that is clean, and only
 * on file systems that look. Therefore a file is remembered only there, and only from a moment on
 * after which every write moves mtime: see docs/internals/files.md.
 */
#ifndef CORAS_TRANSFER_DIGEST_CACHE_H
#define CORAS_TRANSFER_DIGEST_CACHE_H

#include <sys/stat.h>
#include "coras/digest.h"

/* Smaller files are hashed faster than looked up. */
#define CORAS_DIGEST_CACHE_MIN_BYTES (4 * 1024 * 1024)

/* The digest of a file in this state, by this algorithm. */
bool coras_digest_cache_get(const char *cache_dir, const struct stat *st, int algorithm,
                            coras_digest *ret);

/*
 * Before a file in state `st`, opened for reading, is read: whether every write from now on moves
 * its mtime, so that its digest may be remembered afterwards. `now_s` is the time of day. Either
 * nobody has the file open for writing, or it was not changed for a minute; then nothing of it is
 * left to be written back. (To write back what is newer would cost more than hashing it again.)
 */
bool coras_digest_cache_is_settled(int fd, const struct stat *st, int64_t now_s);

/*
 * Remember the digest of the open file, which had the state `hashed` before it was read, unless it
 * has another one now. The file was settled then; or the caller alone has written it, and synced
 * it.
 */
void coras_digest_cache_put(const char *cache_dir, int fd, const struct stat *hashed,
                            const coras_digest *digest);

/* Same file, same content as far as its identity tells. */
bool coras_same_file_state(const struct stat *a, const struct stat *b);

/* Whether a write to a file of this state, now, would get another mtime: clocks of file systems
 * tick slowly. */
bool coras_file_state_is_past(const struct stat *st);

#endif
