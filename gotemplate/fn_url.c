/* sprig: urlParse and urlJoin, by the rules of Go's net/url. */
#include "gotemplate/funcs.h"

#include <arpa/inet.h>
#include "base/error.h"

#define FN(name) static tpl_value name(struct tpl_arena *a, size_t argc, const tpl_value *v)

/* What a part of a URL may hold unescaped. */
enum part { PART_USER, PART_HOST, PART_PATH, PART_FRAGMENT };

struct url {
    coras_str scheme, opaque, user, host, path, query, fragment;
    bool has_user, has_authority;
};

static const char *quoted(struct tpl_arena *a, coras_str s)
{
    struct tpl_text t = TPL_TEXT(a);

    tpl_put_quoted(&t, s, '"', false);
    return tpl_text_str(&t).ptr;
}

/* `parse_url` fails with the bare reason; the functions say what they were reading. */
static _Noreturn void refuse(struct tpl_arena *a, coras_str url, const char *why)
{
    tpl_fail(a, "parse %s: %s", quoted(a, url), why);
}

static int hex_digit(char c)
{
    if (coras_is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool stays(char c, enum part part)
{
    if (coras_is_alnum(c) || (c && strchr("-_.~", c)))
        return true;
    if (!c)
        return false;
    switch (part) {
    case PART_USER:
        return strchr("$&+,;=", c) != NULL;
    case PART_HOST:
        return strchr("!$&'()*+,;=:[]<>\"", c) != NULL;
    case PART_PATH:
        return strchr("$&+,/:;=@", c) != NULL;
    default:
        return strchr("$&+,/:;=?@!()*", c) != NULL;
    }
}

static coras_str escape(struct tpl_arena *a, coras_str s, enum part part)
{
    struct tpl_text t = TPL_TEXT(a);

    for (size_t i = 0; i < s.len; i++)
        if (stays(s.ptr[i], part))
            tpl_putc(&t, s.ptr[i]);
        else
            tpl_printf(&t, "%%%02X", (unsigned char)s.ptr[i]);
    return tpl_text_str(&t);
}

static coras_str unescape(struct tpl_arena *a, coras_str url, coras_str s, enum part part)
{
    struct tpl_text t = TPL_TEXT(a);

    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] != '%') {
            if (part == PART_HOST && (unsigned char)s.ptr[i] < 0x80 && !stays(s.ptr[i], part)) {
                struct tpl_text why = TPL_TEXT(a);
                tpl_puts(&why, "invalid character ");
                tpl_put_quoted(&why, tpl_sub(s, i, i + 1), '"', false);
                tpl_puts(&why, " in host name");
                refuse(a, url, tpl_text_str(&why).ptr);
            }
            tpl_putc(&t, s.ptr[i]);
            continue;
        }
        if (i + 2 >= s.len || hex_digit(s.ptr[i + 1]) < 0 || hex_digit(s.ptr[i + 2]) < 0) {
            coras_str bad = tpl_sub(s, i, s.len < i + 3 ? s.len : i + 3);
            refuse(a, url, tpl_format(a, "invalid URL escape %s", quoted(a, bad)).ptr);
        }
        if (part == PART_HOST && hex_digit(s.ptr[i + 1]) < 8 &&
            !tpl_has_prefix(tpl_sub(s, i, s.len), "%25")) /* of an IPv6 zone */
            refuse(a, url,
                   tpl_format(a, "invalid URL escape %s", quoted(a, tpl_sub(s, i, i + 3))).ptr);
        tpl_putc(&t, (char)(hex_digit(s.ptr[i + 1]) * 16 + hex_digit(s.ptr[i + 2])));
        i += 2;
    }
    return tpl_text_str(&t);
}

/* Cut off what follows the first `mark`; "" when there is none. */
static coras_str cut(coras_str *s, char mark, bool *ret_found)
{
    const char *at = s->len ? memchr(s->ptr, mark, s->len) : NULL;
    coras_str rest = CORAS_STR("");

    *ret_found = at != NULL;
    if (at) {
        size_t i = (size_t)(at - s->ptr);
        rest = tpl_sub(*s, i + 1, s->len);
        *s = tpl_sub(*s, 0, i);
    }
    return rest;
}

static coras_str take_scheme(struct tpl_arena *a, coras_str url, coras_str *rest)
{
    struct tpl_text t = TPL_TEXT(a);

    for (size_t i = 0; i < rest->len; i++) {
        char c = rest->ptr[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && i == 0 && c == ':')
            refuse(a, url, "missing protocol scheme");
        if (c == ':') {
            *rest = tpl_sub(*rest, i + 1, rest->len);
            return tpl_text_str(&t);
        }
        if (!letter && (i == 0 || !(coras_is_digit(c) || strchr("+-.", c))))
            break;
        tpl_putc(&t, coras_is_upper(c) ? (char)(c + 0x20) : c);
    }
    return CORAS_STR("");
}

