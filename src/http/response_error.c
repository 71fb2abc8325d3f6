/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an answer that nobody wanted to an error that says what the registry said.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "http/retry_after.h"
#include "codec/json.h"
#include "base/limits.h"
#include "http/response.h"
#include "http/url.h"
#include "gospell/float.h"

enum {
    ERRORS_SHOWN = 16, /* of one body */
    DETAIL_DEPTH = 8,
};

static void put_detail(coras_buf *b, const coras_json *v, int depth);

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Go's %v of a map: map[a:1 b:2], keys sorted. */
static void put_object(coras_buf *b, const coras_json *v, int depth)
{
    size_t n = coras_json_len(v), i = 0;
    coras_auto_free const char **keys = coras_calloc(n + 1, sizeof(*keys));
    void *iter = NULL;
    const char *key;
    const coras_json *value;

    if (!keys) {
        b->failed = CORAS_ERR_NO_MEMORY;
        return;
    }
    while (i < n && coras_json_next(v, &iter, &key, &value))
        keys[i++] = key;
    qsort(keys, i, sizeof(*keys), compare_keys);
    coras_buf_puts(b, "map[");
    for (size_t k = 0; k < i; k++) {
        coras_buf_puts(b, k ? " " : "");
        coras_escape(b, keys[k], strlen(keys[k]), CORAS_LIMIT_ERROR_TEXT);
        coras_buf_putc(b, ':');
        put_detail(b, coras_json_get(v, keys[k]), depth + 1);
    }
    coras_buf_putc(b, ']');
}

static void put_array(coras_buf *b, const coras_json *v, int depth)
{
    coras_buf_putc(b, '[');
    for (size_t i = 0; i < coras_json_len(v); i++) {
        coras_buf_puts(b, i ? " " : "");
        put_detail(b, coras_json_at(v, i), depth + 1);
    }
    coras_buf_putc(b, ']');
}

/* Go's fmt %v of a decoded JSON value. */
static void put_detail(coras_buf *b, const coras_json *v, int depth)
{
    const char *s;
    double number;
    bool flag;

    if (depth > DETAIL_DEPTH) {
        coras_buf_puts(b, "…");
        return;
    }
    switch (coras_json_type_of(v)) {
    case CORAS_JSON_STRING:
        if (coras_json_string(v, &s))
            coras_escape(b, s, strlen(s), CORAS_LIMIT_ERROR_TEXT);
        break;
    case CORAS_JSON_INT:
    case CORAS_JSON_REAL:
        if (coras_json_real(v, &number))
            coras_go_float(b, number);
        break;
    case CORAS_JSON_BOOL:
        coras_buf_puts(b, coras_json_bool(v, &flag) && flag ? "true" : "false");
        break;
    case CORAS_JSON_OBJECT:
        put_object(b, v, depth);
        break;
    case CORAS_JSON_ARRAY:
        put_array(b, v, depth);
        break;
    case CORAS_JSON_NULL:
    default:
        coras_buf_puts(b, "<nil>");
        break;
    }
}

/* "MANIFEST_UNKNOWN" reads "manifest unknown". */
static void put_code(coras_buf *b, const char *code)
{
    coras_auto_buf lower = CORAS_BUF_UNLIMITED;

    for (const char *p = code; *p; p++)
        coras_buf_putc(&lower, *p == '_' ? ' ' : coras_is_upper(*p) ? (char)(*p + 'a' - 'A') : *p);
    coras_escape(b, lower.ptr, lower.len, CORAS_LIMIT_ERROR_TEXT);
}

/* The words of one entry; as in upstream, a detail stands only behind a message. */
static void put_error(coras_buf *b, const coras_json *error)
{
    const char *code = coras_json_get_string(error, "code");
    const char *message = coras_json_get_string(error, "message");
    const coras_json *detail = coras_json_get(error, "detail");

    put_code(b, code ? code : "");
    if (!message || !*message)
        return;
    coras_buf_puts(b, ": ");
    coras_escape(b, message, strlen(message), CORAS_LIMIT_ERROR_TEXT);
    if (detail && coras_json_type_of(detail) != CORAS_JSON_NULL) {
        coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_ERROR_BODY);
        put_detail(&text, detail, 0);
        coras_buf_puts(b, ": ");
        coras_escape(b, text.ptr, text.len, CORAS_LIMIT_ERROR_TEXT);
    }
}

