/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parsing, resolving, comparing and showing URLs.
 */
#include "http/url.h"

#include <stdlib.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "http/message.h"

static bool is_host_char(char c)
{
    return coras_is_alnum(c) || c == '.' || c == '-' || c == '_';
}

static bool is_ipv6_char(char c)
{
    return coras_is_hex(c) || c == ':' || c == '.';
}

static bool all_chars(coras_str s, bool (*is)(char))
{
    for (size_t i = 0; i < s.len; i++)
        if (!is(s.ptr[i]))
            return false;
    return s.len > 0;
}

/* The part of `s` before the first of `stops`; `s` keeps the rest. */
static coras_str cut_before(coras_str *s, const char *stops)
{
    coras_str head = *s;

    head.len = 0;
    while (head.len < s->len && !memchr(stops, s->ptr[head.len], strlen(stops)))
        head.len++;
    s->ptr += head.len;
    s->len -= head.len;
    return head;
}

static bool parse_authority(coras_str authority, coras_url *u)
{
    coras_str rest = authority;

    if (rest.len && rest.ptr[0] == '[') {
        rest.ptr++;
        rest.len--;
        u->host = cut_before(&rest, "]");
        u->ipv6 = true;
        if (!rest.len || !all_chars(u->host, is_ipv6_char))
            return false;
        rest.ptr++;
        rest.len--;
    } else {
        u->host = cut_before(&rest, ":");
        if (!all_chars(u->host, is_host_char))
            return false;
    }
    if (!rest.len)
        return true;
    int64_t port;
    coras_str digits = {rest.ptr + 1, rest.len - 1};
    if (rest.ptr[0] != ':' || digits.len > 5 || !coras_parse_int64(digits, &port) || port < 1 ||
        port > 65535)
        return false;
    u->port = (int)port;
    u->has_port = true;
    return true;
}

static bool has_scheme(coras_str s, const char *scheme)
{
    size_t n = strlen(scheme);

    return s.len >= n && strncasecmp(s.ptr, scheme, n) == 0;
}

static int bad_url(const char *text, const char *why, coras_error **err)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;

    coras_url_put_for_message(&shown, text);
    return coras_fail(err, CORAS_ERR_PROTOCOL, "parse \"%s\": %s", shown.ptr, why);
}

int coras_url_parse(const char *text, coras_url *ret, coras_error **err)
{
    coras_url u = {.text = text};
    coras_str rest = coras_str_of(text);

    if (rest.len > CORAS_LIMIT_URL)
        return bad_url(text, "URL too long", err);
    for (size_t i = 0; i < rest.len; i++)
        if (text[i] <= ' ' || text[i] >= 0x7f)
            return bad_url(text, "invalid character in URL", err);
    u.https = has_scheme(rest, "https://");
    if (!u.https && !has_scheme(rest, "http://"))
        return bad_url(text, "unsupported protocol scheme", err);
    rest.ptr += u.https ? 8 : 7;
    rest.len -= u.https ? 8 : 7;
    u.port = u.https ? 443 : 80;
    u.authority = cut_before(&rest, "/?#");
    if (memchr(u.authority.ptr, '@', u.authority.len))
        return bad_url(text, "user information in URL", err);
    if (!parse_authority(u.authority, &u))
        return bad_url(text, "invalid host in URL", err);
    u.path = cut_before(&rest, "?#");
    if (rest.len && rest.ptr[0] == '?') {
        rest.ptr++;
        rest.len--;
        u.query = cut_before(&rest, "#");
    }
    *ret = u;
    return 0;
}

bool coras_url_origin_equal(const coras_url *a, const coras_url *b)
{
    return a->https == b->https && a->port == b->port && a->host.len == b->host.len &&
           strncasecmp(a->host.ptr, b->host.ptr, a->host.len) == 0;
}

bool coras_url_host_is(const coras_url *url, const char *host)
{
    return strlen(host) == url->host.len && strncasecmp(host, url->host.ptr, url->host.len) == 0;
}

void coras_url_put_dial(coras_buf *b, const coras_url *url)
{
    coras_buf_printf(b, url->ipv6 ? "[%.*s]:%d" : "%.*s:%d", (int)url->host.len, url->host.ptr,
                     url->port);
}

/* The same part of another text. */
static coras_str moved(coras_str part, const char *from, const char *to)
{
    return part.ptr ? (coras_str){to + (part.ptr - from), part.len} : part;
}

int coras_url_copy(const coras_url *from, char **ret_text, coras_url *ret, coras_error **err)
{
    char *text = coras_strdup(from->text);

    if (!text)
        return coras_fail_no_memory(err);
    *ret_text = text;
    *ret = *from;
    ret->text = text;
    ret->host = moved(from->host, from->text, text);
    ret->authority = moved(from->authority, from->text, text);
    ret->path = moved(from->path, from->text, text);
    ret->query = moved(from->query, from->text, text);
    return 0;
}

/* ---- resolving ---- */

