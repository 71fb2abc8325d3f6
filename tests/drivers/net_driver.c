/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lets a script drive the net layer: one client, one request per thread, the outcome as JSON lines.
 *
 *   net_driver [option...] METHOD URL
 *     --registry HOST  --scope S  --plain-http N  --insecure  --ca-file F  --cert F --key F
 *     --resolve R  --header H  --user U  --password P  --identity-token T  --registry-config F
 *     --body TEXT  --body-size N  --sink  --threads N  --repeat N  --timeout S  --cancel-after-ms N
 *     --answer-timeout S  --allow-private-token-service
 *     --allow STATUS  --no-retry  --no-foreign-redirect  --expect  --request-header "N: V"
 *     --login USER SECRET  --logout  --debug  --show-body
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/environment.h"
#include "base/error.h"
#include "codec/json.h"
#include "base/trace.h"
#include "client/client.h"

enum { MANY = 32 };

struct options {
    coras_client_options client;
    const char *resolve[MANY], *headers[MANY], *configs[MANY], *scopes[MANY];
    size_t resolve_len, headers_len, configs_len, scopes_len;
    coras_header request_headers[MANY];
    size_t request_headers_len;
    int allowed[MANY];
    size_t allowed_len;
    const char *registry, *body, *method, *url, *login_user, *login_secret;
    int64_t body_size;
    bool sink, no_retry, no_foreign_redirect, expect, show_body, logout, debug, small;
    int threads, repeat, cancel_after_ms;
};

struct run {
    const struct options *o;
    coras_client *client;
    int64_t received, sent;
    unsigned sum;
    pthread_t thread;
};

static pthread_mutex_t print_lock = PTHREAD_MUTEX_INITIALIZER;

static int take(void *user, const void *data, size_t len, coras_error **err)
{
    struct run *run = user;
    const unsigned char *p = data;

    (void)err;
    run->received += (int64_t)len;
    for (size_t i = 0; i < len; i++)
        run->sum = run->sum * 31 + p[i];
    return 0;
}

static int give(void *user, void *buf, size_t cap, int64_t offset, size_t *ret, coras_error **err)
{
    (void)user;
    (void)offset;
    (void)err;
    memset(buf, 'x', cap);
    *ret = cap;
    return 0;
}

static void note_sent(void *user, int64_t bytes)
{
    ((struct run *)user)->sent = bytes;
}

static void print_line(const coras_buf *line)
{
    pthread_mutex_lock(&print_lock);
    printf("%s\n", line->ptr);
    fflush(stdout);
    pthread_mutex_unlock(&print_lock);
}

static void print_error(coras_json_writer *w, const coras_error *err)
{
    coras_jw_member(w, "code", coras_error_name(coras_error_code(err)));
    coras_jw_member(w, "message", coras_error_message(err));
    const char *advice = coras_error_hint(err);
    coras_auto_free char *hint =
        advice ? coras_asprintf("%s: %s", coras_hint_name(coras_error_hint_kind(err)), advice)
               : NULL;
    coras_jw_member_opt(w, "hint", hint);
    coras_jw_member_opt(w, "response", coras_error_response(err));
    coras_jw_member_opt(w, "host", coras_error_http_host(err));
    coras_jw_member_opt(w, "registry_code", coras_error_registry_code(err));
    coras_jw_member_int(w, "http_status", coras_error_http_status(err));
    coras_jw_key(w, "retryable");
    coras_jw_bool(w, coras_error_is_retryable(err));
}

static void print_response(coras_json_writer *w, const struct run *run, const coras_response *r)
{
    coras_jw_member_int(w, "status", coras_response_status(r));
    coras_jw_member(w, "url", coras_response_url(r));
    coras_jw_key(w, "foreign");
    coras_jw_bool(w, coras_response_is_foreign(r));
    coras_jw_member_int(w, "length", coras_response_length(r));
    if (run->o->show_body)
        coras_jw_member(w, "body", coras_response_body(r).ptr);
}

