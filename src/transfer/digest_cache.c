#include "transfer/digest_cache.h"

#include <inttypes.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/random.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/str.h"
#include "oci/digest.h"

enum { ENTRY_LIMIT = 1024, TIMESTAMP_TICK_MS = 20 };

bool coras_same_file_state(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* "<cache>/digests/<device>-<inode>" */
static char *entry_path(const struct stat *st, coras_error **err)
{
    coras_auto_free char *cache = coras_cache_dir();
    if (!cache)
        return NULL;
    coras_auto_free char *dir = coras_path_join(cache, "digests");
    if (!dir || coras_mkdir_all(AT_FDCWD, dir, 0700, err) < 0)
        return NULL;
    return coras_asprintf("%s/%" PRIx64 "-%" PRIx64, dir, (uint64_t)st->st_dev,
                          (uint64_t)st->st_ino);
}

/* Everything that tells this state of the file from others, then the digest. */
static void put_entry(coras_buf *b, const struct stat *st, const coras_digest *digest)
{
    coras_buf_printf(b, "%" PRId64 " %" PRId64 ".%09ld %" PRId64 ".%09ld ", (int64_t)st->st_size,
                     (int64_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, (int64_t)st->st_ctim.tv_sec,
                     st->st_ctim.tv_nsec);
    if (digest) {
        coras_buf_put_digest(b, digest);
        coras_buf_putc(b, '\n');
    }
}

bool coras_digest_cache_get(const struct stat *st, coras_digest *ret)
{
    coras_auto(coras_error) ignored = NULL;
    coras_auto_buf want = CORAS_BUF_UNLIMITED;
    coras_auto_buf have = CORAS_BUF_INIT(ENTRY_LIMIT);

    if (st->st_size < CORAS_DIGEST_CACHE_MIN_BYTES)
        return false;
    coras_auto_free char *path = entry_path(st, &ignored);
    if (!path || coras_read_file(AT_FDCWD, path, ENTRY_LIMIT, &have, &ignored) < 0)
        return false;
    put_entry(&want, st, NULL);
    if (coras_buf_done(&want, NULL) < 0 || have.len <= want.len ||
        !coras_str_starts(have.ptr, want.ptr) || have.ptr[have.len - 1] != '\n')
        return false;
    coras_buf_truncate(&have, have.len - 1);
    return coras_digest_parse(have.ptr + want.len, ret, NULL) == 0;
}

static int64_t age_ms(const struct timespec *then)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)(now.tv_sec - then->tv_sec) * 1000 + (now.tv_nsec - then->tv_nsec) / 1000000;
}

void coras_digest_cache_put(int fd, const struct stat *hashed, const coras_digest *digest)
{
    coras_auto(coras_error) ignored = NULL;
    coras_auto_buf entry = CORAS_BUF_UNLIMITED;
    struct stat now;

    if (hashed->st_size < CORAS_DIGEST_CACHE_MIN_BYTES)
        return;
    int64_t age = age_ms(&hashed->st_ctim);
    if (age >= 0 && age < TIMESTAMP_TICK_MS)
        (void)coras_cancel_sleep_ms(NULL, TIMESTAMP_TICK_MS - age, NULL);
    if (fstat(fd, &now) < 0 || !coras_same_file_state(&now, hashed))
        return;
    coras_auto_free char *path = entry_path(hashed, &ignored);
    if (!path)
        return;
    put_entry(&entry, hashed, digest);
    coras_auto_free char *temporary =
        coras_asprintf("%s.%08x", path, coras_random_below(UINT32_MAX));
    if (!temporary || coras_buf_done(&entry, NULL) < 0)
        return;
    /* No fsync: an entry that a power cut damages does not parse, which means "not known". */
    coras_auto_fd out = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out < 0 || coras_write_full(out, entry.ptr, entry.len, NULL) < 0 ||
        rename(temporary, path) < 0)
        (void)unlink(temporary);
}
