/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One blob into a file, from opening the partial file to the compared digest.
 */
#include "transfer/download.h"

#include <errno.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/processor.h"
#include "transfer/fill.h"
#include "transfer/let_go.h"
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

static struct coras_hash_behind_options hashing_options(const struct coras_fill *fill)
{
    const struct coras_download *d = fill->download;
    bool large = d->desc->size >= (int64_t)CORAS_FILL_GATHER_BYTES;
    int64_t kept =
        large ? coras_let_go_after(coras_lanes_sum(&d->run->lanes), coras_memory_bytes()) : 0;

    return (struct coras_hash_behind_options){.fd = fill->fd,
                                              .kept = kept,
                                              .handed = large ? CORAS_FILL_GATHER_BYTES : 0,
                                              .size = d->desc->size,
                                              .algorithm = d->desc->digest.algorithm,
                                              .cancel = &d->run->stop};
}

/* What was there before is hashed while the rest comes. */
static void begin_behind(coras_arrival_hash *hash, const coras_gaps *missing)
{
    if (missing->len == 0 || (missing->len == 1 && missing->items[0].start == 0))
        return;
    coras_arrival_hash_leave_order(hash);
    coras_arrival_hash_advance(hash, missing->items[0].start);
}

static int fill_and_hash(struct coras_fill *fill, coras_digest *ret, coras_error **err)
{
    const struct coras_hash_behind_options options = hashing_options(fill);
    coras_auto_value(coras_arrival_hash) hash = {.hasher = NULL};

    CORAS_TRY(coras_arrival_hash_init(&hash, &options, err));
    begin_behind(&hash, &fill->missing);
    fill->hash = &hash;
    int rc = coras_fill(fill, err);
    fill->hash = NULL;
    return rc < 0 ? rc : coras_arrival_hash_get(&hash, ret, err);
}

/* ---- the transfer ---- */

/* Small content is not resumed, but what another process has just finished under this name, and is
 * about to publish, is not to be emptied under its hands. 1: it is there; 0: all of it is missing.
 */
static int look_at_small(struct coras_fill *fill, coras_error **err)
{
    const struct coras_hash_behind_options options = hashing_options(fill);
    const struct coras_download *d = fill->download;
    coras_digest digest;
    struct stat st;

    if (fstat(fill->fd, &st) < 0)
        return coras_fail_errno(err, errno, "stat %s", d->partial);
    if (st.st_size == options.size && coras_hash_now(&options, &digest, NULL) == 0 &&
        coras_digest_equal(&digest, &d->desc->digest))
        return 1;
    if (st.st_size > 0 && ftruncate(fill->fd, 0) < 0)
        return coras_fail_errno(err, errno, "truncate %s", d->partial);
    fill->missing.len = 0;
    coras_gaps_add(&fill->missing, 0, options.size);
    return 0;
}

static int look_at_large(struct coras_fill *fill, coras_error **err)
{
    const struct coras_download *d = fill->download;

    CORAS_TRY(coras_partial_missing(fill->fd, d->partial, d->desc->size, &fill->missing, err));
    return coras_partial_reserve(fill->fd, d->partial, d->desc->size, &fill->missing, err);
}

static int download_once(struct coras_fill *fill, coras_error **err)
{
    const coras_descriptor *desc = fill->download->desc;
    bool small = desc->size < CORAS_DOWNLOAD_RESUMED_BYTES;
    coras_digest digest;

    int there = small ? look_at_small(fill, err) : look_at_large(fill, err);
    if (there != 0)
        return there < 0 ? there : 0;
    CORAS_TRY(fill_and_hash(fill, &digest, err));
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
