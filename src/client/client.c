/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a client of its options, and what others ask it for.
 */
#include "client/client_impl.h"

#include <arpa/inet.h>
#include "auth/upgrade.h"
#include "base/error.h"
#include "base/options.h"
#include "gospell/quote.h"
#include "http/pem.h"

enum {
    DEFAULT_STALL_S = 60,
    ANSWER_TIMES = 10, /* as long as progress an answer may take, when nobody says otherwise */
};

/* ---- making a client ---- */

static bool is_header_name(coras_str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!coras_is_alnum(name.ptr[i]) && !memchr("!#$%&'*+-.^_`|~", name.ptr[i], 15))
            return false;
    return name.len > 0;
}

static int add_custom_header(coras_client *client, const char *text, coras_error **err)
{
    const char *colon = strchr(text, ':');
    coras_str name = {text, colon ? (size_t)(colon - text) : 0};

    if (!colon || !is_header_name(name) || strpbrk(text, "\r\n")) {
        coras_auto_free char *shown = coras_go_quote_dup(text);
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "invalid header: %s",
                          shown ? shown : "");
    }
    return coras_header_list_add(&client->sender.custom, name,
                                 coras_str_trim(coras_str_of(colon + 1)), true, err);
}

static int bad_resolve(const char *text, const char *why, coras_error **err)
{
    coras_auto_free char *shown = coras_go_quote_dup(text);

    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "failed to parse resolve flag %s: %s",
                      shown ? shown : "", why);
}

/* The text up to the next colon outside brackets; *rest moves behind it, NULL at the end. */
static coras_str next_part(const char **rest)
{
    const char *start = *rest;
    size_t len = *start == '[' ? strcspn(start, "]") : 0;

    len += strcspn(start + len, ":");
    *rest = start[len] ? start + len + 1 : NULL;
    return (coras_str){start, len};
}

static bool is_ip(coras_str s)
{
    unsigned char bytes[16];
    coras_auto_free char *text = coras_strndup(s.ptr, s.len);

    if (text && s.len > 2 && text[0] == '[' && text[s.len - 1] == ']') {
        text[s.len - 1] = '\0';
        return inet_pton(AF_INET6, text + 1, bytes) == 1;
    }
    return text && inet_pton(AF_INET, text, bytes) == 1;
}

/* "host:port:address[:address_port]" -> libcurl's "host:port:address:port" */
static int add_resolve(coras_client *client, const char *text, coras_error **err)
{
    const char *rest = text;
    coras_auto_buf rule = CORAS_BUF_UNLIMITED;
    int64_t port, address_port;

    coras_str host = next_part(&rest);
    coras_str port_text = rest ? next_part(&rest) : (coras_str){NULL, 0};
    if (!rest)
        return bad_resolve(text, "expecting host:port:address[:address_port]", err);
    if (!coras_parse_int64(port_text, &port) || port > 65535)
        return bad_resolve(text, "expecting uint64 host port", err);
    coras_str address = next_part(&rest);
    if (!is_ip(address))
        return bad_resolve(text, "invalid IP address", err);
    address_port = port;
    if (rest && (!coras_parse_int64(coras_str_of(rest), &address_port) || address_port > 65535))
        return bad_resolve(text, "expecting uint64 address port", err);
    coras_buf_printf(&rule, "%.*s:%lld:%.*s:%lld", (int)host.len, host.ptr, (long long)port,
                     (int)address.len, address.ptr, (long long)address_port);
    CORAS_TRY(coras_buf_done(&rule, err));
    return coras_strlist_add(&client->connect_to, rule.ptr, err);
}

/* libcurl takes the first rule that fits; here a later one overrides. */
static int add_resolves(coras_client *client, const char *const *rules, coras_error **err)
{
    size_t n = 0;

    while (rules && rules[n])
        n++;
    for (size_t i = 0; i < n; i++) { /* errors in the order of the command line */
        CORAS_TRY(add_resolve(client, rules[i], err));
    }
    for (size_t i = 0; i < n / 2; i++) {
        char *first = client->connect_to.items[i];
        client->connect_to.items[i] = client->connect_to.items[n - 1 - i];
        client->connect_to.items[n - 1 - i] = first;
    }
    return 0;
}

/* Files that are to be used later must be there and make sense now. */
static int check_tls_files(const coras_client_options *opts, coras_error **err)
{
    if (opts->ca_file)
        CORAS_TRY(coras_pem_check_authorities(opts->ca_file, err));
    return opts->cert_file && opts->key_file
               ? coras_pem_check_pair(opts->cert_file, opts->key_file, err)
               : 0;
}

static int stall_timeout_s(const coras_client_options *opts)
{
    if (opts->stall_timeout_s > 0)
        return opts->stall_timeout_s;
    return opts->environment->stall_timeout_s > 0 ? opts->environment->stall_timeout_s
                                                  : DEFAULT_STALL_S;
}

static int answer_timeout_s(const coras_client_options *opts, int stall_s)
{
    if (opts->answer_timeout_s > 0)
        return opts->answer_timeout_s;
    return stall_s <= INT32_MAX / 1000 / ANSWER_TIMES ? stall_s * ANSWER_TIMES : stall_s;
}

static int make_http(coras_client *client, const coras_client_options *opts, coras_error **err)
{
    int stall_s = stall_timeout_s(opts);
    struct coras_http_config config = {
        .insecure = opts->insecure,
        .ca_file = opts->ca_file,
        .cert_file = opts->cert_file,
        .key_file = opts->key_file,
        .environment = opts->environment,
        .connect_to = &client->connect_to,
        .stall_timeout_s = stall_s,
        .answer_timeout_s = answer_timeout_s(opts, stall_s),
        .cancel = opts->cancel,
    };

    client->stall_timeout_s = config.stall_timeout_s;
    CORAS_TRY(check_tls_files(opts, err));
    CORAS_TRY(add_resolves(client, opts->resolve, err));
    return coras_http_new(&config, &client->sender.http, err);
}

