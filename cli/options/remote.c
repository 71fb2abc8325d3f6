/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options that reach registries, and the client made of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"
#include "cli/options/optgroups.h"
#include "cli/app/environment.h"
#include "cli/app/terminal.h"
#include "gospell/quote.h"

#define REMOTE_AT(member) OPT_AT(struct remote_options, member)
#define RESOLVE_FORM      "`host:port:address[:address_port]`"

const struct opt remote_options[] = {
    {"username", 'u', OPT_STRING, 0, REMOTE_AT(username), NULL, "<desc>registry username", NULL},
    {"password", 'p', OPT_STRING, 0, REMOTE_AT(password), NULL,
     "<desc>registry password or identity token", NULL},
    {"identity-token", 0, OPT_STRING, 0, REMOTE_AT(identity_token), NULL,
     "<desc>registry identity token", NULL},
    {"insecure", 0, OPT_BOOL, 0, REMOTE_AT(insecure), NULL,
     "allow connections to <desc>SSL registry without certs", NULL},
    {"plain-http", 0, OPT_BOOL, 0, REMOTE_AT(plain_http), NULL,
     "allow insecure connections to <desc>registry without SSL check", NULL},
    {"ca-file", 0, OPT_STRING, 0, REMOTE_AT(ca_file), NULL,
     "server certificate authority file for the remote <desc>registry", NULL},
    {"cert-file", 0, OPT_STRING, 0, REMOTE_AT(cert_file), NULL,
     "client certificate file for the remote <desc>registry", NULL},
    {"key-file", 0, OPT_STRING, 0, REMOTE_AT(key_file), NULL,
     "client private key file for the remote <desc>registry", NULL},
    {"resolve", 0, OPT_LIST, 0, REMOTE_AT(resolve), NULL,
     "customized DNS for <desc>registry, formatted in " RESOLVE_FORM, NULL},
    {"registry-config", 0, OPT_LIST, 0, REMOTE_AT(registry_config), NULL,
     "`path` of the authentication file for <desc>registry", NULL},
    {"header", 'H', OPT_LIST, 0, REMOTE_AT(headers), NULL, "add custom headers to <desc>requests",
     NULL},
    {"allow-private-token-service", 0, OPT_BOOL, OPT_HIDDEN, REMOTE_AT(allow_private_token_service),
     NULL, "allow a token service of <desc>registry that lies in a private network", NULL},
    OPT_END,
};
const struct opt remote_stdin_options[] = {
    {"password-stdin", 0, OPT_BOOL, 0, REMOTE_AT(password_stdin), NULL, "read password from stdin",
     NULL},
    {"identity-token-stdin", 0, OPT_BOOL, 0, REMOTE_AT(identity_token_stdin), NULL,
     "read identity token from stdin", NULL},
    OPT_END,
};

/* ---- checks ---- */

struct named_flag {
    const char *name;
    bool set;
};

/* An error that names all flags that are set, when there are at least two and the first is one of
 * them or `any` allows every pair. */
static int check_exclusive(const struct named_flag *flags, size_t count, const char *prefix,
                           coras_error **err)
{
    coras_auto_buf names = CORAS_BUF_UNLIMITED;
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (!flags[i].set)
            continue;
        coras_buf_printf(&names, "%s--%s%s", used ? ", " : "", prefix, flags[i].name);
        used++;
    }
    CORAS_TRY(coras_buf_done(&names, err));
    if (used < 2)
        return 0;
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "%s cannot be used at the same time",
                      names.ptr);
}

static int check_secrets(const struct remote_options *r, const char *prefix, coras_error **err)
{
    const struct named_flag users[] = {
        {"username", r->username.set},
        {"identity-token", r->identity_token.set},
        {"identity-token-stdin", r->identity_token_stdin.set},
    };
    const struct named_flag secrets[] = {
        {"password", r->password.set},
        {"identity-token", r->identity_token.set},
        {"identity-token-stdin", r->identity_token_stdin.set},
        {"password-stdin", r->password_stdin.set},
    };
    const struct named_flag tokens[] = {
        {"identity-token", r->identity_token.set},
        {"identity-token-stdin", r->identity_token_stdin.set},
    };
    if (r->username.set)
        CORAS_TRY(check_exclusive(users, CORAS_ARRAY_LEN(users), prefix, err));
    CORAS_TRY(check_exclusive(tokens, CORAS_ARRAY_LEN(tokens), prefix, err));
    return check_exclusive(secrets, CORAS_ARRAY_LEN(secrets), prefix, err);
}

static int check_headers(const struct remote_options *r, coras_error **err)
{
    for (size_t i = 0; i < r->headers.len; i++) {
        const char *colon = strchr(r->headers.items[i], ':');
        if (colon &&
            coras_str_trim((coras_str){r->headers.items[i], (size_t)(colon - r->headers.items[i])})
                .len)
            continue;
        coras_auto_free char *quoted = coras_go_quote_dup(r->headers.items[i]);
        if (!quoted)
            return coras_fail_no_memory(err);
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "invalid header: %s", quoted);
    }
    return 0;
}

