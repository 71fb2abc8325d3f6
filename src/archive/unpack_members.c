/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading an archive to its end: decompressed and hashed on another thread, decoded here, each
 * member made in the tree, and nothing smuggled in behind the last one.
 */
#include "archive/unpack_members.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/stream.h"
#include "base/str.h"
#include "archive/inflate_ahead.h"

/* Content from this size on is checked against the free space before it is written. */
#define SPACE_CHECK_FROM CORAS_MIB

struct unpacker {
    const struct coras_archive_input *input;
    struct coras_tree *tree;
    coras_inflate_ahead *ahead;
    const unsigned char *bytes; /* of the current piece, unread */
    size_t len;
    bool ended;
    int64_t unpacked; /* bytes of content */
    coras_tar_decoder decoder;
};

/* ---- the stream ---- */

/* Have at least one byte in `bytes`, or `ended`. */
static int more_bytes(struct unpacker *u, coras_error **err)
{
    const void *piece;
    if (u->len > 0 || u->ended)
        return 0;
    CORAS_TRY(coras_cancel_check(u->input->cancel, err));
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
    int64_t space = coras_free_space(u->tree->root_fd);
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

/* Whether the member is made; its names may be others then. */
static int choose(struct unpacker *u, coras_tar_entry *entry, coras_error **err)
{
    return u->input->choose ? u->input->choose(u->input->user, entry, err) : 0;
}

static int unpack_member(struct unpacker *u, const coras_tar_entry *original, coras_error **err)
{
    coras_tar_entry changed = *original;
    const coras_tar_entry *entry = &changed;
    coras_auto_fd fd = -1;
    int passed_over = choose(u, &changed, err);
    CORAS_TRY(passed_over);
    if (!passed_over)
        CORAS_TRY(coras_tree_make(u->tree, entry, &fd, err));
    if (fd < 0)
        return copy_bytes(u, entry->size + (int64_t)coras_tar_padding(entry->size), -1, err);
    int rc = write_content(u, entry, fd, err);
    if (rc == CORAS_ERR_NO_SPACE)
        return coras_wrap(err, rc, "%lld bytes unpacked of an archive of %lld bytes",
                          (long long)u->unpacked, (long long)u->input->size);
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
        CORAS_TRY(coras_cancel_check(u->input->cancel, err));
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
    const coras_digest *want = u->input->tar_digest;
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
}

int coras_unpack_members(const struct coras_archive_input *input, struct coras_tree *tree,
                         coras_error **err)
{
    /* Before `u`: its clean-up joins the thread that reads them. */
    const coras_file_bytes file = {.fd = input->fd, .name = "archive"};
    const coras_source source = coras_source_file(&file, input->size);
    __attribute__((cleanup(unpacker_clear))) struct unpacker u = {.input = input, .tree = tree};
    int algorithm = input->tar_digest ? input->tar_digest->algorithm : CORAS_DIGEST_NONE;

    coras_tar_decoder_init(&u.decoder);
    CORAS_TRY(coras_inflate_ahead_new(&source, input->compression, algorithm, &u.ahead, err));
    CORAS_TRY(unpack_members(&u, err));
    return verify(&u, err);
}
