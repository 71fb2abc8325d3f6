/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the values of `--proxy`. */
#include "serve/proxy/setting.h"

#include "base/alloc.h"
#include "base/error.h"
#include "coras/reference.h"
#include "http/url.h"

void serve_proxy_setting_clear(serve_proxy_setting *setting)
{
    free(setting->name);
    free(setting->host);
    free(setting->path);
    *setting = (serve_proxy_setting){0};
}

int serve_proxy_setting_copy(const serve_proxy_setting *from, serve_proxy_setting *ret,
                             coras_error **err)
{
    coras_auto_value(serve_proxy_setting) copy = {
        coras_strdup(from->name), coras_strdup(from->host), coras_strdup(from->path), from->https};

    if (!copy.name || !copy.host || !copy.path)
        return coras_fail_no_memory(err);
    *ret = copy;
    copy = (serve_proxy_setting){0};
    return 0;
}

static void lower(char *text)
{
    for (; *text; text++)
        if (coras_is_upper(*text))
            *text = (char)(*text - 'A' + 'a');
}

char *serve_proxy_name(const char *text)
{
    static const char *const hub[] = {"index.docker.io", SERVE_HUB_HOST};
    size_t len = strlen(text);
    char *name;

    if (coras_str_ends(text, ":443"))
        len -= strlen(":443");
    name = coras_strndup(text, len);
    if (!name)
        return NULL;
    lower(name);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(hub); i++) {
        if (coras_streq(name, hub[i])) {
            free(name);
            return coras_strdup(SERVE_HUB_NAME);
        }
    }
    return name;
}

bool serve_proxy_name_is_host(const char *name)
{
    return strpbrk(name, ".:") || coras_streq(name, "localhost");
}

static bool is_name(const char *name)
{
    if (!coras_is_lower(*name) && !coras_is_digit(*name))
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.:-") == strlen(name);
}

static int refuse(const char *why, coras_error **err)
{
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "--proxy: %s", why);
}

static int take_name(coras_str text, serve_proxy_setting *s, coras_error **err)
{
    coras_auto_free char *given = coras_strndup(text.ptr, text.len);

    s->name = given ? serve_proxy_name(given) : NULL;
    if (!s->name)
        return coras_fail_no_memory(err);
    if (!is_name(s->name))
        return refuse("the name in NAME=URL must be a host or a word of a-z, 0-9, '.', ':' and '-'",
                      err);
    return 0;
}

/* Said before anything else looks at the URL, since the others may show it. */
static int refuse_user_info(const char *url, coras_error **err)
{
    const char *authority = strstr(url, "://");
    size_t len;

    authority = authority ? authority + 3 : url;
    len = strcspn(authority, "/?#");
    if (!memchr(authority, '@', len))
        return 0;
    refuse("the URL holds a user name or a password", err);
    coras_hint(err, "log in to the registry, or name a file of credentials with "
                    "--registry-config");
    return CORAS_ERR_INVALID_ARGUMENT;
}

static int take_path(coras_str path, serve_proxy_setting *s, coras_error **err)
{
    while (path.len > 0 && path.ptr[path.len - 1] == '/')
        path.len--;
    if (path.len > 0) {
        path.ptr++;
        path.len--;
    }
    s->path = coras_strndup(path.len ? path.ptr : "", path.len);
    if (!s->path)
        return coras_fail_no_memory(err);
    if (*s->path && coras_repository_validate(s->path, NULL) < 0)
        return refuse("the path of the URL is no part of a repository's name", err);
    return 0;
}

static int take_url(const char *text, serve_proxy_setting *s, coras_error **err)
{
    coras_url url;

    CORAS_TRY(refuse_user_info(text, err));
    if (coras_url_parse(text, &url, NULL) < 0 || url.host.len == 0)
        return refuse("not a URL that begins with https:// or http:// and a host", err);
    if (url.query.ptr || strchr(text, '#'))
        return refuse("the URL must have no query", err);
    s->https = url.https;
    s->host = coras_strndup(url.authority.ptr, url.authority.len);
    if (!s->host)
        return coras_fail_no_memory(err);
    lower(s->host);
    if (coras_registry_validate(s->host, NULL) < 0)
        return refuse("the URL names no host of a registry", err);
    if (coras_streq(s->host, SERVE_HUB_NAME) || coras_streq(s->host, "index.docker.io")) {
        free(s->host);
        s->host = coras_strdup(SERVE_HUB_HOST);
    }
    return s->host ? take_path(url.path, s, err) : coras_fail_no_memory(err);
}

int serve_proxy_setting_parse(const char *text, serve_proxy_setting *ret, coras_error **err)
{
    coras_auto_value(serve_proxy_setting) s = {0};
    const char *equals = strchr(text, '=');
    const char *scheme = strstr(text, "://");
    bool is_named = equals && (!scheme || equals < scheme);

    if (is_named) {
        CORAS_TRY(take_name((coras_str){text, (size_t)(equals - text)}, &s, err));
    } else {
        s.name = coras_strdup("");
        if (!s.name)
            return coras_fail_no_memory(err);
    }
    CORAS_TRY(take_url(is_named ? equals + 1 : text, &s, err));
    *ret = s;
    s = (serve_proxy_setting){0};
    return 0;
}
