/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer as a value, lists of headers, and the names of statuses.
 */
#include "http/response.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/vec.h"

static void clear_item(struct coras_header_item *h)
{
    free(h->name);
    coras_free_secret(h->value);
}

void coras_header_list_clear(coras_header_list *l)
{
    coras_vec_foreach (h, l)
        clear_item(h);
    free(l->items);
    *l = (coras_header_list){0};
}

int coras_header_list_add(coras_header_list *l, coras_str name, coras_str value, bool secret,
                          coras_error **err)
{
    struct coras_header_item item = {.secret = secret};

    if (coras_vec_grow(l, 1) < 0)
        return coras_fail_no_memory(err);
    item.name = coras_strndup(name.ptr, name.len);
    item.value = coras_strndup(value.ptr, value.len);
    if (!item.name || !item.value) {
        free(item.name);
        coras_free_secret(item.value);
        return coras_fail_no_memory(err);
    }
    l->items[l->len++] = item;
    return 0;
}

void coras_header_list_remove(coras_header_list *l, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < l->len; i++) {
        if (coras_str_ieq(l->items[i].name, name))
            clear_item(&l->items[i]);
        else
            l->items[kept++] = l->items[i];
    }
    l->len = kept;
}

const char *coras_header_list_at(const coras_header_list *l, const char *name, size_t i)
{
    for (size_t k = 0; k < l->len; k++)
        if (coras_str_ieq(l->items[k].name, name) && i-- == 0)
            return l->items[k].value;
    return NULL;
}

int coras_response_new(coras_response **ret, coras_error **err)
{
    coras_response *r = coras_new(coras_response);

    if (!r)
        return coras_fail_no_memory(err);
    r->body = (coras_buf)CORAS_BUF_INIT(CORAS_LIMIT_ERROR_BODY);
    r->trace_body = (coras_buf)CORAS_BUF_UNLIMITED;
    *ret = r;
    return 0;
}

void coras_response_free(coras_response *r)
{
    if (!r)
        return;
    free(r->status_text);
    free(r->url);
    free(r->method);
    coras_header_list_clear(&r->headers);
    coras_wipe(r->body.ptr, r->body.len);
    coras_buf_clear(&r->body);
    coras_buf_clear(&r->trace_body);
    free(r);
}

int coras_response_status(const coras_response *r)
{
    return r->status;
}

const char *coras_response_header(const coras_response *r, const char *name)
{
    return coras_header_list_at(&r->headers, name, 0);
}

const char *coras_response_header_at(const coras_response *r, const char *name, size_t i)
{
    return coras_header_list_at(&r->headers, name, i);
}

int64_t coras_response_length(const coras_response *r)
{
    const char *text = coras_response_header(r, "Content-Length");
    int64_t length;

    return text && coras_parse_int64(coras_str_of(text), &length) ? length : -1;
}

const char *coras_response_url(const coras_response *r)
{
    return r->url;
}

bool coras_response_is_foreign(const coras_response *r)
{
    return r->foreign;
}

coras_str coras_response_body(const coras_response *r)
{
    return (coras_str){r->body.ptr, r->body.len};
}

const char *coras_http_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } rows[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {300, "Multiple Choices"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {407, "Proxy Authentication Required"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Request Entity Too Large"},
        {414, "Request URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Requested Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {418, "I'm a teapot"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Entity"},
        {423, "Locked"},
        {424, "Failed Dependency"},
        {425, "Too Early"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {451, "Unavailable For Legal Reasons"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
        {508, "Loop Detected"},
        {511, "Network Authentication Required"},
    };

    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++)
        if (rows[i].status == status)
            return rows[i].text;
    return "";
}
