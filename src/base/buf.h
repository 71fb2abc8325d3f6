/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer with a ceiling. Appends fail stickily, so a run of appends is checked once
 * with coras_buf_done(). The content is always NUL-terminated for convenience (`ptr` is "" when
 * empty, never NULL).
 */
#ifndef CORAS_BASE_BUF_H
#define CORAS_BASE_BUF_H

#include <stdarg.h>
#include "base/common.h"

typedef struct coras_buf {
    char *ptr;
    size_t len;
    size_t cap;   /* allocated bytes; 0 = ptr is the static empty string */
    size_t limit; /* largest len allowed */
    int failed;   /* 0, CORAS_ERR_NO_MEMORY or CORAS_ERR_TOO_LARGE */
} coras_buf;

extern char coras_buf_empty[1];
#define CORAS_BUF_INIT(max_bytes)                                                                  \
    {                                                                                              \
        coras_buf_empty, 0, 0, (max_bytes), 0                                                      \
    }
/* For text made from our own values, where no outsider controls the size. */
#define CORAS_BUF_UNLIMITED CORAS_BUF_INIT(SIZE_MAX / 2)

void coras_buf_clear(coras_buf *b); /* free; usable again with the same limit */
void coras_buf_reset(coras_buf *b); /* len = 0, memory kept, failure forgotten */
void coras_buf_put(coras_buf *b, const void *data, size_t len);
void coras_buf_puts(coras_buf *b, const char *s);
void coras_buf_putc(coras_buf *b, char c);
void coras_buf_printf(coras_buf *b, const char *fmt, ...) CORAS_PRINTF(2, 3);
void coras_buf_vprintf(coras_buf *b, const char *fmt, va_list ap) CORAS_PRINTF(2, 0);
void coras_buf_truncate(coras_buf *b, size_t len);
/* Room for `len` more bytes to be written at ptr+len by the caller; false when it failed. */
bool coras_buf_reserve(coras_buf *b, size_t len);
/* 0, or the sticky failure as an error. */
CORAS_MUST_CHECK int coras_buf_done(const coras_buf *b, coras_error **err);
/* coras_buf_done, then the text becomes the caller's (free); the buffer is empty again. */
CORAS_MUST_CHECK int coras_buf_take(coras_buf *b, char **ret, coras_error **err);

CORAS_DEFINE_AUTO_VALUE(coras_buf, coras_buf_clear)
#define coras_auto_buf coras_auto_value(coras_buf)

#endif
