/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a blob that is open, wherever it lies. */
#include "serve/storage/blobs.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"

#define COPY_BYTES (64 * CORAS_KIB)

void serve_open_blob_clear(serve_open_blob *b)
{
    coras_close_fd(&b->fd);
    if (b->far)
        b->far->ops->close(b->far);
    b->far = NULL;
}

static int copy_file(int fd, int64_t offset, int64_t end, const coras_sink *sink, coras_error **err)
{
    coras_auto_free char *buffer = coras_malloc(COPY_BYTES);

    if (!buffer)
        return coras_fail_no_memory(err);
    while (offset < end) {
        size_t want = end - offset < COPY_BYTES ? (size_t)(end - offset) : COPY_BYTES, got = 0;
        int rc;
        CORAS_TRY(coras_pread_full(fd, buffer, want, offset, &got, err));
        if (got == 0)
            return coras_fail(err, CORAS_ERR_CHANGED, "a blob changed while it was read");
        rc = sink->write(sink->user, buffer, got, err);
        if (rc != 0)
            return rc < 0 ? rc : 0;
        offset += (int64_t)got;
    }
    return 0;
}

int serve_open_blob_fetch(serve_open_blob *b, int64_t offset, int64_t length,
                          const coras_sink *sink, coras_error **err)
{
    if (b->far)
        return b->far->ops->fetch(b->far, offset, length, sink, err);
    return copy_file(b->fd, offset, offset + length, sink, err);
}
