/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of --debug entries, in upstream's form, with everything secret masked.
 */
#include "http/debug_log.h"

#include <stdatomic.h>
#include "base/alloc.h"
#include "codec/json.h"
#include "base/limits.h"
#include "base/trace.h"
#include "gospell/quote.h"
#include "http/url.h"

enum { BODY_MAX = 16 * CORAS_KIB };

static atomic_int_fast64_t next_number; /* entries are numbered over the whole process */

static bool is_secret_name(const char *name)
{
    static const char *const names[] = {"Authorization", "Cookie", "Proxy-Authorization",
                                        "Set-Cookie"};

    for (size_t i = 0; i < CORAS_ARRAY_LEN(names); i++)
        if (coras_str_ieq(name, names[i]))
            return true;
    return false;
}

static bool is_url_name(const char *name)
{
    return coras_str_ieq(name, "Location") || coras_str_ieq(name, "Content-Location") ||
           coras_str_ieq(name, "Referer");
}

/* Go's canonical form: "content-type" is shown as "Content-Type". */
static void put_canonical(coras_buf *b, const char *name)
{
    bool start = true;

    for (const char *p = name; *p; p++) {
        char c = *p;
        if (start && coras_is_lower(c))
            c = (char)(c - 'a' + 'A');
        else if (!start && coras_is_upper(c))
            c = (char)(c - 'A' + 'a');
        coras_buf_putc(b, c);
        start = *p == '-';
    }
}

static void put_value(coras_buf *b, const struct coras_header_item *h)
{
    if (h->secret || is_secret_name(h->name))
        coras_buf_puts(b, "*****");
    else if (is_url_name(h->name))
        coras_url_put_for_log(b, h->value);
    else
        coras_buf_puts(b, h->value);
}

static bool seen_before(const coras_header_list *l, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (coras_str_ieq(l->items[i].name, l->items[at].name))
            return true;
    return false;
}

static void put_header(coras_buf *b, const coras_header_list *l, size_t at)
{
    coras_auto_buf name = CORAS_BUF_UNLIMITED;
    coras_auto_buf value = CORAS_BUF_UNLIMITED;

    put_canonical(&name, l->items[at].name);
    put_value(&value, &l->items[at]);
    for (size_t i = at + 1; i < l->len; i++) {
        if (!coras_str_ieq(l->items[i].name, l->items[at].name))
            continue;
        coras_buf_puts(&value, ", ");
        put_value(&value, &l->items[i]);
    }
    coras_buf_puts(b, "\n   ");
    coras_go_quote(b, name.ptr);
    coras_buf_puts(b, ": ");
    coras_go_quote(b, value.ptr);
}

static void put_headers(coras_buf *b, const coras_header_list *l)
{
    if (!l->len)
        coras_buf_puts(b, "\n   Empty header");
    for (size_t i = 0; i < l->len; i++)
        if (!seen_before(l, i))
            put_header(b, l, i);
}

void coras_debuglog_put_request(coras_buf *b, int64_t number, const struct coras_exchange *ex)
{
    coras_auto_buf url = CORAS_BUF_UNLIMITED;

    coras_url_put_for_log(&url, ex->url->text);
    coras_buf_printf(b, "--> Request #%lld\n> Request URL: ", (long long)number);
    coras_go_quote(b, url.ptr);
    coras_buf_printf(b, "\n> Request method: \"%s\"\n> Request headers:", ex->method);
    put_headers(b, ex->headers);
}

static bool type_is_printable(coras_str type)
{
    static const char *const types[] = {"application/json", "text/plain", "text/html"};
    static const char json[] = "+json";
    size_t n = sizeof(json) - 1;

    for (size_t i = 0; i < CORAS_ARRAY_LEN(types); i++)
        if (type.len == strlen(types[i]) && strncasecmp(type.ptr, types[i], type.len) == 0)
            return true;
    return type.len > n && strncasecmp(type.ptr + type.len - n, json, n) == 0;
}

