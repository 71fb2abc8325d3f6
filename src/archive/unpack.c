/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacking from first byte to last: read, decode, make, verify, publish.
 */
#include "archive/unpack.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/stream.h"
#include "base/str.h"
#include "codec/tar.h"
#include "archive/inflate_ahead.h"
#include "archive/unpack_tree.h"

/* Content from this size on is checked against the free space before it is written. */
#define SPACE_CHECK_FROM CORAS_MIB

struct unpacker {
    const struct coras_unpack_request *request;
    coras_inflate_ahead *ahead;
    const unsigned char *bytes; /* of the current piece, unread */
    size_t len;
    bool ended;
    int64_t unpacked; /* bytes of content */
    coras_tar_decoder decoder;
    struct coras_tree tree;
};

/* ---- the stream ---- */

/* Have at least one byte in `bytes`, or `ended`. */
static int more_bytes(struct unpacker *u, coras_error **err)
{
    const void *piece;
    if (u->len > 0 || u->ended)
        return 0;
    CORAS_TRY(coras_cancel_check(u->request->cancel, err));
    CORAS_TRY(coras_inflate_ahead_next(u->ahead, &piece, &u->len, err));
    u->bytes = piece;
    u->ended = u->len == 0;
    return 0;
}

static void consume(struct unpacker *u, size_t len)
{
    u->bytes += len;
    u->len -= len;
}

static int fail_short(coras_error **err)
{
    return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "unexpected EOF");
}

/* Pass `len` bytes on; with fd < 0 they are dropped. */
static int copy_bytes(struct unpacker *u, int64_t len, int fd, coras_error **err)
{
    while (len > 0) {
        CORAS_TRY(more_bytes(u, err));
        if (u->ended)
            return fail_short(err);
        size_t n = (int64_t)u->len < len ? u->len : (size_t)len;
        if (fd >= 0)
            CORAS_TRY(coras_write_full(fd, u->bytes, n, err));
        consume(u, n);
        len -= (int64_t)n;
    }
    return 0;
}

static int read_bytes(struct unpacker *u, size_t len, coras_buf *ret, coras_error **err)
{
    coras_buf_reset(ret);
    while (len > 0) {
        CORAS_TRY(more_bytes(u, err));
        if (u->ended)
            return fail_short(err);
        size_t n = u->len < len ? u->len : len;
        coras_buf_put(ret, u->bytes, n);
        consume(u, n);
        len -= n;
    }
    return coras_buf_done(ret, err);
}

/* After the end mark: padding is zero bytes, anything else was smuggled in. */
static int expect_zeroes(struct unpacker *u, coras_error **err)
{
    for (;;) {
        CORAS_TRY(more_bytes(u, err));
        if (u->ended)
            return 0;
        for (size_t i = 0; i < u->len; i++)
            if (u->bytes[i] != 0)
                return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE,
                                  "trailing data after the end of the archive");
        u->len = 0;
    }
}

/* ---- members ---- */

static int check_space(const struct unpacker *u, int64_t size, coras_error **err)
{
    if (size < SPACE_CHECK_FROM)
        return 0;
    int64_t space = coras_free_space(u->tree.root_fd);
    if (space < 0 || space >= size)
        return 0;
    return coras_fail(err, CORAS_ERR_NO_SPACE,
                      "no space left on device: %lld bytes needed, %lld "
                      "free",
                      (long long)size, (long long)space);
}

static int write_content(struct unpacker *u, const coras_tar_entry *entry, int fd,
                         coras_error **err)
{
    CORAS_TRY(check_space(u, entry->size, err));
    CORAS_TRY(copy_bytes(u, entry->size, fd, err));
    u->unpacked += entry->size;
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                      {.tv_sec = entry->mtime_s, .tv_nsec = entry->mtime_ns}};
    if (futimens(fd, times) < 0)
        return coras_fail_errno(err, errno, "chtimes");
    return 0;
}

