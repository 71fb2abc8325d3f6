/* SPDX-License-Identifier: Apache-2.0 */
/* Opening upstreams, taking new ones from a file that has changed, and counting what is asked. */
#include "serve/proxy/upstream.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/vec.h"
#include "client/client.h"
#include "serve/http/exchange.h"
#include "serve/proxy/flights.h"
#include "serve/proxy/freshness.h"

/* Clients give up after ten seconds without a byte, some of them. */
#define QUICK_S 5

typedef struct settings {
    serve_proxy_setting *items;
    size_t len, cap;
} settings;

static void settings_clear(settings *s)
{
    coras_vec_foreach (setting, s)
        serve_proxy_setting_clear(setting);
    free(s->items);
}
CORAS_DEFINE_AUTO_VALUE(settings, settings_clear)

/* ---- finding ---- */

serve_upstream *serve_upstreams_next(const serve_upstreams *all, size_t *at)
{
    size_t len = atomic_load(&all->len);

    while (*at < len) {
        serve_upstream *u = all->items[(*at)++];
        if (!atomic_load(&u->is_gone))
            return u;
    }
    return NULL;
}

serve_upstream *serve_upstreams_find(const serve_upstreams *all, const char *name)
{
    serve_upstream *u;
    size_t at = 0;

    while ((u = serve_upstreams_next(all, &at)) != NULL) {
        if (coras_streq(u->setting.name, name))
            return u;
    }
    return NULL;
}

bool serve_upstreams_any(const serve_upstreams *all)
{
    size_t at = 0;

    return serve_upstreams_next(all, &at) != NULL;
}

/* ---- one more ---- */

static void upstream_free(serve_upstream *u)
{
    if (!u)
        return;
    coras_client_free(u->client);
    serve_proxy_setting_clear(&u->setting);
    free(u->ns);
    pthread_mutex_destroy(&u->lock);
    coras_lanes_clear(&u->lanes);
    free(u);
}
CORAS_DEFINE_AUTO(serve_upstream, upstream_free)

static int open_client(const serve_upstreams *all, serve_upstream *u, coras_error **err)
{
    const char *configs[] = {all->registry_config, NULL};
    coras_client_options options = CORAS_CLIENT_OPTIONS_INIT;

    options.environment = all->environment;
    options.cancel = all->cancel;
    options.referrers = CORAS_REFERRERS_API; /* whoever asks us falls back itself */
    options.plain_http = u->setting.https ? -1 : 1;
    if (all->registry_config)
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

/* Takes the setting over when it succeeds. */
static int upstream_new(const serve_upstreams *all, serve_proxy_setting *setting,
                        serve_upstream **ret, coras_error **err)
{
    coras_auto(serve_upstream) u = coras_new(serve_upstream);

    if (!u)
        return coras_fail_no_memory(err);
    pthread_mutex_init(&u->lock, NULL);
    coras_lanes_init(&u->lanes, CORAS_GROWTH_CONNECTIONS_MAX);
    u->setting = *setting;
    *setting = (serve_proxy_setting){0};
    u->label = *u->setting.name ? u->setting.name : "default";
    u->quick_s = all->environment->stall_timeout_s;
    if (u->quick_s <= 0 || u->quick_s > QUICK_S)
        u->quick_s = QUICK_S;
    CORAS_TRY(name_registry(u, err));
    CORAS_TRY(open_client(all, u, err));
    *ret = coras_steal(&u);
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

static void count(serve_upstream *u, serve_metrics *metrics)
{
    const coras_observer observer = {count_exchange, u};

    if (!metrics)
        return;
    u->metrics = metrics;
    u->metrics_label = serve_metrics_upstream(metrics, u->label);
    coras_client_set_observer(u->client, &observer);
    serve_metrics_set(metrics, SERVE_METRIC_CACHE_RATELIMIT_REMAINING,
                      SERVE_LABELS(.upstream = u->metrics_label), -1);
}

/* ---- what was asked for ---- */

static const char *shown_name(const serve_proxy_setting *setting)
{
    return *setting->name ? setting->name : "a URL without a name";
}

/* `known` are settings of the same kind that were read before. */
static int add_setting(const char *text, settings *known, coras_error **err)
{
    coras_auto_value(serve_proxy_setting) setting = {0};

    CORAS_TRY(serve_proxy_setting_parse(text, &setting, err));
    coras_vec_foreach (other, known) {
        if (coras_streq(other->name, setting.name))
            return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "--proxy: %s is given twice",
                              shown_name(&setting));
    }
    if (known->len == SERVE_UPSTREAMS_MAX)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "--proxy: more than %d registries",
                          SERVE_UPSTREAMS_MAX);
    if (coras_vec_grow(known, 1) < 0)
        return coras_fail_no_memory(err);
    known->items[known->len++] = setting;
    setting = (serve_proxy_setting){0};
    return 0;
}

static int add_line(const char *path, int number, coras_str line, settings *known,
                    coras_error **err)
{
    coras_auto_free char *text = NULL;

    line = coras_str_trim(line);
    if (line.len == 0 || line.ptr[0] == '#')
        return 0;
    text = coras_strndup(line.ptr, line.len);
    if (!text)
        return coras_fail_no_memory(err);
    if (coras_wrap(err, add_setting(text, known, err), "%s:%d", path, number) < 0)
        return coras_error_recode(err, CORAS_ERR_CONFIG);
    return 0;
}

