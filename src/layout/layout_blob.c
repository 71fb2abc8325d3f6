/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs of a layout: found by digest, written to ingest/ first and published by rename.
 */
#include "layout/layout.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "oci/digest.h"

enum { COPY_BYTES = 256 * CORAS_KIB, BLOB_MODE = 0444 };
#define PARTIAL_SUFFIX ".partial"

static struct coras_layout *layout_of(coras_target *t)
{
    return (struct coras_layout *)t;
}

char *coras_layout_blob_path(const coras_digest *digest, char *path)
{
    char hex[CORAS_DIGEST_TEXT_MAX];
    (void)snprintf(path, CORAS_LAYOUT_PATH_MAX, "blobs/%s/%s",
                   coras_digest_algorithm_name(digest->algorithm), coras_digest_hex(digest, hex));
    return path;
}

/* ---- reading ---- */

static int open_in_directory(const struct coras_layout *l, const char *path,
                             struct coras_layout_blob *ret, coras_error **err)
{
    coras_auto(coras_error) why = NULL;
    coras_auto_fd fd = -1;
    struct stat st;
    /* Not blocking: the file may turn out to be a FIFO. */
    int rc = coras_open_beneath(l->dirfd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, &fd, &why);
    if (rc == CORAS_ERR_NOT_FOUND)
        return coras_fail(err, rc, "not found");
    if (rc < 0) {
        coras_error_propagate(err, &why);
        return rc;
    }
    if (fstat(fd, &st) < 0)
        return coras_fail_errno(err, errno, "stat %s", path);
    if (!S_ISREG(st.st_mode))
        return coras_fail(err, CORAS_ERR_UNSAFE_PATH, "%s: not a regular file", path);
    *ret = (struct coras_layout_blob){.fd = fd, .size = st.st_size};
    fd = -1;
    return 0;
}

int coras_layout_open_blob(const struct coras_layout *l, const coras_digest *digest,
                           struct coras_layout_blob *ret, coras_error **err)
{
    char path[CORAS_LAYOUT_PATH_MAX];
    struct coras_layout_blob blob;
    (void)coras_layout_blob_path(digest, path);
    if (!l->tar)
        return open_in_directory(l, path, ret, err);
    if (!coras_layout_tar_find(l->tar, path, &blob.offset, &blob.size))
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "not found");
    blob.fd = fcntl(coras_layout_tar_fd(l->tar), F_DUPFD_CLOEXEC, 0);
    if (blob.fd < 0)
        return coras_fail_errno(err, errno, "open archive");
    *ret = blob;
    return 0;
}

/* Upstream's words for content that is named but not there. */
static int name_content(const coras_descriptor *desc, int rc, coras_error **err)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_auto_free char *type = coras_escape_dup(desc->media_type ? desc->media_type : "");
    return coras_wrap(err, rc, "%s: %s", coras_digest_format(&desc->digest, digest),
                      type ? type : "");
}

static int open_content(const struct coras_layout *l, const coras_descriptor *desc,
                        struct coras_layout_blob *ret, coras_error **err)
{
    int rc = coras_layout_open_blob(l, &desc->digest, ret, err);
    if (rc < 0)
        return name_content(desc, rc, err);
    if (ret->size == desc->size)
        return 0;
    coras_close_fd(&ret->fd);
    rc = coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "mismatched size: %lld bytes, expected %lld",
                    (long long)ret->size, (long long)desc->size);
    return name_content(desc, rc, err);
}

