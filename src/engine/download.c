#include "engine/download.h"

#include <errno.h>
#include <sys/file.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "engine/hash_behind.h"

enum {
    INLINE_BYTES =
        CORAS_DOWNLOAD_RESUMED_BYTES, /* smaller content is hashed by the thread that receives it */
    WRITE_BEHIND_BYTES =
        16 * 1024 * 1024, /* started on its way to the disk in pieces of this size */
    FIRST_WAIT_MS = 200,
    LONGEST_WAIT_MS = 5000,
};

/* One download while it runs. */
struct landing_file {
    const struct coras_download *d;
    int fd;
    int64_t front;             /* bytes in the file */
    int64_t skip;              /* bytes to drop: a server without ranges begins at 0 again */
    int64_t written_out;       /* handed to the disk */
    coras_hasher *hasher;      /* small content */
    coras_hash_behind *behind; /* large content */
};

int coras_retry_wait(coras_run *run, unsigned failures, coras_error **err)
{
    int64_t longest = (int64_t)FIRST_WAIT_MS << (failures < 6 ? failures : 6);
    if (longest > LONGEST_WAIT_MS)
        longest = LONGEST_WAIT_MS;
    int64_t wait = FIRST_WAIT_MS / 2 + coras_random_below((uint32_t)longest);
    CORAS_TRY(coras_run_check(run, err));
    CORAS_TRY(coras_cancel_sleep_ms(&run->stop, wait, err));
    return coras_run_check(run, err);
}

/* ---- the file ---- */

static bool is_still_named(int dirfd, const char *name, int fd)
{
    struct stat named, open_file;
    return fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &open_file) == 0 &&
           named.st_ino == open_file.st_ino && named.st_dev == open_file.st_dev;
}

/* Two processes may want the same content in the same place: the second waits and finds it done. */
static int lock_file(const struct coras_download *d, int fd, coras_error **err)
{
    enum { LOCK_POLL_MS = 50 };
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return 0; /* no locks on this file system: the digest still decides */
        CORAS_TRY(coras_run_check(d->run, err));
        CORAS_TRY(coras_cancel_sleep_ms(d->run->options->cancel, LOCK_POLL_MS, err));
    }
    return 0;
}

static int open_partial(const struct coras_download *d, int *ret, coras_error **err)
{
    for (;;) {
        coras_auto_fd fd = openat(d->dirfd, d->partial,
                                  O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, d->mode);
        struct stat st;
        if (fd < 0)
            return coras_fail_errno(err, errno, "open %s", d->partial);
        if (fstat(fd, &st) < 0)
            return coras_fail_errno(err, errno, "stat %s", d->partial);
        if (!S_ISREG(st.st_mode))
            return coras_fail(err, CORAS_ERR_UNSAFE_PATH, "%s is not a regular file", d->partial);
        CORAS_TRY(lock_file(d, fd, err));
        if (!is_still_named(d->dirfd, d->partial, fd))
            continue;
        *ret = fd;
        fd = -1;
        return 0;
    }
}

static int check_space(const struct landing_file *f, coras_error **err)
{
    int64_t missing = f->d->desc->size - f->front;
    int64_t available = coras_free_space(f->fd);
    if (available < 0 || missing <= available)
        return 0;
    int rc = coras_fail(err, CORAS_ERR_NO_SPACE,
                        "%lld bytes needed, %lld available: no space left on device",
                        (long long)missing, (long long)available);
    coras_hint(err, "free some space, or choose another directory");
    return rc;
}

/* Start from what is there; a file that is too long belongs to nothing. */
static int begin_file(struct landing_file *f, coras_error **err)
{
    const coras_descriptor *desc = f->d->desc;
    struct stat st;

    if (fstat(f->fd, &st) < 0)
        return coras_fail_errno(err, errno, "stat %s", f->d->partial);
    f->front = st.st_size;
    if (desc->size < INLINE_BYTES || f->front > desc->size)
        f->front = 0;
    if (f->front == 0 && st.st_size > 0 && ftruncate(f->fd, 0) < 0)
        return coras_fail_errno(err, errno, "truncate %s", f->d->partial);
    CORAS_TRY(check_space(f, err));
    if (desc->size < INLINE_BYTES)
        return coras_hasher_new(desc->digest.algorithm, &f->hasher, err);
    /* Room is reserved without changing the length, which tells how far we are. */
    (void)fallocate(f->fd, FALLOC_FL_KEEP_SIZE, 0, desc->size); /* not every file system can */
    struct coras_hash_behind_options options = {.fd = f->fd,
                                                .size = desc->size,
                                                .algorithm = desc->digest.algorithm,
                                                .cancel = &f->d->run->stop};
    CORAS_TRY(coras_hash_behind_start(&options, &f->behind, err));
    coras_hash_behind_advance(f->behind, f->front);
    return 0;
}

static void end_file(struct landing_file *f)
{
    coras_hash_behind_free(f->behind);
    coras_hasher_free(f->hasher);
    f->behind = NULL;
    f->hasher = NULL;
}

/* Start writing out finished pieces, so that a later fsync finds little to do. */
static void write_behind(struct landing_file *f)
{
    if (f->front - f->written_out < WRITE_BEHIND_BYTES && f->front < f->d->desc->size)
        return;
    (void)sync_file_range(f->fd, f->written_out, f->front - f->written_out,
                          SYNC_FILE_RANGE_WRITE); /* advice */
    f->written_out = f->front;
}