static int add_lines(const char *path, settings *known, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_CONFIG_FILE);
    coras_str rest, line;

    if (coras_read_file(AT_FDCWD, path, CORAS_LIMIT_CONFIG_FILE, &text, err) < 0)
        return coras_error_recode(err, CORAS_ERR_CONFIG);
    rest = (coras_str){text.ptr, text.len};
    for (int number = 1; coras_str_next_line(&rest, &line); number++)
        CORAS_TRY(add_line(path, number, line, known, err));
    return 0;
}

static int read_settings(const serve_upstreams *all, settings *ret, coras_error **err)
{
    for (size_t i = 0; i < all->given->len; i++)
        CORAS_TRY(add_setting(all->given->items[i], ret, err));
    return all->file ? add_lines(all->file, ret, err) : 0;
}

/* ---- having those, and no others ---- */

static bool is_same(const serve_proxy_setting *a, const serve_proxy_setting *b)
{
    return coras_streq(a->name, b->name) && coras_streq(a->host, b->host) &&
           coras_streq(a->path, b->path) && a->https == b->https;
}

static bool is_wanted(const settings *wanted, const serve_upstream *u)
{
    coras_vec_foreach (setting, wanted) {
        if (is_same(setting, &u->setting))
            return true;
    }
    return false;
}

/* One of before, gone or not, that is as wanted. */
static serve_upstream *find_same(const serve_upstreams *all, const serve_proxy_setting *setting)
{
    for (size_t i = 0; i < atomic_load(&all->len); i++) {
        if (is_same(&all->items[i]->setting, setting))
            return all->items[i];
    }
    return NULL;
}

/* Beyond `from` are those that nobody can see yet. */
static void forget_from(serve_upstreams *all, size_t from, size_t to)
{
    while (to > from)
        upstream_free(all->items[--to]);
}

/* Make those that are new, all or none. Their number in *ret_len, seen by nobody. */
static int make_new(serve_upstreams *all, settings *wanted, size_t *ret_len, coras_error **err)
{
    size_t before = atomic_load(&all->len), len = before;
    int rc = 0;

    coras_vec_foreach (setting, wanted) {
        if (find_same(all, setting))
            continue;
        if (len == SERVE_UPSTREAMS_MAX) {
            rc = coras_fail(err, CORAS_ERR_CONFIG,
                            "--proxy-file: more than %d registries since the start",
                            SERVE_UPSTREAMS_MAX);
            coras_hint(err, "start coras serve again");
        } else {
            serve_proxy_setting copy = {0};
            rc = serve_proxy_setting_copy(setting, &copy, err);
            if (rc == 0)
                rc = upstream_new(all, &copy, &all->items[len], err);
            serve_proxy_setting_clear(&copy);
        }
        if (rc < 0) {
            forget_from(all, before, len);
            return rc;
        }
        count(all->items[len++], all->metrics);
    }
    *ret_len = len;
    return 0;
}

int serve_upstreams_reload(serve_upstreams *all, coras_error **err)
{
    coras_auto_value(settings) wanted = {0};
    size_t len = 0;

    CORAS_TRY(read_settings(all, &wanted, err));
    CORAS_TRY(make_new(all, &wanted, &len, err));
    atomic_store(&all->len, len); /* the new ones first, so that a changed one is never missing */
    for (size_t i = 0; i < len; i++)
        atomic_store(&all->items[i]->is_gone, !is_wanted(&wanted, all->items[i]));
    return 0;
}

/* ---- opening ---- */

int serve_upstreams_open(const struct serve_options *options, serve_upstreams **ret,
                         coras_error **err)
{
    coras_auto(serve_upstreams) all = coras_new(serve_upstreams);
    uint64_t id;

    if (!all)
        return coras_fail_no_memory(err);
    coras_random(&id, sizeof(id));
    all->given = &options->proxies;
    all->file = options->proxy_file;
    all->registry_config = options->registry_config;
    all->via = coras_asprintf("1.1 coras-%016llx", (unsigned long long)id);
    all->cancel = coras_cancel_new();
    all->flights = serve_flights_new();
    all->freshness = serve_freshness_new(options->proxy_ttl * 1000);
    if (!all->cancel || !all->via || !all->flights || !all->freshness)
        return coras_fail_no_memory(err);
    if (serve_options_are_proxy(options)) {
        all->items = coras_calloc(SERVE_UPSTREAMS_MAX, sizeof(serve_upstream *));
        if (!all->items)
            return coras_fail_no_memory(err);
        CORAS_TRY(coras_environment_load(&all->environment, err));
        CORAS_TRY(serve_upstreams_reload(all, err));
    }
    *ret = coras_steal(&all);
    return 0;
}

void serve_upstreams_count(serve_upstreams *all, serve_metrics *metrics)
{
    all->metrics = metrics;
    for (size_t i = 0; i < atomic_load(&all->len); i++)
        count(all->items[i], metrics);
}

void serve_upstreams_cancel(serve_upstreams *all)
{
    coras_cancel_request(all->cancel);
}

void serve_upstreams_close(serve_upstreams *all)
{
    if (!all)
        return;
    forget_from(all, 0, atomic_load(&all->len));
    free(all->items);
    serve_flights_free(all->flights);
    serve_freshness_free(all->freshness);
    free(all->via);
    coras_environment_free(all->environment);
    coras_cancel_free(all->cancel);
    free(all);
}