static coras_str media_type_of(const coras_response *r)
{
    const char *type = coras_response_header(r, "Content-Type");

    if (!type)
        return (coras_str){"", 0};
    return coras_str_trim((coras_str){type, strcspn(type, ";")});
}

void coras_debuglog_keep_body(coras_response *r, const void *data, size_t len)
{
    if (!coras_trace_debug_on() || r->trace_body.len > BODY_MAX ||
        !type_is_printable(media_type_of(r)))
        return;
    size_t room = BODY_MAX + 1 - r->trace_body.len;
    coras_buf_put(&r->trace_body, data, len < room ? len : room);
}

/* Whether a quoted key of that name stands anywhere in the text, however deep. */
static bool has_secret_key(coras_str body)
{
    static const char *const keys[] = {"\"token\"", "\"access_token\"", "\"refresh_token\"",
                                       "\"id_token\"", "\"identity_token\""};

    for (size_t i = 0; i < CORAS_ARRAY_LEN(keys); i++)
        if (memmem(body.ptr, body.len, keys[i], strlen(keys[i])))
            return true;
    return false;
}

/* Lines and tabs as they are, everything else that could steer a terminal escaped. */
static void put_printable(coras_buf *b, coras_str text)
{
    for (size_t at = 0; at < text.len;) {
        size_t len = 0;
        while (at + len < text.len && text.ptr[at + len] != '\n' && text.ptr[at + len] != '\t')
            len++;
        coras_escape(b, text.ptr + at, len, BODY_MAX);
        at += len;
        if (at < text.len)
            coras_buf_putc(b, text.ptr[at++]);
    }
}

static void put_body(coras_buf *b, const coras_response *r)
{
    coras_str type = media_type_of(r);
    coras_str body = {r->body.ptr, r->body.len};

    if (r->trace_body.len)
        body = (coras_str){r->trace_body.ptr, r->trace_body.len};
    if (coras_streq(r->method, "HEAD") || r->status == 204 || coras_response_length(r) == 0)
        coras_buf_puts(b, "   No response body to print");
    else if (r->status >= 300 && r->status < 400)
        coras_buf_puts(b, "   Response body for redirect is not printed");
    else if (!type.len)
        coras_buf_puts(b, "   Response body without a content type is not printed");
    else if (!type_is_printable(type))
        coras_buf_printf(b, "   Response body of content type \"%s\" is not printed",
                         coras_response_header(r, "Content-Type"));
    else if (!body.len)
        coras_buf_puts(b, "   Response body is empty");
    else if (body.len > BODY_MAX || r->body_cut)
        coras_buf_puts(b, "   Response body exceeding the trace size limit is not printed");
    else if (has_secret_key(body))
        coras_buf_puts(b, "   Response body redacted due to potential credentials");
    else
        put_printable(b, body);
}

void coras_debuglog_put_response(coras_buf *b, int64_t number, const coras_response *r)
{
    coras_buf_printf(b, "<-- Response #%lld\n< Response Status: ", (long long)number);
    coras_go_quote(b, r->status_text ? r->status_text : "");
    coras_buf_puts(b, "\n< Response headers:");
    put_headers(b, &r->headers);
    coras_buf_puts(b, "\n< Response body:\n");
    put_body(b, r);
}

int64_t coras_debuglog_request(const struct coras_exchange *ex)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    if (!coras_trace_debug_on())
        return -1;
    int64_t number = atomic_fetch_add(&next_number, 1);
    coras_debuglog_put_request(&text, number, ex);
    coras_trace_debug("%s", text.ptr);
    return number;
}

void coras_debuglog_response(int64_t number, const coras_response *r)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    if (number < 0)
        return;
    coras_debuglog_put_response(&text, number, r);
    coras_trace_debug("%s", text.ptr);
}

void coras_debuglog_failure(int64_t number, const coras_error *cause)
{
    if (number >= 0)
        coras_trace_error("<-- Response #%lld\nError in getting response: %s", (long long)number,
                          coras_error_message(cause));
}
