/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes as records one behind the other, each with its length at both ends (unpack_notes.h).
 */
#include "archive/unpack_notes.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"

enum { IN_MEMORY_BYTES = 256 * CORAS_KIB };

/* Behind it path and target with their NULs, and `total` once more. */
struct head {
    uint32_t total;
    uint32_t path_size; /* with the NUL */
    int32_t mode;
    uint32_t mtime_ns;
    int64_t mtime_s;
};

void coras_notes_clear(coras_notes *n)
{
    coras_close_fd(&n->fd);
    coras_buf_clear(&n->tail);
}

static int spill(coras_notes *n, int dirfd, coras_error **err)
{
    char name[CORAS_TEMP_NAME_BYTES];

    if (n->fd < 0) {
        n->fd = coras_temp_create(dirfd, O_RDWR, 0600, name);
        if (n->fd < 0)
            return coras_fail_errno(err, errno, "create a temporary file");
        (void)unlinkat(dirfd, name, 0); /* it goes with the tree that is being made */
    }
    CORAS_TRY(coras_write_full(n->fd, n->tail.ptr, n->tail.len, err));
    n->written += (int64_t)n->tail.len;
    coras_buf_reset(&n->tail);
    return 0;
}

int coras_notes_add(coras_notes *n, int dirfd, const struct coras_note *note, coras_error **err)
{
    size_t path_size = strlen(note->path) + 1, target_size = strlen(note->target) + 1;
    const struct head head = {
        .total = (uint32_t)(sizeof(head) + path_size + target_size + sizeof(head.total)),
        .path_size = (uint32_t)path_size,
        .mode = note->mode,
        .mtime_ns = note->mtime_ns,
        .mtime_s = note->mtime_s,
    };

    coras_buf_put(&n->tail, &head, sizeof(head));
    coras_buf_put(&n->tail, note->path, path_size);
    coras_buf_put(&n->tail, note->target, target_size);
    coras_buf_put(&n->tail, &head.total, sizeof(head.total));
    CORAS_TRY(coras_buf_done(&n->tail, err));
    return n->tail.len >= IN_MEMORY_BYTES ? spill(n, dirfd, err) : 0;
}

/* A record lies in the file or in memory, never in both. */
static int read_at(const coras_notes *n, int64_t offset, void *ret, size_t len, coras_error **err)
{
    size_t got = 0;

    if (offset >= n->written) {
        memcpy(ret, n->tail.ptr + (offset - n->written), len);
        return 0;
    }
    CORAS_TRY(coras_pread_full(n->fd, ret, len, offset, &got, err));
    return got == len ? 0 : coras_fail(err, CORAS_ERR_IO, "a temporary file lost its end");
}

/* The record at `offset`; its size is returned in *ret_total. */
static int visit_at(const coras_notes *n, int64_t offset, coras_buf *strings,
                    coras_note_visit *visit, void *user, uint32_t *ret_total, coras_error **err)
{
    struct head head;

    CORAS_TRY(read_at(n, offset, &head, sizeof(head), err));
    size_t size = head.total - sizeof(head) - sizeof(head.total);
    coras_buf_reset(strings);
    if (!coras_buf_reserve(strings, size))
        return coras_buf_done(strings, err);
    CORAS_TRY(read_at(n, offset + (int64_t)sizeof(head), strings->ptr, size, err));
    const struct coras_note note = {.path = strings->ptr,
                                    .target = strings->ptr + head.path_size,
                                    .mode = head.mode,
                                    .mtime_ns = head.mtime_ns,
                                    .mtime_s = head.mtime_s};
    *ret_total = head.total;
    return visit(user, &note, err);
}

int coras_notes_each(const coras_notes *n, bool backwards, coras_note_visit *visit, void *user,
                     coras_error **err)
{
    coras_auto_buf strings = CORAS_BUF_UNLIMITED;
    int64_t end = n->written + (int64_t)n->tail.len, at = backwards ? end : 0;
    uint32_t total;

    while (backwards ? at > 0 : at < end) {
        if (backwards) {
            CORAS_TRY(read_at(n, at - (int64_t)sizeof(total), &total, sizeof(total), err));
            at -= total;
        }
        CORAS_TRY(visit_at(n, at, &strings, visit, user, &total, err));
        if (!backwards)
            at += total;
    }
    return 0;
}
