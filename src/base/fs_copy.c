/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying what a file holds (declared in fs.h).
 */
#include "base/fs.h"

#include <errno.h>
#include "base/alloc.h"
#include "base/error.h"

enum { PIECE_BYTES = 256 * 1024 };

/* Kernels do not copy between file systems of two kinds, nor between some of one kind: what they do
 * not passes through memory. */
static int copy_rest(int from, int to, int64_t at, int64_t size, coras_error **err)
{
    coras_auto_free char *piece = coras_malloc(PIECE_BYTES);
    size_t got;

    if (!piece)
        return coras_fail_no_memory(err);
    for (; at < size; at += (int64_t)got) {
        CORAS_TRY(coras_pread_full(from, piece, PIECE_BYTES, at, &got, err));
        if (got == 0)
            return coras_fail(err, CORAS_ERR_CHANGED, "changed while it was read");
        CORAS_TRY(coras_pwrite_full(to, piece, got, at, err));
    }
    return 0;
}

int coras_copy_content(int from, int to, coras_error **err)
{
    struct stat st;

    if (fstat(from, &st) < 0)
        return coras_fail_errno(err, errno, "stat");
    for (int64_t at = 0, size = st.st_size; at < size;) {
        off_t offset = at, offset_to = at;
        ssize_t n = copy_file_range(from, &offset, to, &offset_to, (size_t)(size - at), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return copy_rest(from, to, at, size, err);
        at += n;
    }
    return 0;
}