int coras_layout_fetch(coras_target *t, const coras_descriptor *desc, int64_t offset,
                       int64_t length, const coras_sink *sink, coras_error **err)
{
    struct coras_layout_blob blob = {.fd = -1};
    CORAS_TRY(open_content(layout_of(t), desc, &blob, err));
    coras_auto_fd fd = blob.fd;
    coras_auto_free char *buf = coras_malloc(COPY_BYTES);
    if (!buf)
        return coras_fail_no_memory(err);
    int64_t end = length < 0 || length > blob.size - offset ? blob.size : offset + length;
    while (offset < end) {
        size_t want = end - offset < COPY_BYTES ? (size_t)(end - offset) : COPY_BYTES;
        size_t got = 0;
        CORAS_TRY(coras_pread_full(fd, buf, want, blob.offset + offset, &got, err));
        if (got < want) {
            int rc = coras_fail(err, CORAS_ERR_CHANGED, "changed while it was read");
            return name_content(desc, rc, err);
        }
        int rc = sink->write(sink->user, buf, got, err);
        if (rc != 0)
            return rc < 0 ? rc : 0; /* CORAS_SINK_STOP */
        offset += (int64_t)got;
    }
    return 0;
}

int coras_layout_read_blob(const struct coras_layout *l, const coras_descriptor *desc, size_t limit,
                           coras_buf *ret, coras_error **err)
{
    struct coras_layout_blob blob = {.fd = -1};
    if (desc->size < 0 || (uint64_t)desc->size > limit)
        return coras_fail(err, CORAS_ERR_TOO_LARGE,
                          "content size %lld exceeds push size limit %zu: size exceeds limit",
                          (long long)desc->size, limit);
    CORAS_TRY(open_content(l, desc, &blob, err));
    coras_auto_fd fd = blob.fd;
    size_t got = 0, size = (size_t)blob.size;
    coras_digest digest;
    coras_buf_reset(ret);
    if (!coras_buf_reserve(ret, size))
        return coras_buf_done(ret, err);
    CORAS_TRY(coras_pread_full(fd, ret->ptr, size, blob.offset, &got, err));
    ret->len = got;
    CORAS_TRY(coras_digest_of(desc->digest.algorithm, ret->ptr, got, &digest, err));
    if (!coras_digest_equal(&digest, &desc->digest)) {
        int rc = coras_fail(err, CORAS_ERR_DIGEST_MISMATCH, "mismatched digest");
        return name_content(desc, rc, err);
    }
    return 0;
}

int coras_layout_resolve_blob(coras_target *t, const coras_digest *digest, coras_descriptor *ret,
                              coras_error **err)
{
    struct coras_layout_blob blob = {.fd = -1};
    CORAS_TRY(coras_layout_open_blob(layout_of(t), digest, &blob, err));
    close(blob.fd);
    return coras_descriptor_set(ret, CORAS_MT_OCTET_STREAM, digest, blob.size, err);
}

int coras_layout_exists(coras_target *t, const coras_descriptor *desc, bool *ret, coras_error **err)
{
    struct coras_layout_blob blob = {.fd = -1};
    coras_auto(coras_error) why = NULL;
    int rc = coras_layout_open_blob(layout_of(t), &desc->digest, &blob, &why);
    if (rc < 0 && rc != CORAS_ERR_NOT_FOUND) {
        coras_error_propagate(err, &why);
        return rc;
    }
    coras_close_fd(&blob.fd);
    *ret = rc == 0 && blob.size == desc->size; /* a file of another size is worth nothing */
    return 0;
}

int coras_layout_open_local(coras_target *t, const coras_descriptor *desc, int *ret_fd,
                            int64_t *ret_offset, coras_error **err)
{
    struct coras_layout_blob blob = {.fd = -1};
    CORAS_TRY(open_content(layout_of(t), desc, &blob, err));
    *ret_fd = blob.fd;
    *ret_offset = blob.offset;
    return 0;
}

/* ---- writing ---- */

static int fail_read_only(coras_error **err)
{
    return coras_fail(err, CORAS_ERR_UNSUPPORTED, "a layout in a tar archive cannot be written");
}

static int make_dir(const struct coras_layout *l, const char *name, coras_error **err)
{
    if (mkdirat(l->dirfd, name, 0777) < 0 && errno != EEXIST)
        return coras_fail_errno(err, errno, "mkdir %s", name);
    return 0;
}

/* A file that is being written in ingest/. Removed with the value unless it was published. */
struct ingest {
    int dirfd, fd;
    char name[CORAS_TEMP_NAME_BYTES];
};

