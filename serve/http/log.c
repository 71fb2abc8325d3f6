/* SPDX-License-Identifier: Apache-2.0 */
/* Lines on standard error: of requests, failures and notes. */
#include "serve/http/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <unistd.h>
#include "base/clock.h"
#include "codec/date.h"
#include "base/str.h"

#define LINE_MAX_BYTES 8192
#define TARGET_SHOWN   1024
#define AGENT_SHOWN    256
#define PEER_SHOWN     128
#define USER_SHOWN     128

static void put(coras_buf *line, const char *text, size_t max)
{
    if (text && *text)
        coras_escape(line, text, strlen(text), max);
    else
        coras_buf_putc(line, '-');
}

/* One write per line, so that lines of several threads never mix. */
static void emit(coras_buf *line)
{
    coras_buf_putc(line, '\n');
    /* a log that cannot be written has nowhere to say so */
    if (write(STDERR_FILENO, line->ptr, line->len) < 0)
        return;
}

static void begin(coras_buf *line)
{
    coras_format_rfc3339(line, coras_wall_s());
    coras_buf_putc(line, ' ');
}

void serve_log_request(const struct serve_log_request *r)
{
    coras_auto_buf line = CORAS_BUF_INIT(LINE_MAX_BYTES);

    begin(&line);
    put(&line, r->peer, PEER_SHOWN);
    coras_buf_putc(&line, ' ');
    put(&line, r->user, USER_SHOWN);
    coras_buf_printf(&line, " %d ", r->status);
    put(&line, r->method, 16);
    coras_buf_putc(&line, ' ');
    put(&line, r->target, TARGET_SHOWN);
    coras_buf_printf(&line, " in=%" PRId64 " out=%" PRId64 " ms=%" PRId64 " agent=", r->received,
                     r->sent, r->ms);
    put(&line, r->user_agent, AGENT_SHOWN);
    emit(&line);
}

void serve_log_failure(const char *target, const char *message)
{
    coras_auto_buf line = CORAS_BUF_INIT(LINE_MAX_BYTES);

    begin(&line);
    coras_buf_puts(&line, "error: ");
    put(&line, message, TARGET_SHOWN);
    coras_buf_puts(&line, " (request ");
    put(&line, target, TARGET_SHOWN);
    coras_buf_putc(&line, ')');
    emit(&line);
}

void serve_log_note(const char *fmt, ...)
{
    coras_auto_buf line = CORAS_BUF_INIT(LINE_MAX_BYTES);
    coras_auto_buf text = CORAS_BUF_INIT(LINE_MAX_BYTES / 2);
    va_list ap;

    va_start(ap, fmt);
    coras_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    begin(&line);
    put(&line, text.ptr, TARGET_SHOWN);
    emit(&line);
}
