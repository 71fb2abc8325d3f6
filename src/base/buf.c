/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The growing buffer of buf.h: appends that fail stickily, so that a run of them is checked once.
 */
#include "base/buf.h"

#include <assert.h>
#include <string.h>
#include "base/alloc.h"
#include "base/error.h"

char coras_buf_empty[1] = "";

void coras_buf_clear(coras_buf *b)
{
    if (b->cap)
        free(b->ptr);
    b->ptr = coras_buf_empty;
    b->len = b->cap = 0;
    b->failed = 0;
}

void coras_buf_reset(coras_buf *b)
{
    coras_buf_truncate(b, 0);
    b->failed = 0;
}

void coras_buf_truncate(coras_buf *b, size_t len)
{
    assert(len <= b->len);
    b->len = len;
    if (b->cap)
        b->ptr[len] = '\0';
}

bool coras_buf_reserve(coras_buf *b, size_t len)
{
    enum { FIRST_BYTES = 64 };
    size_t want, room;
    char *grown;

    if (b->failed)
        return false;
    if (b->len > b->limit || len > b->limit - b->len) {
        b->failed = CORAS_ERR_TOO_LARGE;
        return false;
    }
    if (!coras_add_size(b->len + 1, len, &want)) { /* one byte more for the terminator */
        b->failed = CORAS_ERR_NO_MEMORY;
        return false;
    }
    if (want <= b->cap)
        return true;
    room = b->cap ? b->cap : FIRST_BYTES;
    if (!coras_mul_size(room, 2, &room) || room < want)
        room = want;
    grown = coras_realloc_array(b->cap ? b->ptr : NULL, room, 1);
    if (!grown) {
        b->failed = CORAS_ERR_NO_MEMORY;
        return false;
    }
    grown[b->len] = '\0';
    b->ptr = grown;
    b->cap = room;
    return true;
}

void coras_buf_put(coras_buf *b, const void *data, size_t len)
{
    if (len == 0 || !coras_buf_reserve(b, len))
        return;
    memcpy(b->ptr + b->len, data, len);
    b->len += len;
    b->ptr[b->len] = '\0';
}

void coras_buf_puts(coras_buf *b, const char *s)
{
    coras_buf_put(b, s, strlen(s));
}

void coras_buf_putc(coras_buf *b, char c)
{
    coras_buf_put(b, &c, 1);
}

void coras_buf_vprintf(coras_buf *b, const char *fmt, va_list ap)
{
    va_list again;
    int len;

    va_copy(again, ap);
    len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (len < 0) {
        b->failed = CORAS_ERR_NO_MEMORY; /* the only reason with our own formats */
        return;
    }
    if (len == 0 || !coras_buf_reserve(b, (size_t)len))
        return;
    (void)vsnprintf(b->ptr + b->len, (size_t)len + 1, fmt, ap); /* same arguments, same length */
    b->len += (size_t)len;
}

void coras_buf_printf(coras_buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    coras_buf_vprintf(b, fmt, ap);
    va_end(ap);
}

int coras_buf_done(const coras_buf *b, coras_error **err)
{
    if (b->failed == CORAS_ERR_TOO_LARGE)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "size exceeds limit of %zu bytes", b->limit);
    if (b->failed)
        return coras_fail_no_memory(err);
    return 0;
}

int coras_buf_take(coras_buf *b, char **ret, coras_error **err)
{
    CORAS_TRY(coras_buf_done(b, err));
    if (b->cap == 0) {
        char *empty = coras_strdup("");
        if (!empty)
            return coras_fail_no_memory(err);
        *ret = empty;
        return 0;
    }
    *ret = b->ptr;
    b->ptr = coras_buf_empty;
    b->len = b->cap = 0;
    return 0;
}