static void ingest_clear(struct ingest *in)
{
    if (in->dirfd >= 0 && in->name[0])
        (void)unlinkat(in->dirfd, in->name, 0); /* best effort: it is named as what it is */
    coras_close_fd(&in->fd);
    coras_close_fd(&in->dirfd);
}
#define auto_ingest __attribute__((cleanup(ingest_clear))) struct ingest

static int open_ingest_dir(const struct coras_layout *l, int *ret, coras_error **err)
{
    CORAS_TRY(make_dir(l, "ingest", err));
    return coras_open_beneath(l->dirfd, "ingest", O_RDONLY | O_DIRECTORY, 0, ret, err);
}

static int ingest_open(const struct coras_layout *l, struct ingest *in, coras_error **err)
{
    CORAS_TRY(open_ingest_dir(l, &in->dirfd, err));
    in->fd = coras_temp_create(in->dirfd, O_WRONLY, 0600, in->name);
    if (in->fd >= 0)
        return 0;
    in->name[0] = 0;
    return coras_fail_errno(err, errno, "create a file in ingest");
}

/* The directory that holds the blobs of an algorithm, which no link may lead out of the layout. */
static int open_blob_dir(const struct coras_layout *l, const coras_digest *digest, int *ret,
                         coras_error **err)
{
    char dir[CORAS_LAYOUT_PATH_MAX];

    (void)snprintf(dir, sizeof(dir), "blobs/%s", coras_digest_algorithm_name(digest->algorithm));
    return coras_open_beneath(l->dirfd, dir, O_RDONLY | O_DIRECTORY, 0, ret, err);
}

/* Names in a directory are worth what its own name is. */
static int make_blob_dir(const struct coras_layout *l, const coras_digest *digest, int *ret,
                         coras_error **err)
{
    const char *name = coras_digest_algorithm_name(digest->algorithm);
    coras_auto_fd blobs = -1;

    CORAS_TRY(make_dir(l, "blobs", err));
    CORAS_TRY(coras_open_beneath(l->dirfd, "blobs", O_RDONLY | O_DIRECTORY, 0, &blobs, err));
    if (mkdirat(blobs, name, 0777) < 0 && errno != EEXIST)
        return coras_fail_errno(err, errno, "mkdir blobs/%s", name);
    CORAS_TRY(coras_fsync(blobs, "blobs", err));
    CORAS_TRY(coras_sync_directory(l->dirfd, ".", err));
    return open_blob_dir(l, digest, ret, err);
}

static int need_blob_dir(const struct coras_layout *l, const coras_digest *digest, int *ret,
                         coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    int rc = open_blob_dir(l, digest, ret, &failure);

    if (rc == CORAS_ERR_NOT_FOUND)
        return make_blob_dir(l, digest, ret, err);
    coras_error_propagate(err, &failure);
    return rc;
}

/* Give a complete file its final name. NOT_FOUND: it is no longer there. */
static int publish(const struct coras_layout *l, int dirfd, const char *name,
                   const coras_digest *digest, coras_error **err)
{
    char path[CORAS_LAYOUT_PATH_MAX], hex[CORAS_DIGEST_TEXT_MAX];
    coras_auto_fd blobs = -1;

    CORAS_TRY(need_blob_dir(l, digest, &blobs, err));
    if (renameat(dirfd, name, blobs, coras_digest_hex(digest, hex)) == 0)
        return 0;
    return coras_fail_errno(err, errno, "rename %s", coras_layout_blob_path(digest, path));
}

static int ingest_publish(const struct coras_layout *l, struct ingest *in,
                          const coras_digest *digest, coras_error **err)
{
    if (fchmod(in->fd, BLOB_MODE) < 0)
        return coras_fail_errno(err, errno, "chmod ingest/%s", in->name);
    CORAS_TRY(coras_fsync(in->fd, in->name, err));
    CORAS_TRY(publish(l, in->dirfd, in->name, digest, err));
    in->name[0] = 0;
    return 0;
}