static void send_once(struct run *run)
{
    const struct options *o = run->o;
    coras_auto(coras_error) err = NULL;
    coras_auto(coras_response) r = NULL;
    coras_auto_buf line = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&line, 0);
    coras_sink sink = {take, run};
    coras_memory memory = {o->body, o->body ? strlen(o->body) : 0};
    coras_source source = o->body ? coras_source_memory(&memory)
                                  : (coras_source){.size = o->body_size, .read_at = give};
    coras_request req = {
        .method = o->method,
        .url = o->url,
        .registry = o->registry,
        .scopes = o->scopes_len ? o->scopes : NULL,
        .headers = o->request_headers,
        .header_count = o->request_headers_len,
        .small = !o->sink && !o->body_size,
        .source = o->body || o->body_size ? &source : NULL,
        .body_length = o->body ? (int64_t)memory.len : o->body_size,
        .sent = note_sent,
        .sent_user = run,
        .sink = o->sink ? &sink : NULL,
        .no_retry = o->no_retry,
        .no_foreign_redirect = o->no_foreign_redirect,
        .expect_continue = o->expect,
    };
    int64_t start = coras_now_ms();
    int rc = coras_client_send(run->client, &req, o->allowed_len ? o->allowed : NULL, &r, &err);

    coras_jw_object(&w);
    coras_jw_member_int(&w, "rc", rc);
    coras_jw_member_int(&w, "ms", coras_now_ms() - start);
    coras_jw_member_int(&w, "received", run->received);
    coras_jw_member_int(&w, "sent", run->sent);
    if (rc < 0)
        print_error(&w, err);
    else
        print_response(&w, run, r);
    coras_jw_end_object(&w);
    print_line(&line);
}

static void *run_thread(void *user)
{
    struct run *run = user;

    for (int i = 0; i < run->o->repeat; i++) {
        run->received = run->sent = 0;
        send_once(run);
    }
    return NULL;
}

static void *cancel_later(void *user)
{
    struct options *o = user;

    usleep((useconds_t)o->cancel_after_ms * 1000);
    coras_cancel_request(o->client.cancel);
    return NULL;
}

static void show_entry(enum coras_trace_level level, const char *message, const char *data,
                       void *user)
{
    static const char *const names[] = {"DEBUG", "WARNING", "ERROR"};

    (void)user;
    fprintf(stderr, "[%s]: %s\n%s%s\n", names[level], message, data ? "[Data]: " : "",
            data ? data : "");
}

static void take_request_header(struct options *o, char *text)
{
    char *colon = strchr(text, ':');

    *colon = '\0';
    o->request_headers[o->request_headers_len++] =
        (coras_header){text, colon + 1 + (colon[1] == ' ')};
}

/* One option with its value at argv[1]; returns how many words it took. */
static int take_list_option(struct options *o, const char *name, char *value)
{
    if (coras_streq(name, "--resolve"))
        o->resolve[o->resolve_len++] = value;
    else if (coras_streq(name, "--header"))
        o->headers[o->headers_len++] = value;
    else if (coras_streq(name, "--registry-config"))
        o->configs[o->configs_len++] = value;
    else if (coras_streq(name, "--scope"))
        o->scopes[o->scopes_len++] = value;
    else if (coras_streq(name, "--allow"))
        o->allowed[o->allowed_len++] = (int)strtol(value, NULL, 10);
    else if (coras_streq(name, "--request-header"))
        take_request_header(o, value);
    else
        return 0;
    return 2;
}

static int take_value_option(struct options *o, const char *name, char *value)
{
    struct {
        const char *name;
        const char **text;
        int *number;
    } rows[] = {
        {"--registry", &o->registry, NULL},
        {"--ca-file", &o->client.ca_file, NULL},
        {"--cert", &o->client.cert_file, NULL},
        {"--key", &o->client.key_file, NULL},
        {"--user", &o->client.username, NULL},
        {"--password", &o->client.password, NULL},
        {"--identity-token", &o->client.identity_token, NULL},
        {"--body", &o->body, NULL},
        {"--plain-http", NULL, &o->client.plain_http},
        {"--threads", NULL, &o->threads},
        {"--repeat", NULL, &o->repeat},
        {"--timeout", NULL, &o->client.stall_timeout_s},
        {"--answer-timeout", NULL, &o->client.answer_timeout_s},
        {"--cancel-after-ms", NULL, &o->cancel_after_ms},
    };

    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        if (!coras_streq(rows[i].name, name))
            continue;
        if (rows[i].text)
            *rows[i].text = value;
        else
            *rows[i].number = (int)strtol(value, NULL, 10);
        return 2;
    }
    if (coras_streq(name, "--body-size")) {
        o->body_size = strtoll(value, NULL, 10);
        return 2;
    }
    return take_list_option(o, name, value);
}

