/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials as values: copied, wiped, written as Basic.
 */
#include "auth/credential.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "codec/base64.h"

void coras_cred_clear(coras_cred *c)
{
    coras_free_secret(c->username);
    coras_free_secret(c->password);
    coras_free_secret(c->refresh_token);
    coras_free_secret(c->access_token);
    free(c->found_in);
    *c = (coras_cred){0};
}

static bool has(const char *s)
{
    return s && *s;
}

bool coras_cred_is_empty(const coras_cred *c)
{
    return !has(c->username) && !has(c->password) && !has(c->refresh_token) &&
           !has(c->access_token);
}

static bool copy_text(const char *from, char **to)
{
    *to = from ? coras_strdup(from) : NULL;
    return !from || *to;
}

int coras_cred_copy(const coras_cred *from, coras_cred *to, coras_error **err)
{
    coras_auto_value(coras_cred) copy = {0};

    if (!copy_text(from->username, &copy.username) || !copy_text(from->password, &copy.password) ||
        !copy_text(from->refresh_token, &copy.refresh_token) ||
        !copy_text(from->access_token, &copy.access_token) ||
        !copy_text(from->found_in, &copy.found_in))
        return coras_fail_no_memory(err);
    copy.spare = from->spare;
    *to = copy;
    copy = (coras_cred){0};
    return 0;
}

char *coras_cred_basic(const coras_cred *c)
{
    coras_auto_buf pair = CORAS_BUF_UNLIMITED;
    coras_auto_buf header = CORAS_BUF_UNLIMITED;
    char *ret = NULL;

    if (!has(c->username) || !has(c->password))
        return NULL;
    coras_buf_printf(&pair, "%s:%s", c->username, c->password);
    coras_buf_puts(&header, "Basic ");
    coras_base64_put(&header, pair.ptr, pair.len);
    coras_wipe(pair.ptr, pair.len);
    if (pair.failed || coras_buf_take(&header, &ret, NULL) < 0)
        return NULL;
    return ret;
}

const char *coras_cred_key(const char *registry)
{
    if (coras_streq(registry, "docker.io") || coras_streq(registry, "registry-1.docker.io"))
        return "https://index.docker.io/v1/";
    return registry;
}
