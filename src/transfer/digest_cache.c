/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where digests of local files are remembered, and which files allow it (digest_cache.h says why).
 */
#include "transfer/digest_cache.h"

#include <inttypes.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/vfs.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/str.h"
#include "oci/digest.h"

enum {
    ENTRY_LIMIT = 1024,
    TIMESTAMP_TICK_MS = 20,
    /* Dirty pages are written back after 35 seconds unless the administrator wants it otherwise. */
    QUIET_S = 60,
};
#define ENTRY_FORMAT "2 " /* entries of the first format were made by weaker rules */

/* ---- what a file's state tells ---- */

bool coras_same_file_state(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int64_t age_ms(const struct timespec *then)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)(now.tv_sec - then->tv_sec) * 1000 + (now.tv_nsec - then->tv_nsec) / 1000000;
}

bool coras_file_state_is_past(const struct stat *st)
{
    return age_ms(&st->st_mtim) >= TIMESTAMP_TICK_MS;
}

/*
 * Whether writing through a mapping moves mtime once the page was written back. tmpfs and ramfs
 * never write back, network file systems and FUSE learn of other machines' writes late or never,
 * and an overlay may have any of them below.
 */
static bool is_told_of_writes(int fd)
{
    struct statfs fs;

    if (fstatfs(fd, &fs) < 0)
        return false;
    switch ((unsigned long)fs.f_type) {
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
        return true;
    default:
        return false;
    }
}

/*
 * The kernel grants a lease to read only when no descriptor and no mapping can write the file. Who
 * comes later begins with pages that he has not written yet. The lease is given back at once;
 * whoever wanted to write in between has waited, and we are told by a signal that is ignored as a
 * rule.
 */
static bool has_no_writer(int fd)
{
    bool leased = fcntl(fd, F_SETSIG, SIGURG) == 0 && fcntl(fd, F_SETLEASE, F_RDLCK) == 0;

    if (leased)
        (void)fcntl(fd, F_SETLEASE, F_UNLCK); /* closing would do it too */
    return leased;
}

static bool is_quiet(int fd, const struct stat *st, int64_t now_s)
{
    return st->st_mtim.tv_sec <= now_s - QUIET_S && st->st_ctim.tv_sec <= now_s - QUIET_S &&
           fdatasync(fd) == 0; /* costs nothing as a rule */
}

bool coras_digest_cache_is_settled(int fd, const struct stat *st, int64_t now_s)
{
    return st->st_size >= CORAS_DIGEST_CACHE_MIN_BYTES && is_told_of_writes(fd) &&
           coras_file_state_is_past(st) && (has_no_writer(fd) || is_quiet(fd, st, now_s));
}

/* ---- entries ---- */

/* "<cache>/digests/<device>-<inode>-<algorithm>" */
static char *entry_path(const char *cache_dir, const struct stat *st, int algorithm,
                        coras_error **err)
{
    coras_auto_free char *dir = coras_path_join(cache_dir, "digests");

    if (!dir || coras_mkdir_all(AT_FDCWD, dir, 0700, err) < 0)
        return NULL;
    return coras_asprintf("%s/%" PRIx64 "-%" PRIx64 "-%s", dir, (uint64_t)st->st_dev,
                          (uint64_t)st->st_ino, coras_digest_algorithm_name(algorithm));
}

/* Everything that tells this state of the file from others; the digest follows. */
static void put_state(coras_buf *b, const struct stat *st)
{
    coras_buf_printf(b, ENTRY_FORMAT "%" PRId64 " %" PRId64 ".%09ld %" PRId64 ".%09ld ",
                     (int64_t)st->st_size, (int64_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
                     (int64_t)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

bool coras_digest_cache_get(const char *cache_dir, const struct stat *st, int algorithm,
                            coras_digest *ret)
{
    coras_auto(coras_error) ignored = NULL;
    coras_auto_buf want = CORAS_BUF_UNLIMITED;
    coras_auto_buf have = CORAS_BUF_INIT(ENTRY_LIMIT);
    coras_digest digest;

    if (!cache_dir || st->st_size < CORAS_DIGEST_CACHE_MIN_BYTES)
        return false;
    coras_auto_free char *path = entry_path(cache_dir, st, algorithm, &ignored);
    if (!path || coras_read_file(AT_FDCWD, path, ENTRY_LIMIT, &have, &ignored) < 0)
        return false;
    put_state(&want, st);
    if (coras_buf_done(&want, NULL) < 0 || have.len <= want.len ||
        !coras_str_starts(have.ptr, want.ptr) || have.ptr[have.len - 1] != '\n')
        return false;
    coras_buf_truncate(&have, have.len - 1);
    if (coras_digest_parse(have.ptr + want.len, &digest, NULL) < 0 || digest.algorithm != algorithm)
        return false;
    *ret = digest;
    return true;
}

/* No fsync: an entry that a power cut damages does not parse, which means "not known". */
static int write_entry(const char *path, const coras_buf *entry, coras_error **err)
{
    __attribute__((cleanup(coras_replacement_clear))) struct coras_replacement r;

    CORAS_TRY(coras_replacement_open(AT_FDCWD, path, 0600, &r, err));
    CORAS_TRY(coras_write_full(r.fd, entry->ptr, entry->len, err));
    return coras_replacement_commit(&r, false, err);
}

void coras_digest_cache_put(const char *cache_dir, int fd, const struct stat *hashed,
                            const coras_digest *digest)
{
    coras_auto(coras_error) ignored = NULL;
    coras_auto_buf entry = CORAS_BUF_UNLIMITED;
    struct stat now;

    if (!cache_dir || hashed->st_size < CORAS_DIGEST_CACHE_MIN_BYTES || !is_told_of_writes(fd) ||
        fstat(fd, &now) < 0 || !coras_same_file_state(&now, hashed))
        return;
    coras_auto_free char *path = entry_path(cache_dir, hashed, digest->algorithm, &ignored);
    put_state(&entry, hashed);
    coras_buf_put_digest(&entry, digest);
    coras_buf_putc(&entry, '\n');
    if (path && coras_buf_done(&entry, NULL) == 0)
        (void)write_entry(path, &entry, &ignored); /* not remembered, then */
}