static int unpack_member(struct unpacker *u, const coras_tar_entry *entry, coras_error **err)
{
    coras_auto_fd fd = -1;
    CORAS_TRY(coras_tree_make(&u->tree, entry, &fd, err));
    if (fd < 0)
        return copy_bytes(u, entry->size + (int64_t)coras_tar_padding(entry->size), -1, err);
    int rc = write_content(u, entry, fd, err);
    if (rc == CORAS_ERR_NO_SPACE)
        return coras_wrap(err, rc, "%lld bytes unpacked of an archive of %lld bytes",
                          (long long)u->unpacked, (long long)u->request->size);
    if (rc == CORAS_ERR_IO || rc == CORAS_ERR_PERMISSION) {
        coras_auto_free char *name = coras_escape_dup(entry->name);
        return coras_wrap(err, rc, "write %s", name ? name : "");
    }
    CORAS_TRY(rc);
    return copy_bytes(u, (int64_t)coras_tar_padding(entry->size), -1, err);
}

static int take_record(struct unpacker *u, coras_error **err)
{
    coras_auto_buf record = CORAS_BUF_INIT(CORAS_LIMIT_TAR_RECORD);
    int64_t size = u->decoder.record_size;
    CORAS_TRY(read_bytes(u, (size_t)size, &record, err));
    CORAS_TRY(copy_bytes(u, (int64_t)coras_tar_padding(size), -1, err));
    return coras_tar_decode_record(&u->decoder, record.ptr, record.len, err);
}

static int unpack_members(struct unpacker *u, coras_error **err)
{
    coras_auto_buf block = CORAS_BUF_INIT(CORAS_TAR_BLOCK);
    for (;;) {
        CORAS_TRY(coras_cancel_check(u->request->cancel, err));
        CORAS_TRY(more_bytes(u, err));
        if (u->ended)
            return coras_tar_decode_eof(&u->decoder, err);
        CORAS_TRY(read_bytes(u, CORAS_TAR_BLOCK, &block, err));
        int step = coras_tar_decode_block(&u->decoder, block.ptr, err);
        CORAS_TRY(step);
        if (step == CORAS_TAR_END)
            return expect_zeroes(u, err);
        if (step == CORAS_TAR_RECORD)
            CORAS_TRY(take_record(u, err));
        else if (step == CORAS_TAR_ENTRY)
            CORAS_TRY(unpack_member(u, &u->decoder.entry, err));
    }
}

static int verify(struct unpacker *u, coras_error **err)
{
    const coras_digest *want = u->request->tar_digest;
    if (!want)
        return 0;
    coras_digest got;
    coras_inflate_ahead_digest(u->ahead, &got);
    if (!coras_digest_equal(&got, want))
        return coras_fail(err, CORAS_ERR_DIGEST_MISMATCH, "content digest mismatch");
    return 0;
}

static void unpacker_clear(struct unpacker *u)
{
    coras_inflate_ahead_free(u->ahead);
    coras_tar_decoder_clear(&u->decoder);
    coras_tree_clear(&u->tree);
}

/* ---- the target ---- */

/* What stands under the target's name: 0 nothing, S_IFDIR, S_IFLNK; anything else is refused. */
static int look_at_target(const struct coras_unpack_request *r, const char *shown, mode_t *ret,
                          coras_error **err)
{
    struct stat st;
    if (fstatat(r->parent_dirfd, r->dirname, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno != ENOENT)
            return coras_fail_errno(err, errno, "lstat %s", shown);
        st.st_mode = 0;
    } else if (!S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode)) {
        return coras_fail_errno(err, ENOTDIR, "mkdir %s", shown);
    }
    *ret = st.st_mode & S_IFMT;
    return 0;
}

static int publish_new(struct unpacker *u, int stage_fd, const char *shown, coras_error **err)
{
    const struct coras_unpack_request *r = u->request;
    CORAS_TRY(coras_tree_finish_dirs(&u->tree, u->tree.root_fd, err));
    if (renameat(stage_fd, "root", r->parent_dirfd, r->dirname) < 0)
        return coras_fail_errno(err, errno, "rename %s", shown);
    return 0;
}