static int receive(void *user, const void *data, size_t len, coras_error **err)
{
    struct landing_file *f = user;
    const char *bytes = data;

    CORAS_TRY(coras_run_check(f->d->run, err));
    if (f->skip >= (int64_t)len) {
        f->skip -= (int64_t)len;
        return 0;
    }
    bytes += f->skip;
    len -= (size_t)f->skip;
    f->skip = 0;
    if ((int64_t)len > f->d->desc->size - f->front)
        return coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "trailing data");
    CORAS_TRY(coras_pwrite_full(f->fd, bytes, len, f->front, err));
    f->front += (int64_t)len;
    if (f->behind)
        coras_hash_behind_advance(f->behind, f->front);
    else
        coras_hasher_update(f->hasher, bytes, len);
    write_behind(f);
    if (f->d->transfer && f->d->transfer->progress)
        f->d->transfer->progress(f->d->transfer->user, f->front);
    return 0;
}

/* ---- the transfer ---- */

static int fetch_once(struct landing_file *f, bool *can_range, coras_error **err)
{
    const coras_sink sink = {receive, f};
    coras_target *from = f->d->from;

    f->skip = 0;
    if (f->front > 0 && *can_range) {
        coras_auto(coras_error) failure = NULL;
        int rc = from->ops->fetch(from, f->d->desc, f->front, -1, &sink, &failure);
        if (rc != CORAS_ERR_RANGE) {
            coras_error_propagate(err, &failure);
            return rc;
        }
        *can_range = false;
    }
    f->skip = f->front;
    return from->ops->fetch(from, f->d->desc, 0, -1, &sink, err);
}

static void tell_retrying(const struct landing_file *f, const coras_error *failure)
{
    if (f->d->transfer && f->d->transfer->retrying)
        f->d->transfer->retrying(f->d->transfer->user, f->front, coras_error_message(failure));
}

/* Until all bytes are there, or a failure that trying again does not mend. */
static int fetch_rest(struct landing_file *f, coras_error **err)
{
    bool can_range = true;
    unsigned failures = 0;

    while (f->front < f->d->desc->size) {
        coras_auto(coras_error) failure = NULL;
        int64_t before = f->front;
        int rc = fetch_once(f, &can_range, &failure);
        bool all = f->front == f->d->desc->size;
        if (all && rc != CORAS_ERR_SIZE_MISMATCH)
            return 0; /* however the connection ended: the digest decides */
        if (rc >= 0)
            rc = coras_fail(&failure, CORAS_ERR_SIZE_MISMATCH,
                            "got %lld of %lld bytes: unexpected EOF", (long long)f->front,
                            (long long)f->d->desc->size);
        failures = f->front > before ? 1 : failures + 1;
        bool cut = rc == CORAS_ERR_SIZE_MISMATCH && f->front > before && !all;
        bool again = coras_error_is_retryable(failure) || cut;
        if (!again || all || failures > CORAS_RETRIES_WITHOUT_PROGRESS) {
            coras_error_propagate(err, &failure);
            return rc;
        }
        tell_retrying(f, failure);
        CORAS_TRY(coras_retry_wait(f->d->run, failures, err));
    }
    return 0;
}

static int check_digest(struct landing_file *f, coras_error **err)
{
    char want[CORAS_DIGEST_TEXT_MAX], have[CORAS_DIGEST_TEXT_MAX];
    coras_digest digest;

    if (f->behind)
        CORAS_TRY(coras_hash_behind_get(f->behind, true, &digest, err));
    else
        coras_hasher_final(f->hasher, &digest);
    if (coras_digest_equal(&digest, &f->d->desc->digest))
        return 0;
    return coras_fail(err, CORAS_ERR_DIGEST_MISMATCH, "mismatched digest: %s expected, got %s",
                      coras_digest_format(&f->d->desc->digest, want),
                      coras_digest_format(&digest, have));
}

static int download_once(struct landing_file *f, coras_error **err)
{
    int rc = begin_file(f, err);
    if (rc == 0)
        rc = fetch_rest(f, err);
    if (rc == 0)
        rc = check_digest(f, err);
    end_file(f);
    return rc;
}

static bool bytes_are_wrong(int rc)
{
    return rc == CORAS_ERR_DIGEST_MISMATCH || rc == CORAS_ERR_SIZE_MISMATCH;
}

int coras_download(const struct coras_download *d, coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    coras_auto_fd fd = -1;

    CORAS_TRY(open_partial(d, &fd, err));
    struct landing_file f = {.d = d, .fd = fd};
    int rc = download_once(&f, &failure);
    if (rc == CORAS_ERR_DIGEST_MISMATCH) {
        /* A leftover of an earlier process, or one bad connection: once more, from the first byte.
         */
        tell_retrying(&f, failure);
        coras_error_clear(&failure);
        if (ftruncate(fd, 0) < 0)
            return coras_fail_errno(err, errno, "truncate %s", d->partial);
        f.written_out = 0;
        rc = download_once(&f, &failure);
    }
    if (rc == 0 && d->sync)
        rc = coras_fsync(fd, d->partial, &failure);
    if (bytes_are_wrong(rc))
        (void)unlinkat(d->dirfd, d->partial, 0); /* the failure is already on its way */
    coras_error_propagate(err, &failure);
    return rc;
}