/* RFC 3986 5.2.4 on an absolute path. */
static void put_without_dot_segments(coras_buf *b, coras_str path)
{
    size_t root = b->len;
    coras_str rest = path;

    while (rest.len) {
        rest.ptr++; /* the slash */
        rest.len--;
        coras_str segment = cut_before(&rest, "/");
        bool last = rest.len == 0;
        if (coras_str_eq(segment, "..")) {
            while (b->len > root && b->ptr[b->len - 1] != '/')
                coras_buf_truncate(b, b->len - 1);
            if (b->len > root)
                coras_buf_truncate(b, b->len - 1);
            if (last)
                coras_buf_putc(b, '/');
        } else if (coras_str_eq(segment, ".")) {
            if (last)
                coras_buf_putc(b, '/');
        } else {
            coras_buf_putc(b, '/');
            coras_buf_put(b, segment.ptr, segment.len);
        }
    }
}

/* Base path up to and with its last slash, then `relative`. */
static void merge_paths(coras_buf *b, const coras_url *base, coras_str relative)
{
    size_t keep = base->path.len;

    while (keep && base->path.ptr[keep - 1] != '/')
        keep--;
    if (keep)
        coras_buf_put(b, base->path.ptr, keep);
    else
        coras_buf_putc(b, '/');
    coras_buf_put(b, relative.ptr, relative.len);
}

/* The length of "scheme" when the text starts with "scheme:", else 0. */
static size_t scheme_length(coras_str s)
{
    size_t n = 0;

    while (n < s.len && (coras_is_alnum(s.ptr[n]) || (n && memchr("+-.", s.ptr[n], 3))))
        n++;
    return n && n < s.len && s.ptr[n] == ':' && !coras_is_digit(s.ptr[0]) ? n : 0;
}

/* RFC 3986 3.2.1: userinfo. */
static bool is_user_char(char c)
{
    return c && (coras_is_alnum(c) || strchr("-._~%!$&'()*+,;=:", c));
}

/*
 * "user:password@host/path" without the user: what a server puts there is not ours to show. With
 * other characters before the '@' it is a trick, left to the parser to refuse.
 */
static void put_without_user(coras_buf *out, coras_str s)
{
    coras_str rest = s;
    coras_str authority = cut_before(&rest, "/?#");
    const char *at = memchr(authority.ptr, '@', authority.len);

    if (at && all_chars((coras_str){authority.ptr, (size_t)(at - authority.ptr)}, is_user_char)) {
        s.len -= (size_t)(at + 1 - s.ptr);
        s.ptr = at + 1;
    }
    coras_buf_put(out, s.ptr, s.len);
}

static void put_path_and_query(coras_buf *out, const coras_url *base, coras_str ref)
{
    coras_auto_buf path = CORAS_BUF_INIT(CORAS_LIMIT_URL);
    coras_str query = ref;
    coras_str ref_path = cut_before(&query, "?");

    if (!ref_path.len) {
        coras_buf_put(out, base->path.ptr, base->path.len);
        if (!query.len && base->query.ptr)
            coras_buf_printf(out, "?%.*s", (int)base->query.len, base->query.ptr);
    } else {
        if (ref_path.ptr[0] == '/')
            coras_buf_put(&path, ref_path.ptr, ref_path.len);
        else
            merge_paths(&path, base, ref_path);
        put_without_dot_segments(out, (coras_str){path.ptr, path.len});
        if (path.failed)
            out->failed = path.failed;
    }
    coras_buf_put(out, query.ptr, query.len);
}

static void put_target(coras_buf *out, const coras_url *base, coras_str ref)
{
    coras_str rest = ref;
    coras_str whole = cut_before(&rest, "#");
    size_t scheme = scheme_length(whole), skip = scheme ? scheme + 1 : 0;
    coras_str after = {whole.ptr + skip, whole.len - skip};

    if (scheme)
        coras_buf_printf(out, "%.*s:", (int)scheme, whole.ptr);
    else
        coras_buf_puts(out, base->https ? "https:" : "http:");
    if (after.len >= 2 && memcmp(after.ptr, "//", 2) == 0) {
        coras_buf_puts(out, "//");
        put_without_user(out, (coras_str){after.ptr + 2, after.len - 2});
    } else if (scheme) {
        coras_buf_put(out, after.ptr, after.len); /* no URL of ours: the parser will refuse it */
    } else {
        coras_buf_printf(out, "//%.*s", (int)base->authority.len, base->authority.ptr);
        put_path_and_query(out, base, after);
    }
}

/* Blanks and non-ASCII bytes, which sloppy servers leave in Location, percent-encoded. */
static void put_encoded(coras_buf *b, coras_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == ' ' || c >= 0x7f)
            coras_buf_printf(b, "%%%02X", c);
        else
            coras_buf_putc(b, (char)c);
    }
}

/* What parties could read in two ways, or not at all; in Go's words. */
static int check_reference(const char *text, coras_error **err)
{
    coras_str rest = coras_str_trim(coras_str_of(text));
    coras_str path = cut_before(&rest, "?#"), all = path;
    coras_str first = cut_before(&all, "/");

    if (scheme_length(path) == 0 && first.len > 0 && memchr(first.ptr, ':', first.len))
        return bad_url(text, "first path segment in URL cannot contain colon", err);
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] == '%' &&
            (path.len - i < 3 || !coras_is_hex(path.ptr[i + 1]) || !coras_is_hex(path.ptr[i + 2])))
            return bad_url(text, "invalid URL escape", err);
    }
    return 0;
}

