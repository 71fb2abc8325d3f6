/* sprig: urlParse and urlJoin, by the rules of Go's net/url. */
#include "cli/template/funcs.h"

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

static _Noreturn void refuse(struct tpl_arena *a, coras_str url, const char *why)
{
    tpl_fail(a, "unable to parse url: parse %s: %s", quoted(a, url), why);
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
        if (part == PART_HOST && hex_digit(s.ptr[i + 1]) < 8)
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

static void check_port(struct tpl_arena *a, coras_str url, coras_str host)
{
    size_t colon = host.len;

    for (size_t i = host.len; i-- > 0 && host.ptr[i] != ']';)
        if (host.ptr[i] == ':')
            colon = i;
    if (colon == host.len)
        return;
    for (size_t i = host.len; i-- > colon;)
        if (host.ptr[i] == ':') {
            colon = i;
            break;
        }
    for (size_t i = colon + 1; i < host.len; i++)
        if (!coras_is_digit(host.ptr[i]))
            refuse(a, url,
                   tpl_format(a, "invalid port %s after host",
                              quoted(a, tpl_sub(host, colon, host.len)))
                       .ptr);
}

static void parse_authority(struct tpl_arena *a, coras_str url, coras_str authority, struct url *u)
{
    size_t at = TPL_NOT_FOUND;
    coras_str user;
    bool has_password;

    for (size_t i = authority.len; i-- > 0 && at == TPL_NOT_FOUND;)
        if (authority.ptr[i] == '@')
            at = i;
    u->has_authority = true;
    if (at != TPL_NOT_FOUND) {
        struct tpl_text t = TPL_TEXT(a);
        coras_str password;
        user = tpl_sub(authority, 0, at);
        authority = tpl_sub(authority, at + 1, authority.len);
        for (size_t i = 0; i < user.len; i++)
            if (!coras_is_alnum(user.ptr[i]) && !strchr("-._:~!$&'()*+,;=%@", user.ptr[i]))
                refuse(a, url, "net/url: invalid userinfo");
        password = cut(&user, ':', &has_password);
        tpl_put_str(&t, escape(a, unescape(a, url, user, PART_USER), PART_USER));
        if (has_password) {
            tpl_putc(&t, ':');
            tpl_put_str(&t, escape(a, unescape(a, url, password, PART_USER), PART_USER));
        }
        u->has_user = true;
        u->user = tpl_text_str(&t);
    }
    if (authority.len && authority.ptr[0] == '[' && !memchr(authority.ptr, ']', authority.len))
        refuse(a, url, "missing ']' in host");
    check_port(a, url, authority);
    u->host = unescape(a, url, authority, PART_HOST);
}

static struct url parse_url(struct tpl_arena *a, coras_str url)
{
    struct url u = {0};
    coras_str rest = url;
    bool found, slash;

    for (size_t i = 0; i < url.len; i++)
        if ((unsigned char)url.ptr[i] < ' ' || url.ptr[i] == 0x7f)
            refuse(a, url, "net/url: invalid control character in URL");
    u.fragment = unescape(a, url, cut(&rest, '#', &found), PART_FRAGMENT);
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
    struct url u = parse_url(a, v[0].s);
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
    coras_str path = escape(a, u->path, PART_PATH), segment = path;
    bool found;

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

    (void)argc;
    if (u.scheme.len)
        tpl_printf(&t, "%s:", u.scheme.ptr);
    if (u.opaque.len) {
        tpl_put_str(&t, u.opaque);
    } else {
        if (u.host.len || u.user.len || (u.scheme.len && u.path.len))
            tpl_puts(&t, "//");
        if (u.user.len) {
            coras_str whole = tpl_format(a, "proto://%s@host", u.user.ptr);
            tpl_put_str(&t, parse_url(a, whole).user);
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
