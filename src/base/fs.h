/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files. Work is relative to directory descriptors; what an artifact names is opened beneath a root
 * with openat2(RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS), or component by component with
 * O_NOFOLLOW where the kernel lacks it. EINTR and short transfers are handled here.
 */
#ifndef CORAS_BASE_FS_H
#define CORAS_BASE_FS_H

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/str.h"

/* Keeps errno, so that a clean-up does not hide why a function failed. */
static inline void coras_close_fd(int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved;
}
#define coras_auto_fd __attribute__((cleanup(coras_close_fd))) int

/* Whole transfers; coras_pread_full may return fewer bytes than asked only at the end of the file.
 */
CORAS_MUST_CHECK int coras_write_full(int fd, const void *data, size_t len, coras_error **err);
/* The same, with the file's name in the error. */
CORAS_MUST_CHECK int coras_write_named(int fd, const char *path, const void *data, size_t len,
                                       coras_error **err);
CORAS_MUST_CHECK int coras_pwrite_full(int fd, const void *data, size_t len, int64_t offset,
                                       coras_error **err);
CORAS_MUST_CHECK int coras_pread_full(int fd, void *buf, size_t cap, int64_t offset, size_t *ret,
                                      coras_error **err);

/* All that one file holds, into another that holds nothing yet. */
CORAS_MUST_CHECK int coras_copy_content(int from, int to, coras_error **err);

/* Read a regular file into memory: TOO_LARGE above `limit`. Path is relative to dirfd (AT_FDCWD
 * allowed). */
CORAS_MUST_CHECK int coras_read_file(int dirfd, const char *path, size_t limit, coras_buf *ret,
                                     coras_error **err);

/*
 * A name that nobody can guess, ".coras-<16 hex digits>", for what is not finished. Everything that
 * is written beside its place is named so: whoever finds one may remove it. The others make a file
 * (the descriptor) or a private directory (0) of such a name; -1 with errno.
 */
#define CORAS_TEMP_PREFIX     ".coras-"
#define CORAS_TEMP_NAME_BYTES (sizeof(CORAS_TEMP_PREFIX) + 16)
void coras_temp_name(char name[static CORAS_TEMP_NAME_BYTES]);
CORAS_MUST_CHECK int coras_temp_create(int dirfd, int flags, mode_t mode,
                                       char name[static CORAS_TEMP_NAME_BYTES]);
CORAS_MUST_CHECK int coras_temp_mkdir(int dirfd, char name[static CORAS_TEMP_NAME_BYTES]);

/*
 * Replace a file atomically: temporary file beside it, write, fsync, rename, fsync of the
 * directory. A symbolic link at `path` is followed first (its target is replaced, the link kept).
 */
CORAS_MUST_CHECK int coras_write_file_atomic(int dirfd, const char *path, const void *data,
                                             size_t len, mode_t mode, coras_error **err);

/* The same where others may have made the directory's content: a link at `path` is itself replaced,
 * never written through. */
CORAS_MUST_CHECK int coras_write_file_not_through(int dirfd, const char *path, const void *data,
                                                  size_t len, mode_t mode, coras_error **err);

/* The first in steps, for content that comes piece by piece: it is written to `fd`. */
struct coras_replacement {
    int dir, fd;
    char temp[CORAS_TEMP_NAME_BYTES];
    char *path;
};
#define CORAS_REPLACEMENT_INIT                                                                     \
    {                                                                                              \
        .dir = -1, .fd = -1                                                                        \
    }
CORAS_MUST_CHECK int coras_replacement_open(int dirfd, const char *path, mode_t mode,
                                            struct coras_replacement *r, coras_error **err);
CORAS_MUST_CHECK int coras_replacement_commit(struct coras_replacement *r, bool sync,
                                              coras_error **err);
/* Also takes an uncommitted file away. */
void coras_replacement_clear(struct coras_replacement *r);

/* mkdir -p; `path` absolute or relative to dirfd, trusted (the user's own words). Message as Go's
 * os.MkdirAll: "mkdir <path>: not a directory". */
CORAS_MUST_CHECK int coras_mkdir_all(int dirfd, const char *path, mode_t mode, coras_error **err);

/* How many of the directories above `path` (absolute, cleaned) are missing. */
unsigned coras_missing_parents(const char *path);
/* The same, the directory `path` itself included. */
unsigned coras_missing_dirs(const char *path);
/* Sync the `count` lowest directories above `path`, so that names given in them are durable. */
CORAS_MUST_CHECK int coras_sync_parents(const char *path, unsigned count, coras_error **err);
/* One that may not be read is passed over. NOT_FOUND. */
CORAS_MUST_CHECK int coras_sync_directory(int dirfd, const char *path, coras_error **err);

/* The names in an open directory but "." and "..", sorted; its position is left alone. `what` names
 * it in the message. */
CORAS_MUST_CHECK int coras_list_directory(int dirfd, const char *what, coras_strlist *ret,
                                          coras_error **err);

/* fsync with the rule that a failure is final; where there is no such thing nothing is to be done.
 * `what` names the file in the message. */
CORAS_MUST_CHECK int coras_fsync(int fd, const char *what, coras_error **err);

/* As the kernel goes, through links and "..", as long as it stays beneath `rootfd`. The descriptor;
 * -1 with errno, ENOSYS or EPERM where the kernel has no such way. */
CORAS_MUST_CHECK int coras_follow_beneath(int rootfd, const char *path, int flags, mode_t mode);
/*
 * Beneath a root: `path` is untrusted and relative. UNSAFE_PATH when it leaves the root (also by a
 * symbolic link), has an empty, "." or ".." component, is absolute, or exceeds the limits.
 */
CORAS_MUST_CHECK int coras_open_beneath(int rootfd, const char *path, int flags, mode_t mode,
                                        int *ret_fd, coras_error **err);
/* Make the parents of `path` beneath the root and open the last of them; *ret_name points into path
 * at the final component. */
CORAS_MUST_CHECK int coras_open_parent_beneath(int rootfd, const char *path, mode_t mode,
                                               int *ret_dirfd, const char **ret_name,
                                               coras_error **err);

/* Go's path.Clean and filepath.Join of two parts; new strings, NULL when out of memory. */
char *coras_path_clean(const char *path);
char *coras_path_join(const char *a, const char *b);
/* filepath.Abs: cleaned; NULL when out of memory or the working directory is gone. */
char *coras_path_abs(const char *path);
/* Last component (path.Base for a cleaned path), borrowed. */
const char *coras_path_base(const char *path);
/* Directories that are named on the way: how many slashes there are. */
size_t coras_path_depth(const char *path);

/* Bytes that a file takes on its file system, which knows holes and reservations. */
int64_t coras_allocated_bytes(const struct stat *st);
/* Free bytes for unprivileged use on the file system of fd; -1 unknown, which is not "none": some
 * file systems do not count. */
int64_t coras_free_space(int fd);
/* Whether the file lies in memory and on no disk. */
bool coras_memory_holds(int fd);

/* Remove a tree without following links; absent is success. */
CORAS_MUST_CHECK int coras_remove_all(int dirfd, const char *path, coras_error **err);

/* An unnamed temporary file in `directory` (NULL: /tmp), by O_TMPFILE, else unlinked at once. */
CORAS_MUST_CHECK int coras_tmpfile(const char *directory, int *ret_fd, coras_error **err);

#endif
