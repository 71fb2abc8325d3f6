/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes on the move: a sink takes them in order, a source gives them by offset. Both are small
 * structs of function pointers on the caller's stack; neither owns anything.
 */
#ifndef CORAS_BASE_STREAM_H
#define CORAS_BASE_STREAM_H

#include "base/buf.h"

#define CORAS_SINK_STOP 1 /* enough: the transfer ends early and counts as a success */

typedef struct coras_sink {
    /* 0 to go on, CORAS_SINK_STOP, or a negative code with *err set. */
    int (*write)(void *user, const void *data, size_t len, coras_error **err);
    void *user;
} coras_sink;

typedef struct coras_source {
    int64_t size; /* bytes in all, known */
    /*
     * Read up to cap bytes at offset (cap > 0, offset < size). *ret >= 1 on success. Offsets are
     * asked for in order except after a retry, which may go back. May block (a source can be
     * another transfer).
     */
    int (*read_at)(void *user, void *buf, size_t cap, int64_t offset, size_t *ret,
                   coras_error **err);
    void *user;
} coras_source;

/* A source over memory; `mem` must outlive it. */
typedef struct coras_memory {
    const void *ptr;
    size_t len;
} coras_memory;
coras_source coras_source_memory(const coras_memory *mem);
/* A source over an open file: [0, size). `fd` is borrowed and must stay open. */
typedef struct coras_file_bytes {
    int fd;
    const char *name; /* for messages */
} coras_file_bytes;
coras_source coras_source_file(const coras_file_bytes *file, int64_t size);
/* A sink that appends to a buffer (whose limit bounds it). */
coras_sink coras_sink_buf(coras_buf *buf);

#endif