static bool is_text_or_null(const coras_json *v)
{
    enum coras_json_type type = coras_json_type_of(v);

    return type == CORAS_JSON_STRING || type == CORAS_JSON_NULL;
}

/* Whether these are a registry's errors and not some other service's member of that name. */
static bool are_errors(const coras_json *errors)
{
    if (coras_json_type_of(errors) != CORAS_JSON_ARRAY)
        return false;
    for (size_t i = 0; i < coras_json_len(errors); i++) {
        const coras_json *error = coras_json_at(errors, i);
        enum coras_json_type type = coras_json_type_of(error);
        if ((type != CORAS_JSON_OBJECT && type != CORAS_JSON_NULL) ||
            !is_text_or_null(coras_json_get(error, "code")) ||
            !is_text_or_null(coras_json_get(error, "message")))
            return false;
    }
    return true;
}

/* The registry's own words, "" when the body holds none; text behind the JSON value is ignored.
 * `codes` gets those of all errors. */
static void put_words(coras_buf *b, const coras_response *r, coras_strlist *codes)
{
    coras_auto(coras_json) body = NULL;

    if (coras_json_parse_prefix(r->body.ptr, r->body.len, &body, NULL) < 0)
        return;
    const coras_json *errors = coras_json_get(body, "errors");
    if (!are_errors(errors))
        return;
    for (size_t i = 0; i < coras_json_len(errors) && i < ERRORS_SHOWN; i++) {
        const coras_json *error = coras_json_at(errors, i);
        const char *code = coras_json_get_string(error, "code");
        coras_buf_puts(b, i ? "; " : "");
        put_error(b, error);
        coras_auto_free char *shown = code ? coras_escape_dup(code) : NULL;
        if (shown && coras_strlist_add(codes, shown, NULL) < 0)
            b->failed = CORAS_ERR_NO_MEMORY;
    }
}

static int code_for(int status)
{
    switch (status) {
    case 401:
    case 407:
        return CORAS_ERR_UNAUTHORIZED;
    case 403:
        return CORAS_ERR_DENIED;
    case 404:
        return CORAS_ERR_NOT_FOUND;
    case 429:
        return CORAS_ERR_RATE_LIMITED;
    default:
        return CORAS_ERR_HTTP;
    }
}

/* A request that belongs to no registry says itself whose service it was. */
static enum coras_party party_of(const coras_request *req, const coras_response *r)
{
    if (r->status == 407)
        return CORAS_PARTY_PROXY;
    if (r->foreign)
        return CORAS_PARTY_ELSEWHERE;
    return req->registry ? CORAS_PARTY_REGISTRY : CORAS_PARTY_UNKNOWN;
}

int coras_response_to_error(const coras_request *req, const coras_response *r, coras_error **err)
{
    coras_auto_buf words = CORAS_BUF_INIT(CORAS_LIMIT_ERROR_BODY);
    coras_auto_buf line = CORAS_BUF_UNLIMITED;
    coras_auto_buf host = CORAS_BUF_UNLIMITED;
    coras_auto_buf url = CORAS_BUF_UNLIMITED;
    coras_auto_value(coras_strlist) codes = {0};

    put_words(&words, r, &codes);
    coras_buf_put(&host, r->at.authority.ptr, r->at.authority.len);
    coras_buf_printf(&line, "%s \"", r->method ? r->method : req->method);
    coras_url_put_for_message(&url, r->url);
    coras_buf_puts(&line, url.ptr);
    coras_buf_printf(&line, "\": response status code %d: ", r->status);
    coras_buf_puts(&line, words.len ? words.ptr : coras_http_status_text(r->status));
    int rc = coras_fail(err, code_for(r->status), "%s", line.ptr);
    coras_error_set_http(err, r->status, host.ptr, words.len ? words.ptr : line.ptr, NULL);
    for (size_t i = 0; i < codes.len; i++)
        coras_error_add_registry_code(err, codes.items[i]);
    coras_error_set_url(err, url.ptr);
    coras_error_set_party(err, party_of(req, r));
    int64_t wait = coras_response_retry_after_s(r);
    if (wait > 0)
        coras_error_set_retry_after_s(err, wait);
    return rc;
}
