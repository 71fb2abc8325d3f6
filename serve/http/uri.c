/* SPDX-License-Identifier: Apache-2.0 */
/* Targets as text. */
#include "serve/http/uri.h"

#include "base/alloc.h"
#include "base/vec.h"

bool serve_target_split(const char *target, coras_str *ret_authority, const char **ret_path)
{
    const char *at = target;
    size_t len;

    *ret_authority = (coras_str){target, 0};
    *ret_path = target;
    if (*target == '/')
        return true;
    if (strncasecmp(at, "http://", 7) == 0)
        at += 7;
    else if (strncasecmp(at, "https://", 8) == 0)
        at += 8;
    else
        return false;
    len = strcspn(at, "/?#");
    if (len == 0 || memchr(at, '@', len))
        return false;
    *ret_authority = (coras_str){at, len};
    *ret_path = at[len] == '/' ? at + len : "/";
    return true;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* One character of `text` at *i, decoded; -1 when it is broken or a control character. */
static int decode_one(coras_str text, size_t *i)
{
    int c = (unsigned char)text.ptr[(*i)++];

    if (c == '%') {
        int high = *i < text.len ? hex_value(text.ptr[*i]) : -1;
        int low = *i + 1 < text.len ? hex_value(text.ptr[*i + 1]) : -1;
        if (high < 0 || low < 0)
            return -1;
        c = high * 16 + low;
        *i += 2;
    }
    return c < 0x20 || c == 0x7f ? -1 : c;
}

char *serve_uri_decode(coras_str text)
{
    coras_auto_free char *out = coras_malloc(text.len + 1);
    size_t len = 0;

    if (!out)
        return NULL;
    for (size_t i = 0; i < text.len;) {
        int c = decode_one(text, &i);
        if (c < 0)
            return NULL;
        out[len++] = (char)c;
    }
    out[len] = '\0';
    return coras_steal(&out);
}

void serve_uri_encode(coras_buf *out, const char *text)
{
    for (; *text; text++) {
        if (coras_is_alnum(*text) || *text == '-' || *text == '.' || *text == '_' || *text == '~')
            coras_buf_putc(out, *text);
        else
            coras_buf_printf(out, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

static bool add_param(struct serve_query *q, coras_str text)
{
    const char *equals = memchr(text.ptr, '=', text.len);
    coras_str name = {text.ptr, equals ? (size_t)(equals - text.ptr) : text.len};
    coras_str value = {text.ptr + text.len, 0};
    struct serve_query_param param = {0};

    if (equals)
        value = (coras_str){equals + 1, text.len - name.len - 1};
    if (q->len == SERVE_URI_PARAMS_MAX || coras_vec_grow(q, 1) < 0)
        return false;
    param.name = serve_uri_decode(name);
    param.value = serve_uri_decode(value);
    q->items[q->len++] = param;
    return param.name && param.value;
}

bool serve_query_parse(coras_str text, struct serve_query *ret)
{
    struct serve_query q = {0};
    const char *at = text.ptr, *end = text.ptr + text.len;

    while (at < end) {
        const char *amp = memchr(at, '&', (size_t)(end - at));
        const char *stop = amp ? amp : end;
        if (stop > at && !add_param(&q, (coras_str){at, (size_t)(stop - at)})) {
            serve_query_clear(&q);
            return false;
        }
        at = amp ? amp + 1 : end;
    }
    *ret = q;
    return true;
}

const char *serve_query_get(const struct serve_query *q, const char *name)
{
    for (size_t i = 0; i < q->len; i++) {
        if (coras_streq(q->items[i].name, name))
            return q->items[i].value;
    }
    return NULL;
}

void serve_query_clear(struct serve_query *q)
{
    coras_vec_foreach (param, q) {
        free(param->name);
        free(param->value);
    }
    free(q->items);
    *q = (struct serve_query){0};
}
