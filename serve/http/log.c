/* SPDX-License-Identifier: Apache-2.0 */
/* Lines on standard error: of requests, failures and notes. */
#include "serve/http/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <unistd.h>
#include "base/clock.h"
#include "codec/date.h"
#include "codec/json.h"
#include "base/str.h"

#define LINE_MAX_BYTES 8192
#define TARGET_SHOWN   1024
#define METHOD_SHOWN   16
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

static void put_member(coras_json_writer *w, const char *name, const char *text, size_t max)
{
    coras_auto_buf shown = CORAS_BUF_INIT(LINE_MAX_BYTES);

    if (!text || !*text)
        return;
    coras_escape(&shown, text, strlen(text), max);
    coras_jw_member(w, name, shown.ptr);
}

static void put_number(coras_json_writer *w, const char *name, int64_t number)
{
    coras_jw_key(w, name);
    coras_jw_int(w, number);
}

/* What is not known is left out. */
static void log_json(const struct serve_log_request *r)
{
    coras_auto_buf line = CORAS_BUF_INIT(LINE_MAX_BYTES);
    coras_auto_buf now = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&line, 0);

    w.keep_html = true;
    coras_format_rfc3339(&now, coras_wall_s());
    coras_jw_object(&w);
    put_member(&w, "time", now.ptr, TARGET_SHOWN);
    put_member(&w, "peer", r->peer, PEER_SHOWN);
    put_member(&w, "user", r->user, USER_SHOWN);
    put_number(&w, "status", r->status);
    put_member(&w, "method", r->method, METHOD_SHOWN);
    put_member(&w, "target", r->target, TARGET_SHOWN);
    put_number(&w, "received", r->received);
    put_number(&w, "sent", r->sent);
    put_number(&w, "ms", r->ms);
    put_member(&w, "agent", r->user_agent, AGENT_SHOWN);
    coras_jw_end_object(&w);
    emit(&line);
}

void serve_log_request(const struct serve_log_request *r)
{
    coras_auto_buf line = CORAS_BUF_INIT(LINE_MAX_BYTES);

    if (r->as_json) {
        log_json(r);
        return;
    }
    begin(&line);
    put(&line, r->peer, PEER_SHOWN);
    coras_buf_putc(&line, ' ');
    put(&line, r->user, USER_SHOWN);
    coras_buf_printf(&line, " %d ", r->status);
    put(&line, r->method, METHOD_SHOWN);
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