static int take_flag(struct options *o, char **argv)
{
    struct {
        const char *name;
        bool *flag;
    } rows[] = {
        {"--insecure", &o->client.insecure},
        {"--allow-private-token-service", &o->client.allow_private_token_service},
        {"--sink", &o->sink},
        {"--no-retry", &o->no_retry},
        {"--no-foreign-redirect", &o->no_foreign_redirect},
        {"--expect", &o->expect},
        {"--show-body", &o->show_body},
        {"--logout", &o->logout},
        {"--debug", &o->debug},
    };

    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        if (coras_streq(rows[i].name, argv[0])) {
            *rows[i].flag = true;
            return 1;
        }
    }
    if (coras_streq(argv[0], "--login")) {
        o->login_user = argv[1];
        o->login_secret = argv[2];
        return 3;
    }
    return 0;
}

static int take_options(struct options *o, int argc, char **argv)
{
    int i = 1;

    while (i < argc && coras_str_starts(argv[i], "--")) {
        int words = take_flag(o, argv + i);
        if (!words && i + 1 < argc)
            words = take_value_option(o, argv[i], argv[i + 1]);
        if (!words) {
            fprintf(stderr, "net_driver: bad option %s\n", argv[i]);
            return -1;
        }
        i += words;
    }
    o->method = i < argc ? argv[i] : NULL;
    o->url = i + 1 < argc ? argv[i + 1] : NULL;
    return 0;
}

static void report(const coras_error *err)
{
    int rc = coras_error_code(err);
    coras_auto_buf line = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&line, 0);

    coras_jw_object(&w);
    coras_jw_member_int(&w, "rc", rc);
    if (rc < 0)
        print_error(&w, err);
    coras_jw_end_object(&w);
    print_line(&line);
}

static void run_all(struct options *o, coras_client *client)
{
    coras_auto_free struct run *runs = coras_calloc((size_t)o->threads, sizeof(*runs));
    pthread_t canceller;

    if (o->cancel_after_ms)
        pthread_create(&canceller, NULL, cancel_later, o);
    for (int i = 0; i < o->threads; i++) {
        runs[i] = (struct run){.o = o, .client = client};
        pthread_create(&runs[i].thread, NULL, run_thread, &runs[i]);
    }
    for (int i = 0; i < o->threads; i++)
        pthread_join(runs[i].thread, NULL);
    if (o->cancel_after_ms)
        pthread_join(canceller, NULL);
}

static int use(struct options *o, coras_client *client, coras_error **err)
{
    coras_credential typed = {o->login_user, o->login_secret};

    if (o->login_secret)
        return coras_login(client, o->registry, &typed, err);
    run_all(o, client);
    return 0;
}

static int act(struct options *o, coras_error **err)
{
    coras_auto(coras_client) client = NULL;

    if (o->logout)
        return coras_logout(o->registry, o->client.registry_configs, o->client.environment, err);
    CORAS_TRY(coras_client_new(&o->client, &client, err));
    return use(o, client, err);
}

int main(int argc, char **argv)
{
    struct options o = {.client = CORAS_CLIENT_OPTIONS_INIT, .threads = 1, .repeat = 1};
    coras_auto(coras_environment) environment = NULL;
    coras_auto(coras_error) err = NULL;

    if (take_options(&o, argc, argv) < 0)
        return 2;
    coras_trace_set(show_entry, NULL, o.debug);
    o.client.resolve = o.resolve;
    o.client.headers = o.headers;
    o.client.registry_configs = o.configs_len ? o.configs : NULL;
    o.client.cancel = coras_cancel_new();
    if (coras_environment_load(&environment, NULL) < 0)
        return 2;
    o.client.environment = environment;
    if (act(&o, &err) < 0 || o.logout || o.login_secret)
        report(err);
    coras_cancel_free(o.client.cancel);
    return 0;
}