static int publish_into(struct unpacker *u, const char *shown, coras_error **err)
{
    const struct coras_unpack_request *r = u->request;
    coras_auto_fd fd =
        openat(r->parent_dirfd, r->dirname, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return coras_fail_errno(err, errno, "open %s", shown);
    CORAS_TRY(coras_tree_merge(u->tree.root_fd, fd, u->tree.title, err));
    return coras_tree_finish_dirs(&u->tree, fd, err);
}

static int sync_file_system(int fd, const char *shown, coras_error **err)
{
    int rc;
    do {
        rc = syncfs(fd);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? coras_fail_errno(err, errno, "sync %s", shown) : 0;
}

static int publish(struct unpacker *u, int stage_fd, coras_error **err)
{
    const struct coras_unpack_request *r = u->request;
    const char *shown = u->tree.target_path;
    mode_t old;
    CORAS_TRY(look_at_target(r, shown, &old, err));
    if (!r->no_sync)
        CORAS_TRY(sync_file_system(stage_fd, shown, err));
    if (old == S_IFDIR) {
        CORAS_TRY(publish_into(u, shown, err));
    } else {
        if (old == S_IFLNK && unlinkat(r->parent_dirfd, r->dirname, 0) < 0)
            return coras_fail_errno(err, errno, "remove %s", shown);
        CORAS_TRY(publish_new(u, stage_fd, shown, err));
    }
    if (r->no_sync)
        return 0;
    /* What was merged has got its names in any of the directories below the target. */
    return old == S_IFDIR ? sync_file_system(stage_fd, shown, err)
                          : coras_fsync(r->parent_dirfd, shown, err);
}

static int check_reserved(const struct coras_unpack_request *r, int root_fd, coras_error **err)
{
    struct stat st;
    if (!r->reserved || fstatat(root_fd, r->reserved, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "\"%s\" is a reserved name", r->reserved);
}

static int unpack_into(const struct coras_unpack_request *r, int stage_fd, int root_fd,
                       const char *title, coras_error **err)
{
    /* Before `u`: its clean-up joins the thread that reads them. */
    const coras_file_bytes file = {.fd = r->blob_fd, .name = "archive"};
    const coras_source source = coras_source_file(&file, r->size);
    __attribute__((cleanup(unpacker_clear))) struct unpacker u = {.request = r};
    coras_tar_decoder_init(&u.decoder);
    coras_tree_init(&u.tree, root_fd, title, r->target_path ? r->target_path : title);
    int algorithm = r->tar_digest ? r->tar_digest->algorithm : CORAS_DIGEST_NONE;
    CORAS_TRY(coras_inflate_ahead_new(&source, algorithm, &u.ahead, err));
    CORAS_TRY(unpack_members(&u, err));
    CORAS_TRY(verify(&u, err));
    CORAS_TRY(coras_tree_check_links(&u.tree, err));
    CORAS_TRY(check_reserved(r, root_fd, err));
    return publish(&u, stage_fd, err);
}

/*
 * The stage is two directories: the outer one keeps others out, the inner one gets the mode that
 * the target will have.
 */
static int unpack_staged(const struct coras_unpack_request *r, const char *stage, const char *title,
                         coras_error **err)
{
    coras_auto_fd stage_fd =
        openat(r->stage_dirfd, stage, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (stage_fd < 0 || mkdirat(stage_fd, "root", 0777) < 0)
        return coras_fail_errno(err, errno, "mkdir %s", stage);
    coras_auto_fd root_fd = openat(stage_fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root_fd < 0)
        return coras_fail_errno(err, errno, "open %s", stage);
    return unpack_into(r, stage_fd, root_fd, title, err);
}

int coras_unpack(const struct coras_unpack_request *request, coras_error **err)
{
    assert(*request->dirname && !strchr(request->dirname, '/'));
    coras_auto_free char *title = coras_path_clean(request->title);
    char stage[CORAS_TEMP_NAME_BYTES];
    mode_t old;

    if (!title)
        return coras_fail_no_memory(err);
    CORAS_TRY(
        look_at_target(request, request->target_path ? request->target_path : title, &old, err));
    if (coras_temp_mkdir(request->stage_dirfd, stage) < 0)
        return coras_fail_errno(err, errno, "mkdir %s", stage);
    int rc = unpack_staged(request, stage, title, err);
    /* A stage that cannot be removed is told of unless there is a worse thing to tell. */
    coras_auto(coras_error) leftover = NULL;
    int removed = coras_remove_all(request->stage_dirfd, stage, &leftover);
    if (rc == 0 && removed < 0) {
        coras_error_propagate(err, &leftover);
        rc = removed;
    }
    return rc;
}
