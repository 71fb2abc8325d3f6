/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login and logout: credentials of registries.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/app/commands.h"
#include "cli/app/environment.h"
#include "cli/options/optgroups.h"
#include "cli/app/terminal.h"
#include "coras/reference.h"

CORAS_DEFINE_AUTO(coras_client, coras_client_free)

/* There must be a file to write, in upstream's words. */
static int check_store(const struct opt_list *registry_config, coras_error **err)
{
    if (registry_config->len || environment()->auth_file || environment()->docker_config)
        return 0;
    return coras_fail(err, CORAS_ERR_CONFIG,
                      "failed to get user home directory: $HOME is not defined");
}

/* ---- login ---- */

struct login_state {
    struct common_options common;
    struct remote_options remote;
    /* while it runs */
    char *username;
    char *secret;
};

static const struct opt_use login_groups[] = {
    {debug_options, offsetof(struct login_state, common), NULL, NULL},
    {verbose_off_options, offsetof(struct login_state, common), NULL, NULL},
    {remote_options, offsetof(struct login_state, remote), NULL, NULL},
    {remote_stdin_options, offsetof(struct login_state, remote), NULL, NULL},
    {0},
};

static int login_prepare(struct call *call, coras_error **err)
{
    struct login_state *s = call->state;
    return remote_check(&s->remote, NULL, err);
}

/* Ask for what the flags did not give. Without a user name the secret is an identity token. */
static int complete_credential(struct login_state *s, coras_credential *ret, coras_error **err)
{
    ret->username = s->remote.username.value;
    ret->secret = remote_secret(&s->remote);
    if (ret->secret)
        return 0;
    if (!*ret->username) {
        CORAS_TRY(terminal_ask("Username: ", &s->username, err));
        coras_str trimmed = coras_str_trim(coras_str_of(s->username));
        memmove(s->username, trimmed.ptr, trimmed.len);
        s->username[trimmed.len] = '\0';
        ret->username = s->username;
    }
    bool token = !*ret->username;
    CORAS_TRY(terminal_ask_secret(token ? "Token: " : "Password: ", &s->secret, err));
    ret->secret = s->secret;
    if (*s->secret)
        return 0;
    int rc =
        coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "%s required", token ? "token" : "password");
    if (s->remote.stdin_secret)
        coras_hint(err, "stdin was empty: what should be read there?");
    return rc;
}

static int login_run(struct call *call, coras_error **err)
{
    struct login_state *s = call->state;
    const char *registry = call->args[0];
    coras_credential credential = {0};
    coras_auto(coras_client) client = NULL;
    common_apply(&s->common);
    CORAS_TRY(complete_credential(s, &credential, err));
    CORAS_TRY(coras_registry_validate(registry, err));
    CORAS_TRY(check_store(&s->remote.registry_config, err));
    call->scope = SCOPE_RESPONSES;
    call->registry = coras_strdup(registry);
    CORAS_TRY(remote_client(call, &s->remote, NULL, NULL, &client, err));
    CORAS_TRY(coras_login(client, registry, &credential, err));
    puts("Login Succeeded");
    return 0;
}

static void login_clear(void *state)
{
    struct login_state *s = state;
    remote_clear(&s->remote);
    free(s->username);
    coras_free_secret(s->secret);
}

static const struct example login_examples[] = {
    {"Log in with a user name and password from the command line",
     "login -u username -p password localhost:5000"},
    {"Log in with a password from stdin", "login -u username --password-stdin localhost:5000"},
    {"Log in with an identity token from the command line",
     "login --identity-token token localhost:5000"},
    {"Log in with an identity token from stdin", "login --identity-token-stdin localhost:5000"},
    {"Log in at a terminal, which asks for user name and password", "login localhost:5000"},
    {"Log in at a terminal without verifying the registry's certificate",
     "login --insecure localhost:5000"},
    {NULL, NULL},
};

const struct cmd cmd_login = {
    .name = "login",
    .use = "[flags] <registry>",
    .summary = "Log in to a remote registry",
    .examples = login_examples,
    .options = login_groups,
    .state_size = sizeof(struct login_state),
    .min_args = 1,
    .max_args = 1,
    .role = "the registry to log in to",
    .prepare = login_prepare,
    .run = login_run,
    .clear = login_clear,
};

/* ---- logout ---- */

struct logout_state {
    struct opt_bool debug;
    struct opt_list registry_config;
    struct opt_string error_format;
};

static const struct opt logout_options[] = {
    {"debug", 'd', OPT_BOOL, 0, OPT_AT(struct logout_state, debug), NULL, "debug mode", NULL},
    {"registry-config", 0, OPT_LIST, 0, OPT_AT(struct logout_state, registry_config), NULL,
     "auth config path", NULL},
    OPT_END,
};
static const struct opt_use logout_groups[] = {
    {logout_options, 0, NULL, NULL},
    {error_format_options, offsetof(struct logout_state, error_format), NULL, NULL},
    {0},
};

static int logout_run(struct call *call, coras_error **err)
{
    const struct logout_state *s = call->state;
    CORAS_TRY(check_store(&s->registry_config, err));
    return coras_logout(call->args[0], (const char *const *)s->registry_config.items, environment(),
                        err);
}

static const struct example logout_examples[] = {
    {"Forget the credential of a registry", "logout localhost:5000"},
    {"Forget it in another credential file",
     "logout --registry-config ~/.config/oras/auth.json localhost:5000"},
    {NULL, NULL},
};

const struct cmd cmd_logout = {
    .name = "logout",
    .use = "[flags] <registry>",
    .summary = "Log out from a remote registry",
    .examples = logout_examples,
    .options = logout_groups,
    .state_size = sizeof(struct logout_state),
    .min_args = 1,
    .max_args = 1,
    .role = "the registry you want to log out",
    .run = logout_run,
};
