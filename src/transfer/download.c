/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One blob into a file, from opening the partial file to the compared digest.
 */
#include "transfer/download.h"

#include <errno.h>

#include "base/error.h"
#include "base/fs.h"
#include "transfer/fill.h"
#include "transfer/hash_behind.h"
#include "transfer/partial_file.h"

bool coras_download_can_resume(int rc)
{
    switch (rc) {
    case CORAS_ERR_CANCELLED:
    case CORAS_ERR_CONNECT:
    case CORAS_ERR_TIMEOUT:
    case CORAS_ERR_HTTP:
    case CORAS_ERR_RATE_LIMITED:
    case CORAS_ERR_TLS:
    case CORAS_ERR_PROTOCOL:
    case CORAS_ERR_NO_SPACE:
    case CORAS_ERR_IO:
    case CORAS_ERR_PERMISSION:
    case CORAS_ERR_UNAUTHORIZED:
    case CORAS_ERR_NO_CREDENTIAL:
    case CORAS_ERR_DENIED:
        return true;
    default:
        return false;
    }
}

/* ---- the digest ---- */

static int check_digest(const coras_digest *have, const coras_digest *want, coras_error **err)
{
    char have_text[CORAS_DIGEST_TEXT_MAX], want_text[CORAS_DIGEST_TEXT_MAX];

    if (coras_digest_equal(have, want))
        return 0;
    return coras_fail(err, CORAS_ERR_DIGEST_MISMATCH, "mismatched digest: %s expected, got %s",
                      coras_digest_format(want, want_text), coras_digest_format(have, have_text));
}

static void advance_hash(void *user, int64_t front)
{
    coras_hash_behind_advance(user, front);
}

static struct coras_hash_behind_options hashing_options(const struct coras_fill *fill)
{
    const struct coras_download *d = fill->download;
    return (struct coras_hash_behind_options){.fd = fill->fd,
                                              .size = d->desc->size,
                                              .algorithm = d->desc->digest.algorithm,
                                              .cancel = &d->run->stop};
}

/* Small content is read back when it is complete. */
static int fill_then_hash(struct coras_fill *fill, coras_digest *ret, coras_error **err)
{
    const struct coras_hash_behind_options options = hashing_options(fill);

    CORAS_TRY(coras_fill(fill, err));
    return coras_hash_now(&options, ret, err);
}

/* Large content is hashed while it arrives. */
static int fill_and_hash(struct coras_fill *fill, coras_digest *ret, coras_error **err)
{
    const struct coras_hash_behind_options options = hashing_options(fill);
    coras_auto(coras_hash_behind) behind = NULL;

    CORAS_TRY(coras_hash_behind_start(&options, &behind, err));
    coras_hash_behind_advance(behind,
                              fill->missing.len ? fill->missing.items[0].start : options.size);
    fill->advanced = advance_hash;
    fill->user = behind;
    CORAS_TRY(coras_fill(fill, err));
    return coras_hash_behind_get(behind, true, ret, err);
}

/* ---- the transfer ---- */

/* Small content is not resumed, but what another process has just finished under this name, and is
 * about to publish, is not to be emptied under its hands. */
static bool is_whole(struct coras_fill *fill)
{
    const struct coras_hash_behind_options options = hashing_options(fill);
    coras_digest digest;
    struct stat st;

    return fstat(fill->fd, &st) == 0 && st.st_size == options.size &&
           coras_hash_now(&options, &digest, NULL) == 0 &&
           coras_digest_equal(&digest, &fill->download->desc->digest);
}

static int download_once(struct coras_fill *fill, coras_error **err)
{
    const struct coras_download *d = fill->download;
    const coras_descriptor *desc = d->desc;
    bool small = desc->size < CORAS_DOWNLOAD_RESUMED_BYTES;
    coras_digest digest;

    if (small) {
        if (is_whole(fill))
            return 0;
        if (ftruncate(fill->fd, 0) < 0)
            return coras_fail_errno(err, errno, "truncate %s", d->partial);
        fill->missing.len = 0;
        coras_gaps_add(&fill->missing, 0, desc->size);
        CORAS_TRY(fill_then_hash(fill, &digest, err));
    } else {
        CORAS_TRY(coras_partial_missing(fill->fd, d->partial, desc->size, &fill->missing, err));
        CORAS_TRY(coras_partial_reserve(fill->fd, d->partial, desc->size, &fill->missing, err));
        CORAS_TRY(fill_and_hash(fill, &digest, err));
    }
    return check_digest(&digest, &desc->digest, err);
}

static void tell_starting_over(const struct coras_download *d, const coras_error *failure)
{
    if (d->transfer && d->transfer->retrying)
        d->transfer->retrying(d->transfer->user, 0, coras_error_message(failure));
}

/* Bytes that are wrong, and not merely few, or that nothing can be added to. */
static bool is_worthless(const struct coras_fill *fill, int rc)
{
    return rc == CORAS_ERR_DIGEST_MISMATCH || rc == CORAS_ERR_SIZE_MISMATCH || fill->disk_is_full;
}

/* Once more, from the first byte: a leftover of an earlier process, one bad connection, or the bad
 * copy of a cache. */
static int start_over(struct coras_fill *fill, coras_error **failure)
{
    const struct coras_download *d = fill->download;

    tell_starting_over(d, *failure);
    coras_error_clear(failure);
    (void)coras_target_distrust(d->from, d->desc);
    CORAS_TRY(coras_target_bring(d->from, d->desc, d->run, d->transfer, failure));
    if (ftruncate(fill->fd, 0) < 0)
        return coras_fail_errno(failure, errno, "truncate %s", d->partial);
    return download_once(fill, failure);
}

/* `d->from` has the content at hand. */
static int download(const struct coras_download *d, coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    coras_auto_fd fd = -1;

    CORAS_TRY(coras_partial_open(d->run, d->dirfd, d->partial, d->mode, &fd, err));
    struct coras_fill fill = {.download = d, .fd = fd};
    int rc = download_once(&fill, &failure);
    if (rc == CORAS_ERR_DIGEST_MISMATCH)
        rc = start_over(&fill, &failure);
    bool arrived = rc == 0;
    if (arrived && d->sync)
        rc = coras_fsync(fd, d->partial, &failure);
    /* After a failed sync nobody can tell which bytes are on disk. */
    if (rc < 0 && (arrived || is_worthless(&fill, rc)))
        (void)unlinkat(d->dirfd, d->partial, 0); /* the failure is already on its way */
    coras_error_propagate(err, &failure);
    return rc;
}

int coras_download(const struct coras_download *d, coras_error **err)
{
    struct coras_download again = *d;
    int came = coras_target_bring(d->from, d->desc, d->run, d->transfer, err);

    if (came < 0)
        return came;
    if (came)
        again.transfer = NULL; /* who listens has heard of every byte */
    return download(&again, err);
}