static void release_auth(void *auth)
{
    coras_auth_free(auth);
}

static int fill(coras_client *client, const coras_client_options *opts, coras_error **err)
{
    client->plain_http = opts->plain_http;
    client->referrers = opts->referrers;
    client->sender.cancel = opts->cancel;
    client->sender.allow_private_tokens = opts->allow_private_token_service;
    client->sender.user_agent =
        coras_strdup(opts->user_agent ? opts->user_agent : "coras/" CORAS_VERSION);
    client->registries = coras_map_new(release_auth);
    client->hosts = coras_host_table_new();
    client->warned = coras_map_new(NULL);
    if (!client->sender.user_agent || !client->registries || !client->hosts || !client->warned)
        return coras_fail_no_memory(err);
    for (size_t i = 0; opts->headers && opts->headers[i]; i++)
        CORAS_TRY(add_custom_header(client, opts->headers[i], err));
    CORAS_TRY(make_http(client, opts, err));
    return coras_credentials_new(opts, &client->credentials, err);
}

int coras_client_new(const coras_client_options *opts, coras_client **ret, coras_error **err)
{
    coras_client_options known = CORAS_CLIENT_OPTIONS_INIT;

    if (!ret)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "no place for the client");
    CORAS_TRY(coras_options_read(&known, sizeof(known), opts, err));
    coras_auto(coras_client) client = coras_new(coras_client);
    if (!client)
        return coras_fail_no_memory(err);
    pthread_mutex_init(&client->lock, NULL);
    CORAS_TRY(coras_environment_dup(known.environment, &client->environment, err));
    known.environment = client->environment;
    CORAS_TRY(fill(client, &known, err));
    *ret = coras_steal(&client);
    return 0;
}

void coras_client_free(coras_client *client)
{
    if (!client)
        return;
    coras_map_free(client->registries);
    coras_host_table_free(client->hosts);
    coras_map_free(client->warned);
    coras_credentials_free(client->credentials);
    coras_http_free(client->sender.http);
    coras_header_list_clear(&client->sender.custom);
    coras_strlist_clear(&client->connect_to);
    free(client->sender.user_agent);
    coras_environment_free(client->environment);
    pthread_mutex_destroy(&client->lock);
    free(client);
}

/* ---- asking it ---- */

const char *coras_client_auth_file(const coras_client *client)
{
    return coras_credentials_file(client->credentials);
}

int coras_client_reread_credentials(coras_client *client, coras_error **err)
{
    return coras_credentials_reread(client->credentials, err);
}

void coras_client_set_observer(coras_client *client, const coras_observer *observer)
{
    client->sender.observer = *observer;
}

bool coras_client_same_user(const coras_client *a, const coras_client *b)
{
    return a == b || coras_credentials_same_given(a->credentials, b->credentials);
}

coras_cancel *coras_client_cancel(const coras_client *client)
{
    return client->sender.cancel;
}

const char *coras_client_cache_dir(const coras_client *client)
{
    return client->environment->cache_dir;
}

enum coras_referrers_mode coras_client_referrers_mode(const coras_client *client)
{
    return client->referrers;
}

static bool uses_plain_http(const coras_client *client, const char *registry)
{
    static const char local[] = "localhost";
    size_t n = sizeof(local) - 1;

    if (client->plain_http)
        return client->plain_http > 0;
    return strncmp(registry, local, n) == 0 && (registry[n] == '\0' || registry[n] == ':');
}

int coras_client_base_url(coras_client *client, const char *registry, char **ret, coras_error **err)
{
    const char *host = coras_streq(registry, "docker.io") ? "registry-1.docker.io" : registry;
    char *url =
        coras_asprintf("%s://%s", uses_plain_http(client, registry) ? "http" : "https", host);

    if (!url)
        return coras_fail_no_memory(err);
    *ret = url;
    return 0;
}

static int make_registry(coras_client *client, const char *registry, coras_auth **ret,
                         coras_error **err)
{
    coras_auto_free char *base_url = NULL;
    coras_auto(coras_auth) auth = NULL;

    CORAS_TRY(coras_client_base_url(client, registry, &base_url, err));
    CORAS_TRY(coras_auth_new(&client->sender, client->credentials, registry, base_url, &auth, err));
    CORAS_TRY(coras_map_set(client->registries, registry, auth, err));
    *ret = coras_steal(&auth);
    return 0;
}

int coras_client_registry(coras_client *client, const char *registry, coras_auth **ret,
                          coras_error **err)
{
    int rc = 0;

    pthread_mutex_lock(&client->lock);
    coras_auth *auth = coras_map_get(client->registries, registry);
    if (!auth)
        rc = make_registry(client, registry, &auth, err);
    pthread_mutex_unlock(&client->lock);
    if (rc == 0)
        *ret = auth;
    return rc;
}

bool coras_client_is_here(coras_client *client, const char *registry)
{
    coras_auth *auth;

    return coras_client_registry(client, registry, &auth, NULL) == 0 &&
           coras_origin_met(coras_auth_current_origin(auth)) == CORAS_ZONE_INNER;
}

/* ---- cancelling ---- */

coras_cancel *coras_cancel_new(void)
{
    return coras_new(coras_cancel);
}

void coras_cancel_request(coras_cancel *cancel)
{
    atomic_store_explicit(&cancel->requested, true, memory_order_relaxed);
}

void coras_cancel_free(coras_cancel *cancel)
{
    free(cancel);
}
