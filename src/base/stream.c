/* SPDX-License-Identifier: Apache-2.0 */
/* Sinks and sources over memory, files and buffers. */
#include "base/stream.h"

#include <assert.h>
#include <string.h>
#include "base/error.h"
#include "base/fs.h"

static int memory_read_at(void *user, void *buf, size_t cap, int64_t offset, size_t *ret,
                          coras_error **err)
{
    const coras_memory *mem = user;
    size_t n;

    (void)err;
    assert(offset >= 0 && (uint64_t)offset < mem->len && cap > 0);
    n = mem->len - (size_t)offset;
    if (n > cap)
        n = cap;
    memcpy(buf, (const char *)mem->ptr + offset, n);
    *ret = n;
    return 0;
}

coras_source coras_source_memory(const coras_memory *mem)
{
    /* read_at takes no const pointer, but memory_read_at keeps the promise. */
    return (coras_source){(int64_t)mem->len, memory_read_at, (void *)(uintptr_t)mem};
}

static int file_read_at(void *user, void *buf, size_t cap, int64_t offset, size_t *ret,
                        coras_error **err)
{
    const coras_file_bytes *file = user;
    size_t n;
    int rc = coras_pread_full(file->fd, buf, cap, offset, &n, err);

    if (rc < 0)
        return coras_wrap(err, rc, "%s", file->name);
    if (n == 0)
        return coras_fail(err, CORAS_ERR_CHANGED, "%s: file became shorter while it was read",
                          file->name);
    *ret = n;
    return 0;
}

coras_source coras_source_file(const coras_file_bytes *file, int64_t size)
{
    return (coras_source){size, file_read_at, (void *)(uintptr_t)file};
}

static int buf_write(void *user, const void *data, size_t len, coras_error **err)
{
    coras_buf_put(user, data, len);
    return coras_buf_done(user, err);
}

coras_sink coras_sink_buf(coras_buf *buf)
{
    return (coras_sink){buf_write, buf};
}