int coras_layout_store_bytes(const struct coras_layout *l, const coras_digest *digest,
                             const void *data, size_t len, coras_error **err)
{
    if (l->tar)
        return fail_read_only(err);
    auto_ingest in = {.dirfd = -1, .fd = -1};
    CORAS_TRY(ingest_open(l, &in, err));
    CORAS_TRY(coras_write_full(in.fd, data, len, err));
    return ingest_publish(l, &in, digest, err);
}

/* Copy the source into the file, hashing on the way. */
static int ingest_copy(const struct ingest *in, const coras_blob_push *push, coras_digest *ret,
                       coras_error **err)
{
    const coras_transfer *transfer = push->transfer;
    int algorithm = push->promise ? CORAS_SHA256 : push->desc->digest.algorithm;
    coras_auto(coras_hasher) hasher = NULL;
    CORAS_TRY(coras_hasher_new(algorithm, &hasher, err));
    coras_auto_free char *buf = coras_malloc(COPY_BYTES);
    if (!buf)
        return coras_fail_no_memory(err);
    for (int64_t offset = 0; offset < push->desc->size;) {
        int64_t left = push->desc->size - offset;
        size_t got = 0;
        CORAS_TRY(coras_cancel_check(transfer ? transfer->cancel : NULL, err));
        CORAS_TRY(push->source->read_at(push->source->user, buf,
                                        left < COPY_BYTES ? (size_t)left : COPY_BYTES, offset, &got,
                                        err));
        coras_hasher_update(hasher, buf, got);
        CORAS_TRY(coras_write_full(in->fd, buf, got, err));
        offset += (int64_t)got;
        if (transfer && transfer->progress)
            transfer->progress(transfer->user, offset);
    }
    coras_hasher_final(hasher, ret);
    return 0;
}

/* The digest that was promised, or the one that was asked for, must be that of the bytes. */
static int check_digest(const coras_blob_push *push, const coras_digest *got, coras_error **err)
{
    coras_digest want = push->desc->digest;
    if (push->promise) {
        CORAS_TRY(push->promise->get(push->promise->user, true, &want, err));
        if (!coras_digest_equal(got, &want))
            return coras_fail(err, CORAS_ERR_CHANGED, "changed while it was read");
    }
    if (!coras_digest_equal(got, &want))
        return coras_fail(err, CORAS_ERR_DIGEST_MISMATCH, "failed to ingest: mismatched digest");
    return push->unchanged ? push->unchanged(push->unchanged_user, err) : 0;
}

int coras_layout_push_blob(coras_target *t, const coras_blob_push *push, coras_error **err)
{
    const struct coras_layout *l = layout_of(t);
    bool exists = false;
    if (l->tar)
        return fail_read_only(err);
    if (!push->promise && !push->known_missing)
        CORAS_TRY(coras_layout_exists(t, push->desc, &exists, err));
    if (exists)
        return CORAS_PUSH_EXISTED;
    auto_ingest in = {.dirfd = -1, .fd = -1};
    coras_digest digest;
    CORAS_TRY(ingest_open(l, &in, err));
    CORAS_TRY(ingest_copy(&in, push, &digest, err));
    CORAS_TRY(check_digest(push, &digest, err));
    if (push->promise) {
        const coras_descriptor known = {.digest = digest, .size = push->desc->size};
        CORAS_TRY(coras_layout_exists(t, &known, &exists, err));
        if (exists)
            return CORAS_PUSH_EXISTED;
    }
    CORAS_TRY(ingest_publish(l, &in, &digest, err));
    return CORAS_PUSHED;
}

int coras_layout_remove_blob(const struct coras_layout *l, const coras_digest *digest,
                             coras_error **err)
{
    char path[CORAS_LAYOUT_PATH_MAX], hex[CORAS_DIGEST_TEXT_MAX];
    coras_auto(coras_error) failure = NULL;
    coras_auto_fd blobs = -1;

    if (l->tar)
        return fail_read_only(err);
    int rc = open_blob_dir(l, digest, &blobs, &failure);
    if (rc == 0 && unlinkat(blobs, coras_digest_hex(digest, hex), 0) == 0)
        return 0;
    if (rc == CORAS_ERR_NOT_FOUND || (rc == 0 && errno == ENOENT))
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "not found");
    if (rc == 0)
        return coras_fail_errno(err, errno, "remove %s", coras_layout_blob_path(digest, path));
    coras_error_propagate(err, &failure);
    return rc;
}