static int check_certificate(const struct remote_options *r, const char *prefix, coras_error **err)
{
    bool cert = r->cert_file.set, key = r->key_file.set;
    if (cert == key)
        return 0;
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                      "--%s%s must be used in conjunction with --%s%s", prefix,
                      cert ? "cert-file" : "key-file", prefix, cert ? "key-file" : "cert-file");
}

static void warn_insecure(const char *flag)
{
    fprintf(stderr, "WARNING! Using --%s via the CLI is insecure. Use --%s-stdin.\n", flag, flag);
}

static int take_secret(struct remote_options *r, const char *prefix, coras_error **err)
{
    if (r->identity_token.set || r->password.set) {
        if (!*prefix)
            warn_insecure(r->identity_token.set ? "identity-token" : "password");
        return 0;
    }
    if (!r->password_stdin.value && !r->identity_token_stdin.value)
        return 0;
    return terminal_read_secret_all(&r->stdin_secret, err);
}

int remote_check(struct remote_options *r, const char *prefix, coras_error **err)
{
    if (!prefix)
        prefix = "";
    CORAS_TRY(check_secrets(r, prefix, err));
    CORAS_TRY(check_headers(r, err));
    CORAS_TRY(check_certificate(r, prefix, err));
    return take_secret(r, prefix, err);
}

void remote_clear(struct remote_options *r)
{
    coras_free_secret(r->stdin_secret);
    r->stdin_secret = NULL;
}

const char *remote_secret(const struct remote_options *r)
{
    if (r->stdin_secret && *r->stdin_secret)
        return r->stdin_secret;
    if (*r->identity_token.value)
        return r->identity_token.value;
    return *r->password.value ? r->password.value : NULL;
}

/* ---- client ---- */

static int join_lists(const struct opt_list *a, const struct opt_list *b, const char ***ret,
                      coras_error **err)
{
    size_t len = (a ? a->len : 0) + b->len;
    const char **all = coras_calloc(len + 1, sizeof(*all));
    if (!all)
        return coras_fail_no_memory(err);
    size_t at = 0;
    for (size_t i = 0; a && i < a->len; i++)
        all[at++] = a->items[i];
    for (size_t i = 0; i < b->len; i++)
        all[at++] = b->items[i];
    *ret = all;
    return 0;
}

static enum coras_referrers_mode referrers_mode(const char *distribution_spec)
{
    if (distribution_spec && coras_streq(distribution_spec, "v1.1-referrers-api"))
        return CORAS_REFERRERS_API;
    if (distribution_spec && coras_streq(distribution_spec, "v1.1-referrers-tag"))
        return CORAS_REFERRERS_TAG;
    return CORAS_REFERRERS_AUTO;
}

static const char *given(const char *value)
{
    return *value ? value : NULL;
}

static const char *const *list_items(const struct opt_list *list)
{
    return list->len ? (const char *const *)list->items : NULL;
}

static int plain_http_mode(const struct opt_bool *flag)
{
    if (!flag->set)
        return 0;
    return flag->value ? 1 : -1;
}

/* The file to blame when a credential is missing; NULL when there is not just one. */
static char *auth_file(const struct remote_options *r)
{
    if (remote_secret(r) || r->registry_config.len > 1)
        return NULL;
    if (r->registry_config.len)
        return coras_strdup(r->registry_config.items[0]);
    const char *path = environment()->docker_config;
    return path ? coras_strdup(path) : NULL;
}

int remote_client(struct call *call, const struct remote_options *r, const char *distribution_spec,
                  const struct opt_list *base_resolve, coras_client **ret, coras_error **err)
{
    coras_auto_free const char **resolve = NULL;
    CORAS_TRY(join_lists(base_resolve, &r->resolve, &resolve, err));
    coras_client_options options = CORAS_CLIENT_OPTIONS_INIT;
    const char *secret = remote_secret(r);
    options.user_agent = "coras/" CORAS_VERSION;
    options.plain_http = plain_http_mode(&r->plain_http);
    options.insecure = r->insecure.value;
    options.allow_private_token_service = r->allow_private_token_service.value;
    options.ca_file = given(r->ca_file.value);
    if (*r->cert_file.value && *r->key_file.value) {
        options.cert_file = r->cert_file.value;
        options.key_file = r->key_file.value;
    }
    options.resolve = resolve[0] ? resolve : NULL;
    options.headers = list_items(&r->headers);
    options.username = given(r->username.value);
    if (options.username)
        options.password = secret;
    else
        options.identity_token = secret;
    options.registry_configs = list_items(&r->registry_config);
    options.environment = environment();
    options.referrers = referrers_mode(distribution_spec);
    options.cancel = call->cancel;
    free(call->auth_file);
    call->auth_file = auth_file(r);
    return coras_client_new(&options, ret, err);
}
