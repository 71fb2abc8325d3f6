/* SPDX-License-Identifier: Apache-2.0 */
/* Who we are at the store: the environment, then the file of credentials, as AWS's tools do. */
#include "serve/storage/s3/identity.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/environment.h"
#include "base/fs.h"
#include "base/limits.h"

#define DEFAULT_PROFILE "default"

/* "[name]" */
static bool is_section(coras_str line, coras_str *ret_name)
{
    if (line.len < 2 || line.ptr[0] != '[' || line.ptr[line.len - 1] != ']')
        return false;
    *ret_name = coras_str_trim((coras_str){line.ptr + 1, line.len - 2});
    return true;
}

static char **member_named(struct serve_s3_credentials *c, coras_str name)
{
    if (coras_str_eq(name, "aws_access_key_id"))
        return &c->id;
    if (coras_str_eq(name, "aws_secret_access_key"))
        return &c->secret;
    return coras_str_eq(name, "aws_session_token") ? &c->token : NULL;
}

static int take_line(struct serve_s3_credentials *c, coras_str line, coras_error **err)
{
    const char *equals = line.len ? memchr(line.ptr, '=', line.len) : NULL;
    coras_str name, value;
    char **member;

    if (!equals)
        return 0;
    name = coras_str_trim((coras_str){line.ptr, (size_t)(equals - line.ptr)});
    value = coras_str_trim((coras_str){equals + 1, line.len - (size_t)(equals + 1 - line.ptr)});
    member = member_named(c, name);
    if (!member)
        return 0;
    coras_free_secret(*member);
    *member = coras_strndup(value.ptr, value.len);
    return *member ? 0 : coras_fail_no_memory(err);
}

int serve_s3_credentials_parse(coras_str text, const char *profile,
                               struct serve_s3_credentials *ret, coras_error **err)
{
    struct serve_s3_credentials c = {0};
    coras_str line, name;
    bool ours = false;
    int rc = 0;

    while (rc == 0 && coras_str_next_line(&text, &line)) {
        line = coras_str_trim(line);
        if (is_section(line, &name))
            ours = coras_str_eq(name, profile);
        else if (ours && line.len > 0 && line.ptr[0] != '#' && line.ptr[0] != ';')
            rc = take_line(&c, line, err);
    }
    if (rc == 0 && (!c.id || !c.secret))
        rc = coras_fail(err, CORAS_ERR_NOT_FOUND, "no aws_access_key_id and aws_secret_access_key");
    if (rc == 0)
        *ret = c;
    else
        serve_s3_credentials_clear(&c);
    return rc;
}

static int read_file(const char *path, const char *profile, struct serve_s3_credentials *ret,
                     coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_S3_CREDENTIALS);
    int rc = coras_read_file(AT_FDCWD, path, CORAS_LIMIT_S3_CREDENTIALS, &text, err);

    if (rc == 0)
        rc = serve_s3_credentials_parse((coras_str){text.ptr, text.len}, profile, ret, err);
    coras_wipe(text.ptr, text.len);
    return rc;
}

int serve_s3_credentials_copy(const struct serve_s3_credentials *from,
                              struct serve_s3_credentials *ret, coras_error **err)
{
    struct serve_s3_credentials c = {.id = coras_strdup(from->id),
                                     .secret = coras_strdup(from->secret),
                                     .token = from->token ? coras_strdup(from->token) : NULL};

    if (c.id && c.secret && (c.token || !from->token)) {
        *ret = c;
        return 0;
    }
    serve_s3_credentials_clear(&c);
    return coras_fail_no_memory(err);
}

static int copy_environment(const struct coras_store_environment *e,
                            struct serve_s3_credentials *ret, coras_error **err)
{
    const struct serve_s3_credentials borrowed = {
        (char *)(uintptr_t)e->key_id, (char *)(uintptr_t)e->secret, (char *)(uintptr_t)e->token};

    return serve_s3_credentials_copy(&borrowed, ret, err);
}

static int find(const struct coras_store_environment *e, struct serve_s3_credentials *ret,
                coras_error **err)
{
    const char *profile = e->profile ? e->profile : DEFAULT_PROFILE;
    coras_auto(coras_error) why = NULL;

    if (e->key_id && e->secret)
        return copy_environment(e, ret, err);
    if (e->credentials_file && read_file(e->credentials_file, profile, ret, &why) == 0)
        return 0;
    coras_fail(err, CORAS_ERR_CONFIG, "no credentials for the store of --blobs: %s",
               why ? coras_error_message(why) : "there is no file of them");
    coras_hint(err,
               "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write both below [%s] in "
               "~/.aws/credentials",
               profile);
    return CORAS_ERR_CONFIG;
}

int serve_s3_credentials_find(struct serve_s3_credentials *ret, coras_error **err)
{
    struct coras_store_environment environment = {0};
    int rc = coras_environment_store(&environment) ? find(&environment, ret, err)
                                                   : coras_fail_no_memory(err);

    free(environment.credentials_file);
    return rc;
}