int coras_url_join(const coras_url *base, const char *ref, char **ret_text, coras_url *ret,
                   coras_error **err)
{
    coras_auto_buf clean = CORAS_BUF_INIT(CORAS_LIMIT_URL);
    coras_auto_buf out = CORAS_BUF_INIT(CORAS_LIMIT_URL);
    coras_auto_free char *text = NULL;
    coras_url url;

    CORAS_TRY(check_reference(ref, err));
    put_encoded(&clean, coras_str_trim(coras_str_of(ref)));
    CORAS_TRY(coras_buf_done(&clean, err));
    put_target(&out, base, (coras_str){clean.ptr, clean.len});
    CORAS_TRY(coras_buf_take(&out, &text, err));
    CORAS_TRY(coras_url_parse(text, &url, err));
    *ret_text = coras_steal(&text);
    *ret = url;
    return 0;
}

int coras_url_resolve(const char *base, const char *ref, char **ret, coras_error **err)
{
    coras_url base_url, url;

    CORAS_TRY(coras_url_parse(base, &base_url, err));
    return coras_url_join(&base_url, ref, ret, &url, err);
}

/* ---- encoding and showing ---- */

void coras_url_put_query(coras_buf *b, const char *s)
{
    for (; *s; s++) {
        if (coras_is_alnum(*s) || *s == '-' || *s == '_' || *s == '.' || *s == '~')
            coras_buf_putc(b, *s);
        else
            coras_buf_printf(b, "%%%02X", (unsigned char)*s);
    }
}

/* Query keys whose values people need to see and that carry no secret. */
static bool is_harmless_key(coras_str key)
{
    static const char *const keys[] = {
        "artifactType", "digest", "from",    "last", "mount",           "n",
        "ns",           "scope",  "service", "tag",  "digest-algorithm"};

    for (size_t i = 0; i < CORAS_ARRAY_LEN(keys); i++)
        if (coras_str_eq(key, keys[i]))
            return true;
    return false;
}

/* Everything before the query, with user-info hidden; returns the query (ptr NULL: none). */
static coras_str put_until_query(coras_buf *b, const char *url)
{
    coras_str rest = coras_str_of(url);
    coras_str head = cut_before(&rest, "?#");
    coras_str none = {NULL, 0};
    const char *authority = memmem(head.ptr, head.len, "://", 3); /* a query may hold one, too */
    size_t start = authority ? (size_t)(authority - url) + 3 : 0;
    const char *end = memchr(url + start, '/', head.len - start);
    size_t authority_end = end ? (size_t)(end - url) : head.len;
    size_t host = start;

    for (size_t i = start; i < authority_end; i++)
        if (url[i] == '@')
            host = i + 1;
    coras_escape(b, url, start, CORAS_LIMIT_URL);
    if (host > start)
        coras_buf_puts(b, "REDACTED@");
    coras_escape(b, url + host, head.len - host, CORAS_LIMIT_URL);
    if (!rest.len || rest.ptr[0] == '#')
        return none;
    rest.ptr++;
    rest.len--;
    return cut_before(&rest, "#");
}

static bool next_pair(coras_str *query, coras_str *ret_key, coras_str *ret_value)
{
    if (!query->len)
        return false;
    coras_str value = cut_before(query, "&");
    if (query->len) {
        query->ptr++;
        query->len--;
    }
    *ret_key = cut_before(&value, "=");
    *ret_value = value; /* with its '=' */
    return true;
}

void coras_url_put_for_message(coras_buf *b, const char *url)
{
    coras_str query = put_until_query(b, url);
    coras_str key, value;
    char separator = '?';

    if (query.ptr && !query.len)
        coras_buf_putc(b, '?');
    while (next_pair(&query, &key, &value)) {
        coras_buf_putc(b, separator);
        coras_escape(b, key.ptr, key.len, CORAS_LIMIT_ERROR_TEXT);
        if (is_harmless_key(key))
            coras_escape(b, value.ptr, value.len, CORAS_LIMIT_ERROR_TEXT);
        else if (value.len)
            coras_buf_puts(b, "=REDACTED");
        separator = '&';
    }
}

void coras_url_put_for_log(coras_buf *b, const char *url)
{
    coras_auto_value(coras_strlist) keys = {0};
    coras_str query = put_until_query(b, url);
    coras_str key, value;

    while (next_pair(&query, &key, &value))
        if (coras_strlist_addn(&keys, key.ptr, key.len, NULL) < 0)
            return;
    coras_strlist_sort(&keys);
    for (size_t i = 0; i < keys.len; i++) {
        coras_buf_putc(b, i ? '&' : '?');
        coras_escape(b, keys.items[i], strlen(keys.items[i]), CORAS_LIMIT_ERROR_TEXT);
        coras_buf_puts(b, "=REDACTED");
    }
}