int coras_layout_sync_names(const struct coras_layout *l, coras_error **err)
{
    /* Of every algorithm: a manifest may name content by another one than its own. */
    for (int algorithm = CORAS_SHA256; algorithm <= CORAS_SHA512; algorithm++) {
        char dir[CORAS_LAYOUT_PATH_MAX];
        coras_auto(coras_error) failure = NULL;
        (void)snprintf(dir, sizeof(dir), "blobs/%s", coras_digest_algorithm_name(algorithm));
        int rc = coras_sync_directory(l->dirfd, dir, &failure);
        if (rc < 0 && rc != CORAS_ERR_NOT_FOUND) { /* nothing by this algorithm */
            coras_error_propagate(err, &failure);
            return rc;
        }
    }
    return 0;
}

/* ---- downloads that land here ---- */

/* "sha256-<hex>.partial": the digest stands in the name, so that no other content continues it. */
static char *partial_name(const coras_digest *digest)
{
    char hex[CORAS_DIGEST_TEXT_MAX];
    return coras_asprintf("%s-%s" PARTIAL_SUFFIX, coras_digest_algorithm_name(digest->algorithm),
                          coras_digest_hex(digest, hex));
}

static int digest_of_partial(const char *name, coras_digest *ret, coras_error **err)
{
    coras_auto_free char *text = coras_strndup(name, strlen(name) - strlen(PARTIAL_SUFFIX));
    if (!text)
        return coras_fail_no_memory(err);
    *strchr(text, '-') = ':';
    return coras_digest_parse(text, ret, err);
}

static bool is_there(const struct coras_layout *l, const coras_digest *digest)
{
    struct coras_layout_blob blob = {.fd = -1};

    if (coras_layout_open_blob(l, digest, &blob, NULL) < 0)
        return false;
    coras_close_fd(&blob.fd);
    return true;
}

static int protect_blob(const struct coras_layout *l, const coras_digest *digest, coras_error **err)
{
    struct coras_layout_blob blob = {.fd = -1};

    CORAS_TRY(coras_layout_open_blob(l, digest, &blob, err));
    coras_auto_fd fd = blob.fd;
    return fchmod(fd, BLOB_MODE) < 0 ? coras_fail_errno(err, errno, "chmod a blob") : 0;
}

static int commit_landing(coras_landing *landing, coras_error **err)
{
    const struct coras_layout *l = landing->user;
    coras_auto(coras_error) failure = NULL;
    coras_digest digest;

    CORAS_TRY(digest_of_partial(landing->partial, &digest, err));
    int rc = publish(l, landing->dirfd, landing->partial, &digest, &failure);
    if (rc == CORAS_ERR_NOT_FOUND && is_there(l, &digest))
        return 0; /* another process had filled the same file, and was quicker */
    coras_error_propagate(err, &failure);
    CORAS_TRY(rc);
    /* Last: in ingest/ it is a file that others may be waiting to write. */
    return protect_blob(l, &digest, err);
}

int coras_layout_land(coras_target *t, const coras_descriptor *desc, coras_landing *ret,
                      coras_error **err)
{
    struct coras_layout *l = layout_of(t);
    if (l->tar)
        return fail_read_only(err);
    coras_auto_fd dirfd = -1;
    CORAS_TRY(open_ingest_dir(l, &dirfd, err));
    char *partial = partial_name(&desc->digest);
    if (!partial)
        return coras_fail_no_memory(err);
    *ret = (coras_landing){
        .dirfd = dirfd,
        .partial = partial,
        .mode = BLOB_MODE,
        .commit = commit_landing,
        .user = l,
    };
    dirfd = -1;
    return 0;
}
