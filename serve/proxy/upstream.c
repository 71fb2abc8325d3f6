/* SPDX-License-Identifier: Apache-2.0 */
/* Opening upstreams, targets in them, and the memory of how each does. */
#include "serve/proxy/upstream.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "base/vec.h"
#include "client/client.h"
#include "registry/manner.h"
#include "serve/http/exchange.h"
#include "serve/http/log.h"
#include "serve/proxy/flights.h"
#include "serve/proxy/freshness.h"

/* How long one that does not answer is not asked again. */
#define DOWN_MS 4000
/* What is obeyed of a wish to be left alone; without a number, this is one. */
#define BUSY_MOST_MS    60000
#define BUSY_DEFAULT_MS 2000
#define REREAD_MS       30000
/* Clients give up after ten seconds without a byte, some of them. */
#define QUICK_S 5

/* ---- opening ---- */

static void upstream_free(serve_upstream *u)
{
    if (!u)
        return;
    coras_client_free(u->client);
    serve_proxy_setting_clear(&u->setting);
    free(u->ns);
    pthread_mutex_destroy(&u->lock);
    free(u);
}

void serve_upstreams_close(serve_upstreams *u)
{
    if (!u)
        return;
    for (size_t i = 0; i < u->len; i++)
        upstream_free(u->items[i]);
    free(u->items);
    serve_flights_free(u->flights);
    serve_freshness_free(u->freshness);
    free(u->via);
    coras_environment_free(u->environment);
    coras_cancel_free(u->cancel);
    free(u);
}

void serve_upstreams_cancel(serve_upstreams *u)
{
    coras_cancel_request(u->cancel);
}

serve_upstream *serve_upstreams_find(const serve_upstreams *u, const char *name)
{
    for (size_t i = 0; i < u->len; i++) {
        if (coras_streq(u->items[i]->setting.name, name))
            return u->items[i];
    }
    return NULL;
}

static int open_client(const serve_upstreams *all, const struct serve_options *o, serve_upstream *u,
                       coras_error **err)
{
    const char *configs[] = {o->registry_config, NULL};
    coras_client_options options = CORAS_CLIENT_OPTIONS_INIT;

    options.environment = all->environment;
    options.cancel = all->cancel;
    options.referrers = CORAS_REFERRERS_API; /* whoever asks us falls back itself */
    options.plain_http = u->setting.https ? -1 : 1;
    if (o->registry_config)
        options.registry_configs = configs;
    return coras_client_new(&options, &u->client, err);
}

/* As other clients tell their mirrors whose mirror they ask. The registry itself is told nothing.
 */
static int name_registry(serve_upstream *u, coras_error **err)
{
    coras_auto_free char *host = serve_proxy_name(u->setting.host);

    if (!host)
        return coras_fail_no_memory(err);
    if (!serve_proxy_name_is_host(u->setting.name) || coras_streq(host, u->setting.name) ||
        coras_streq(host, SERVE_HUB_NAME))
        return 0;
    u->ns = coras_asprintf("ns=%s", u->setting.name);
    return u->ns ? 0 : coras_fail_no_memory(err);
}

static int add(serve_upstreams *all, const struct serve_options *o, const char *text,
               coras_error **err)
{
    serve_upstream *u;

    if (coras_vec_grow(all, 1) < 0)
        return coras_fail_no_memory(err);
    u = coras_new(serve_upstream);
    if (!u)
        return coras_fail_no_memory(err);
    pthread_mutex_init(&u->lock, NULL);
    all->items[all->len++] = u; /* freed with the others from here on */
    CORAS_TRY(serve_proxy_setting_parse(text, &u->setting, err));
    u->label = *u->setting.name ? u->setting.name : "default";
    if (serve_upstreams_find(all, u->setting.name) != u)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "--proxy: %s is given twice",
                          *u->setting.name ? u->setting.name : "a URL without a name");
    u->quick_s = all->environment->stall_timeout_s;
    if (u->quick_s <= 0 || u->quick_s > QUICK_S)
        u->quick_s = QUICK_S;
    CORAS_TRY(name_registry(u, err));
    return open_client(all, o, u, err);
}

int serve_upstreams_open(const struct serve_options *options, serve_upstreams **ret,
                         coras_error **err)
{
    coras_auto(serve_upstreams) all = coras_new(serve_upstreams);
    uint64_t id;

    if (!all)
        return coras_fail_no_memory(err);
    coras_random(&id, sizeof(id));
    all->via = coras_asprintf("1.1 coras-%016llx", (unsigned long long)id);
    all->cancel = coras_cancel_new();
    all->flights = serve_flights_new();
    all->freshness = serve_freshness_new(options->proxy_ttl * 1000);
    if (!all->cancel || !all->via || !all->flights || !all->freshness)
        return coras_fail_no_memory(err);
    if (options->proxies.len > 0)
        CORAS_TRY(coras_environment_load(&all->environment, err));
    for (size_t i = 0; i < options->proxies.len; i++)
        CORAS_TRY(add(all, options, options->proxies.items[i], err));
    *ret = coras_steal(&all);
    return 0;
}

/* ---- counting ---- */

/* Docker Hub tells how many pulls are left of those that it grants: "97;w=21600". */
static void note_rate_limit(const serve_upstream *u, const coras_response *answer)
{
    const char *left = coras_response_header(answer, "ratelimit-remaining");
    int64_t number = 0;

    if (left && coras_parse_int64((coras_str){left, strcspn(left, ";")}, &number) && number >= 0)
        serve_metrics_set(u->metrics, SERVE_METRIC_CACHE_RATELIMIT_REMAINING,
                          SERVE_LABELS(.upstream = u->metrics_label), number);
}

