/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes back: status and headers as they arrive, checked and bounded, then the body on its way
 * to the sink or into the answer.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "http/debug_log.h"
#include "http/running.h"

enum { DEFAULT_BODY_LIMIT = 64 * CORAS_KIB };

static bool is_success(const coras_response *r)
{
    return r->status >= 200 && r->status < 300;
}

static int start_headers(struct coras_running *x, const char *line, size_t len)
{
    coras_response *r = x->response;
    const char *space = memchr(line, ' ', len);
    int64_t status = 0;

    coras_header_list_clear(&r->headers);
    free(r->status_text);
    r->status_text = NULL;
    if (!space || line + len - space < 4 ||
        !coras_parse_int64((coras_str){space + 1, 3}, &status) || status < 100)
        return coras_fail(&x->error, CORAS_ERR_PROTOCOL, "malformed HTTP status line");
    coras_str text = coras_str_trim((coras_str){space, len - (size_t)(space - line)});
    r->status = (int)status;
    x->end.answered_ms = coras_now_ms();
    r->status_text = coras_strndup(text.ptr, text.len);
    return r->status_text ? 0 : coras_fail_no_memory(&x->error);
}

static int add_header(struct coras_running *x, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);

    if (!colon || colon == line || coras_is_space(line[0]))
        return 0; /* continuation lines and rubbish carry nothing that we use */
    coras_str name = {line, (size_t)(colon - line)};
    coras_str value = coras_str_trim((coras_str){colon + 1, len - name.len - 1});
    return coras_header_list_add(&x->response->headers, name, value, false, &x->error);
}

/* RFC 9112 6.3: what frames the message must not be ambiguous. */
static int check_framing(struct coras_running *x)
{
    const coras_header_list *h = &x->response->headers;
    const char *length = coras_header_list_at(h, "Content-Length", 0);
    const char *other;

    if (length && coras_header_list_at(h, "Transfer-Encoding", 0))
        return coras_fail(&x->error, CORAS_ERR_PROTOCOL,
                          "response has both Content-Length and Transfer-Encoding");
    for (size_t i = 1; (other = coras_header_list_at(h, "Content-Length", i)); i++)
        if (!coras_streq(other, length))
            return coras_fail(&x->error, CORAS_ERR_PROTOCOL,
                              "response has two different Content-Length headers");
    return 0;
}

bool coras_running_is_document(const struct coras_running *x)
{
    return !x->ex->request->sink || x->ex->request->document;
}

/*
 * RFC 9110 8.4: a coding that a proxy has put on although we asked for none. What is undone leaves
 * no trace in the headers, as in Go: their length was that of other bytes.
 */
static int check_coding(struct coras_running *x)
{
    coras_header_list *h = &x->response->headers;
    const char *coding = coras_header_list_at(h, "Content-Encoding", 0);

    if (!coding || coras_str_ieq(coding, "identity"))
        return 0;
    if (!coras_header_list_at(h, "Content-Encoding", 1) &&
        (coras_str_ieq(coding, "gzip") || coras_str_ieq(coding, "x-gzip"))) {
        coras_header_list_remove(h, "Content-Encoding");
        coras_header_list_remove(h, "Content-Length");
        return 0;
    }
    if (!is_success(x->response))
        return 0; /* the status says enough */
    coras_auto_free char *shown = coras_escape_dup(coding);
    return coras_fail(&x->error, CORAS_ERR_PROTOCOL,
                      "response has Content-Encoding \"%s\", which was not asked for",
                      shown ? shown : "");
}

static int too_large(struct coras_running *x)
{
    return coras_fail(&x->error, CORAS_ERR_TOO_LARGE,
                      "response body exceeds the limit of %zu bytes: size exceeds limit",
                      x->response->body.limit);
}

/* What will be refused is not waited for. */
static int check_announced(struct coras_running *x)
{
    int64_t length = coras_response_length(x->response);

    if (x->to_sink || coras_streq(x->ex->request->method, "HEAD") || length <= 0 ||
        (uint64_t)length <= x->response->body.limit)
        return 0;
    return too_large(x);
}

static int end_headers(struct coras_running *x)
{
    const coras_request *req = x->ex->request;

    if (x->response->status < 200)
        return 0; /* the final answer is still to come */
    x->headers_done = true;
    CORAS_TRY(check_framing(x));
    if (coras_running_is_document(x))
        CORAS_TRY(check_coding(x));
    if (!is_success(x->response))
        return 0;
    x->to_sink = req->sink != NULL;
    if (x->to_sink && req->accept) {
        int rc = req->accept(req->accept_user, x->response, &x->error);
        x->end.callers_own = rc < 0;
        return rc;
    }
    x->response->body.limit = req->body_limit ? req->body_limit : DEFAULT_BODY_LIMIT;
    return check_announced(x);
}

size_t coras_running_on_header(char *line, size_t size, size_t count, void *user)
{
    struct coras_running *x = user;
    size_t len = size * count;

    if (x->headers_done)
        return len; /* trailers */
    x->header_bytes += len;
    if (x->header_bytes > CORAS_LIMIT_HEADERS)
        x->rc = coras_fail(&x->error, CORAS_ERR_TOO_LARGE, "response headers exceed the limit");
    else if (memchr(line, '\0', len))
        x->rc = coras_fail(&x->error, CORAS_ERR_PROTOCOL, "NUL byte in a response header");
    else if (len >= 5 && memcmp(line, "HTTP/", 5) == 0)
        x->rc = start_headers(x, line, len);
    else if (len <= 2 && coras_str_trim((coras_str){line, len}).len == 0)
        x->rc = end_headers(x);
    else
        x->rc = add_header(x, line, len);
    return x->rc < 0 ? 0 : len;
}

static size_t to_sink(struct coras_running *x, const char *data, size_t len)
{
    const coras_sink *sink = x->ex->request->sink;

    coras_debuglog_keep_body(x->response, data, len);
    x->end.sink_bytes += (int64_t)len;
    int rc = sink->write(sink->user, data, len, &x->error);
    coras_running_forgive_pause(x);
    if (rc == 0)
        return len;
    x->stopped = rc == CORAS_SINK_STOP;
    x->rc = rc < 0 ? rc : 0;
    x->end.callers_own = rc < 0;
    return 0;
}

static size_t to_buffer(struct coras_running *x, const char *data, size_t len)
{
    coras_response *r = x->response;
    size_t room = r->body.limit - r->body.len;

    coras_buf_put(&r->body, data, len < room ? len : room);
    if (r->body.failed) {
        x->rc = coras_buf_done(&r->body, &x->error);
        return 0;
    }
    if (len <= room)
        return len;
    if (is_success(r)) {
        x->rc = too_large(x);
    } else {
        r->body_cut = true; /* an error is a sentence: this much of it is enough */
        x->stopped = true;
    }
    return 0;
}

size_t coras_running_on_body(char *data, size_t size, size_t count, void *user)
{
    struct coras_running *x = user;
    size_t len = size * count;

    if (!len)
        return 0;
    if (coras_cancel_check(x->http->config.cancel, &x->error) < 0) {
        x->rc = CORAS_ERR_CANCELLED;
        return 0;
    }
    x->response->body_received += (int64_t)len;
    return x->to_sink ? to_sink(x, data, len) : to_buffer(x, data, len);
}