static void check_port(struct tpl_arena *a, coras_str url, coras_str port)
{
    bool good = port.len == 0 || port.ptr[0] == ':';

    for (size_t i = 1; i < port.len; i++)
        good &= coras_is_digit(port.ptr[i]);
    if (!good)
        refuse(a, url, tpl_format(a, "invalid port %s after host", quoted(a, port)).ptr);
}

static size_t last_index(coras_str s, char c)
{
    for (size_t i = s.len; i-- > 0;)
        if (s.ptr[i] == c)
            return i;
    return TPL_NOT_FOUND;
}

/* "[::1]" and what follows it. */
static void check_literal(struct tpl_arena *a, coras_str url, coras_str host)
{
    size_t close = last_index(host, ']');
    struct in6_addr address;
    coras_str inner;
    size_t zone;

    if (close == TPL_NOT_FOUND)
        refuse(a, url, "missing ']' in host");
    check_port(a, url, tpl_sub(host, close + 1, host.len));
    inner = tpl_sub(host, 1, close);
    zone = tpl_find(inner, CORAS_STR("%25"));
    if (zone != TPL_NOT_FOUND)
        inner = tpl_sub(inner, 0, zone);
    if (inet_pton(AF_INET6, tpl_dup(a, inner.ptr, inner.len).ptr, &address) == 1)
        return;
    if (inet_pton(AF_INET, tpl_dup(a, inner.ptr, inner.len).ptr, &address) == 1)
        refuse(a, url, "invalid IP-literal");
    refuse(a, url,
           tpl_format(a, "invalid host: ParseAddr(%s): unable to parse IP", quoted(a, inner)).ptr);
}

/* Databases list several hosts with ports; web addresses have one colon at most. */
static void check_host(struct tpl_arena *a, coras_str url, coras_str scheme, coras_str host)
{
    size_t bracket = last_index(host, '['), colon = tpl_find(host, CORAS_STR(":"));

    if (bracket == 0) {
        check_literal(a, url, host);
        return;
    }
    if (bracket != TPL_NOT_FOUND)
        refuse(a, url, "invalid IP-literal");
    if (colon != TPL_NOT_FOUND && !coras_str_eq(scheme, "http") && !coras_str_eq(scheme, "https"))
        colon = last_index(host, ':');
    if (colon != TPL_NOT_FOUND)
        check_port(a, url, tpl_sub(host, colon, host.len));
}

static coras_str read_user(struct tpl_arena *a, coras_str url, coras_str user)
{
    struct tpl_text t = TPL_TEXT(a);
    coras_str password;
    bool has_password;

    for (size_t i = 0; i < user.len; i++)
        if (!coras_is_alnum(user.ptr[i]) && !strchr("-._:~!$&'()*+,;=%@", user.ptr[i]))
            refuse(a, url, "net/url: invalid userinfo");
    password = cut(&user, ':', &has_password);
    tpl_put_str(&t, escape(a, unescape(a, url, user, PART_USER), PART_USER));
    if (has_password) {
        tpl_putc(&t, ':');
        tpl_put_str(&t, escape(a, unescape(a, url, password, PART_USER), PART_USER));
    }
    return tpl_text_str(&t);
}

static void parse_authority(struct tpl_arena *a, coras_str url, coras_str authority, struct url *u)
{
    size_t at = last_index(authority, '@');
    coras_str host = at == TPL_NOT_FOUND ? authority : tpl_sub(authority, at + 1, authority.len);

    u->has_authority = true;
    check_host(a, url, u->scheme, host);
    u->host = unescape(a, url, host, PART_HOST);
    if (at != TPL_NOT_FOUND) {
        u->has_user = true;
        u->user = read_user(a, url, tpl_sub(authority, 0, at));
    }
}

/* Without a fragment. */
static struct url parse_main(struct tpl_arena *a, coras_str url)
{
    struct url u = {0};
    coras_str rest = url;
    bool found, slash;

    for (size_t i = 0; i < url.len; i++)
        if ((unsigned char)url.ptr[i] < ' ' || url.ptr[i] == 0x7f)
            refuse(a, url, "net/url: invalid control character in URL");
    u.scheme = take_scheme(a, url, &rest);
    u.query = cut(&rest, '?', &found);
    slash = rest.len && rest.ptr[0] == '/';
    if (!slash && u.scheme.len) {
        u.opaque = rest;
        return u;
    }
    if (!slash) {
        coras_str segment = rest;
        cut(&segment, '/', &found);
        if (segment.len && memchr(segment.ptr, ':', segment.len))
            refuse(a, url, "first path segment in URL cannot contain colon");
    }
    if (tpl_has_prefix(rest, "//") && (u.scheme.len || !tpl_has_prefix(rest, "///"))) {
        coras_str authority = tpl_sub(rest, 2, rest.len), path;
        path = cut(&authority, '/', &found);
        rest = found ? tpl_sub(rest, 2 + authority.len, rest.len) : path;
        parse_authority(a, url, authority, &u);
    }
    u.path = unescape(a, url, rest, PART_PATH);
    return u;
}

