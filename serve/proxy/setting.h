/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `--proxy URL` and `--proxy NAME=URL` say: where content comes from that is not here. Pure:
 * text in, value out.
 */
#ifndef SERVE_PROXY_SETTING_H
#define SERVE_PROXY_SETTING_H

#include "base/str.h"

/* Docker Hub by the names that it goes by: this one is used for all. */
#define SERVE_HUB_NAME "docker.io"
/* The host that answers for it. */
#define SERVE_HUB_HOST "registry-1.docker.io"

typedef struct serve_proxy_setting {
    char *name; /* registry name in its usual form; "" for everything that is not here */
    char *host; /* host[:port] of the URL */
    char *path; /* put in front of repositories there, "" for none */
    bool https;
} serve_proxy_setting;

/*
 * INVALID_ARGUMENT says what is wrong with it, without repeating a URL that may hold a password.
 */
CORAS_MUST_CHECK int serve_proxy_setting_parse(const char *text, serve_proxy_setting *ret,
                                               coras_error **err);
CORAS_MUST_CHECK int serve_proxy_setting_copy(const serve_proxy_setting *from,
                                              serve_proxy_setting *ret, coras_error **err);
void serve_proxy_setting_clear(serve_proxy_setting *setting);
CORAS_DEFINE_AUTO_VALUE(serve_proxy_setting, serve_proxy_setting_clear)

/*
 * The form in which names of registries are compared: lower case, without a default port, one name
 * for Docker Hub. A new string, NULL when out of memory. Nothing is judged: what is no name equals
 * none.
 */
char *serve_proxy_name(const char *text);
/* Whether it is a host as in references, and not a word that was made up for this cache. */
bool serve_proxy_name_is_host(const char *name);

#endif