static void count_exchange(void *user, const char *method, const coras_response *answer, int64_t ms)
{
    const serve_upstream *u = user;
    const struct serve_labels labels = {.upstream = u->metrics_label,
                                        .method = serve_method_of(method),
                                        .code = answer ? coras_response_status(answer) : 0};

    serve_metrics_add(u->metrics, SERVE_METRIC_CACHE_ORIGIN_REQUESTS, &labels, 1);
    serve_metrics_took(u->metrics, SERVE_METRIC_CACHE_ORIGIN_SECONDS, &labels, ms);
    if (answer)
        note_rate_limit(u, answer);
}

void serve_upstreams_count(const serve_upstreams *u, serve_metrics *metrics)
{
    for (size_t i = 0; i < u->len; i++) {
        serve_upstream *one = u->items[i];
        const coras_observer observer = {count_exchange, one};
        one->metrics = metrics;
        one->metrics_label = serve_metrics_upstream(metrics, one->label);
        coras_client_set_observer(one->client, &observer);
        serve_metrics_set(metrics, SERVE_METRIC_CACHE_RATELIMIT_REMAINING,
                          SERVE_LABELS(.upstream = one->metrics_label), -1);
    }
}

/* ---- targets ---- */

static const char *ns_to_send(serve_upstream *u)
{
    bool refused;

    pthread_mutex_lock(&u->lock);
    refused = u->refuses_ns;
    pthread_mutex_unlock(&u->lock);
    return refused ? NULL : u->ns;
}

int serve_upstream_target(serve_upstream *u, const char *repository, const char *via,
                          coras_target **ret, coras_error **err)
{
    coras_auto(coras_target) t = NULL;
    coras_registry_manner manner = {.via = via, .query = ns_to_send(u), .once = true};

    CORAS_TRY(coras_repository_open(u->client, u->setting.host, repository, &t, err));
    CORAS_TRY(coras_registry_behave(t, &manner, err));
    *ret = coras_steal(&t);
    return 0;
}

static bool is_refusal(const coras_error *failure)
{
    int status = coras_error_http_status(failure);

    return status == 401 || status == 403;
}

bool serve_upstream_rereads(serve_upstream *u, const coras_error *failure)
{
    coras_auto(coras_error) err = NULL;
    int64_t now = coras_now_ms();
    bool due;
    int rc;

    if (!is_refusal(failure))
        return false;
    pthread_mutex_lock(&u->lock);
    due = u->reread_ms == 0 || now - u->reread_ms >= REREAD_MS;
    if (due)
        u->reread_ms = now;
    pthread_mutex_unlock(&u->lock);
    if (!due)
        return false;
    rc = coras_client_reread_credentials(u->client, &err);
    if (rc < 0)
        serve_log_note("proxy %s: %s", u->label, coras_error_message(err));
    return rc > 0;
}

bool serve_upstream_doubts_ns(serve_upstream *u, const coras_error *failure)
{
    bool doubts = false;

    if (!u->ns || coras_error_http_status(failure) != 400)
        return false;
    pthread_mutex_lock(&u->lock);
    doubts = !u->refuses_ns;
    u->refuses_ns = true;
    pthread_mutex_unlock(&u->lock);
    return doubts;
}

/* ---- how it does ---- */

enum serve_upstream_state serve_upstream_state(serve_upstream *u, int64_t *ret_wait_ms)
{
    enum serve_upstream_state state = SERVE_UPSTREAM_ASK;
    int64_t now = coras_now_ms();

    *ret_wait_ms = 0;
    pthread_mutex_lock(&u->lock);
    if (now < u->busy_until_ms) {
        *ret_wait_ms = u->busy_until_ms - now;
        state = SERVE_UPSTREAM_BUSY;
    } else if (now < u->down_until_ms) {
        *ret_wait_ms = u->down_until_ms - now;
        state = SERVE_UPSTREAM_DOWN;
    } else if (u->is_down) {
        u->down_until_ms = now + DOWN_MS; /* this caller is the one that finds out */
    }
    pthread_mutex_unlock(&u->lock);
    return state;
}

bool serve_upstream_is_down(serve_upstream *u)
{
    bool down;

    pthread_mutex_lock(&u->lock);
    down = u->is_down;
    pthread_mutex_unlock(&u->lock);
    return down;
}

static bool is_no_answer(int rc, int status)
{
    if (status > 0)
        return status >= 500;
    switch (rc) {
    case CORAS_ERR_TIMEOUT:
    case CORAS_ERR_CONNECT:
    case CORAS_ERR_TLS:
        return true;
    default:
        return false;
    }
}

static int64_t busy_ms(const coras_error *failure)
{
    int64_t asked_s = coras_error_retry_after_s(failure);

    if (asked_s <= 0)
        return BUSY_DEFAULT_MS;
    return asked_s > BUSY_MOST_MS / 1000 ? BUSY_MOST_MS : asked_s * 1000;
}

void serve_upstream_note(serve_upstream *u, int rc, const coras_error *failure)
{
    int status = failure ? coras_error_http_status(failure) : 0;
    bool is_down = rc < 0 && is_no_answer(rc, status);
    bool changed;

    if (rc == CORAS_ERR_CANCELLED)
        return;
    pthread_mutex_lock(&u->lock);
    changed = is_down != u->is_down;
    u->is_down = is_down;
    u->down_until_ms = is_down ? coras_now_ms() + DOWN_MS : 0;
    if (status == 429 || (status == 503 && coras_error_retry_after_s(failure) > 0))
        u->busy_until_ms = coras_now_ms() + busy_ms(failure);
    pthread_mutex_unlock(&u->lock);
    if (changed)
        serve_log_note("proxy %s: %s %s", u->label, u->setting.host,
                       is_down ? "is down" : "answers again");
}