static struct url parse_url(struct tpl_arena *a, coras_str url)
{
    coras_str whole = url, fragment;
    bool found;
    struct url u;

    fragment = cut(&url, '#', &found);
    u = parse_main(a, url);
    u.fragment = unescape(a, whole, fragment, PART_FRAGMENT);
    return u;
}

struct url_job {
    coras_str text;
    struct url url;
};

static void run_url_job(struct tpl_arena *a, void *user)
{
    struct url_job *job = user;

    job->url = parse_url(a, job->text);
}

static struct url parse_for(struct tpl_arena *a, coras_str text, const char *purpose)
{
    struct url_job job = {.text = text};

    if (tpl_guard(a, run_url_job, &job))
        return job.url;
    if (a->code != CORAS_ERR_INVALID_ARGUMENT)
        tpl_raise_again(a);
    tpl_fail(a, "unable to parse %s: %s", purpose, a->message);
}

/* The host without port and brackets. */
static coras_str hostname(coras_str host)
{
    for (size_t i = host.len; i-- > 0 && (coras_is_digit(host.ptr[i]) || host.ptr[i] == ':');)
        if (host.ptr[i] == ':') {
            host = tpl_sub(host, 0, i);
            break;
        }
    if (host.len > 1 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = tpl_sub(host, 1, host.len - 1);
    return host;
}

FN(fn_url_parse)
{
    struct url u = parse_for(a, v[0].s, "url");
    const struct {
        const char *key;
        coras_str value;
    } parts[] = {
        {"fragment", u.fragment}, {"host", u.host},     {"hostname", hostname(u.host)},
        {"opaque", u.opaque},     {"path", u.path},     {"query", u.query},
        {"scheme", u.scheme},     {"userinfo", u.user},
    };
    struct tpl_map *m = tpl_map_new(a, TPL_OF_ANY);

    (void)argc;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        tpl_map_set(a, m, coras_str_of(parts[i].key),
                    tpl_string(tpl_dup(a, parts[i].value.len ? parts[i].value.ptr : "",
                                       parts[i].value.len)));
    return tpl_of_map(m);
}

static coras_str part_of(struct tpl_arena *a, const struct tpl_map *m, const char *key)
{
    tpl_value v;

    if (!tpl_map_get(m, coras_str_of(key), &v))
        return CORAS_STR("");
    if (v.kind == TPL_NIL)
        tpl_fail_nil(a);
    if (v.kind != TPL_STRING)
        tpl_fail(a, "unable to parse %s key, must be of type string, but %s found", key,
                 tpl_kind_name(v));
    return v.s;
}

static void put_path(struct tpl_arena *a, struct tpl_text *t, const struct url *u)
{
    coras_str path = escape(a, u->path, PART_PATH), segment;
    bool found;

    if (coras_str_eq(u->path, "*"))
        path = u->path;
    segment = path;
    if (path.len && path.ptr[0] != '/' && u->host.len)
        tpl_putc(t, '/');
    if (t->len == 0) { /* RFC 3986 4.2: a colon in the first segment would make a scheme of it */
        cut(&segment, '/', &found);
        if (segment.len && memchr(segment.ptr, ':', segment.len))
            tpl_puts(t, "./");
    }
    tpl_put_str(t, path);
}

FN(fn_url_join)
{
    const struct tpl_map *m = v[0].map;
    struct tpl_text t = TPL_TEXT(a);
    struct url u = {
        .scheme = part_of(a, m, "scheme"),
        .host = part_of(a, m, "host"),
        .path = part_of(a, m, "path"),
        .query = part_of(a, m, "query"),
        .opaque = part_of(a, m, "opaque"),
        .fragment = part_of(a, m, "fragment"),
        .user = part_of(a, m, "userinfo"),
    };
    bool has_user = false;

    (void)argc;
    if (u.user.len) {
        struct url read =
            parse_for(a, tpl_format(a, "proto://%s@host", u.user.ptr), "userinfo in dict");
        has_user = read.has_user;
        u.user = read.user;
    }
    if (u.scheme.len)
        tpl_printf(&t, "%s:", u.scheme.ptr);
    if (u.opaque.len) {
        tpl_put_str(&t, u.opaque);
    } else {
        if (u.host.len || has_user || (u.scheme.len && u.path.len))
            tpl_puts(&t, "//");
        if (has_user) {
            tpl_put_str(&t, u.user);
            tpl_putc(&t, '@');
        }
        tpl_put_str(&t, escape(a, u.host, PART_HOST));
        put_path(a, &t, &u);
    }
    if (u.query.len)
        tpl_printf(&t, "?%s", u.query.ptr);
    if (u.fragment.len)
        tpl_printf(&t, "#%s", escape(a, u.fragment, PART_FRAGMENT).ptr);
    return tpl_string(tpl_text_str(&t));
}

const struct tpl_function tpl_url_functions[] = {
    {"urlJoin", "m", fn_url_join},
    {"urlParse", "s", fn_url_parse},
    {NULL, NULL, NULL},
};
