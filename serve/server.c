/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of the server: opening what it stands on, serving until a signal, the chores in between,
 * and an end that lets running requests finish.
 */
#include "serve/server.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "serve/layouts/layouts.h"
#include "serve/layouts/workplace.h"
#include "serve/storage/collect.h"
#include "serve/http/certificate.h"
#include "serve/http/front.h"
#include "serve/http/log.h"
#include "serve/operate/far_store.h"
#include "serve/proxy/fills.h"
#include "serve/proxy/partial.h"
#include "serve/storage/evict.h"
#include "serve/operate/pages.h"
#include "serve/operate/supervisor.h"
#include "serve/operate/wait.h"
#include "serve/storage/root.h"

/* Descriptors beyond those of connections and the blob that each serves. */
#define OTHER_DESCRIPTORS 256
/* Of manifests on their way and being parsed; the largest ones alone have 4 MiB. */
#define BODIES_BYTES   (128 * CORAS_MIB)
#define PARSING_BYTES  (8 * CORAS_MIB)
#define HOUSEKEEPING_S 3600
#define SECOND_MS      1000
#define MOMENT_MS      20
/* Strays come from crashes alone, and the look at every file is long. */
#define STRAYS_S (24 * 3600)
/* What was too large to stay goes when its last reader has left. */
#define CACHE_S 2
/* As exact as it has to be after a restart. */
#define USES_S 60

/* As many connections as there are descriptors for: two each. */
static void fit_connections(struct serve_options *o)
{
    struct rlimit limit;
    rlim_t fit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 && getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    fit = limit.rlim_cur > OTHER_DESCRIPTORS + 2 ? (limit.rlim_cur - OTHER_DESCRIPTORS) / 2 : 1;
    if (limit.rlim_cur != RLIM_INFINITY && (rlim_t)o->max_connections > fit)
        o->max_connections = (int64_t)fit;
}

static int announce(const char *address, coras_error **err)
{
    if (printf("listening on %s\n", address) < 0 || fflush(stdout) != 0)
        return coras_fail_errno(err, errno, "write standard output");
    return 0;
}

/* When which work is due. What has more to do goes on a second later. */
struct house {
    int64_t collect_ms, strays_ms, cache_ms, uses_ms;
    struct serve_blob_walk walk;
};

/* What was read lately is told to the database, and what has no room goes. */
static void keep_cache(struct serve_registry *r, struct house *h)
{
    if (!r->fills || coras_now_ms() < h->cache_ms)
        return;
    if (coras_now_ms() >= h->uses_ms) {
        (void)!serve_uses_save(r->uses, r->metadata, NULL);
        h->uses_ms = coras_now_ms() + USES_S * 1000;
    }
    serve_evict_to_limit(r, serve_partials_bytes(r->store));
    h->cache_ms = coras_now_ms() + CACHE_S * 1000;
}

static void keep_house(struct serve_registry *r, serve_front *front, struct house *h)
{
    serve_front_tick(front);
    if (r->read_only)
        return;
    keep_cache(r, h);
    serve_far_store_tick(r->far);
    if (coras_now_ms() >= h->collect_ms) {
        serve_sessions_expire(r->sessions, coras_wall_s());
        if (r->fills)
            serve_fills_expire(r->fills, coras_wall_s());
        if (!serve_collect(r, SERVE_COLLECT_GRACE_S))
            h->collect_ms = coras_now_ms() + HOUSEKEEPING_S * 1000;
    }
    if (coras_now_ms() >= h->strays_ms && !serve_collect_strays(r, &h->walk, SERVE_COLLECT_GRACE_S))
        h->strays_ms = coras_now_ms() + STRAYS_S * 1000;
}

/* ---- files that are read again ---- */

static int reload_access(void *user, coras_error **err)
{
    struct serve_registry *r = user;

    return serve_access_reload(r->access, err);
}

static int reload_certificate(void *user, coras_error **err)
{
    const struct serve_registry *r = user;

    return serve_certificate_load(r->options.tls_cert, r->options.tls_key, err);
}

/* They take the locks that requests pass through: one that is never free is one that hangs. */
static void add_upstream_probes(struct serve_registry *r, size_t from)
{
    for (size_t i = from; i < atomic_load(&r->upstreams->len); i++)
        serve_health_add(r->health, r->upstreams->items[i]->label, serve_probe_upstream,
                         r->upstreams->items[i]);
}

static int reload_upstreams(void *user, coras_error **err)
{
    struct serve_registry *r = user;
    size_t before = atomic_load(&r->upstreams->len);

    CORAS_TRY(serve_upstreams_reload(r->upstreams, err));
    add_upstream_probes(r, before);
    return 0;
}

static int reload_store(void *user, coras_error **err)
{
    struct serve_registry *r = user;

    return serve_far_store_reload(r->far, err);
}

static void add_reloads(struct serve_registry *r)
{
    if (r->options.htpasswd || r->options.rules)
        serve_reload_add(&r->reloads, "passwords and rules", reload_access, r);
    if (r->options.proxy_file)
        serve_reload_add(&r->reloads, "registries of --proxy-file", reload_upstreams, r);
    if (r->options.tls_cert)
        serve_reload_add(&r->reloads, "certificate", reload_certificate, r);
    if (r->options.blobs)
        serve_reload_add(&r->reloads, "credentials of the store", reload_store, r);
}

/* ---- from start to end ---- */

static void reload(struct serve_registry *r, const struct serve_supervisor *supervisor)
{
    serve_supervisor_reloading(supervisor);
    serve_reload_all(&r->reloads);
    serve_supervisor_ready(supervisor, NULL);
}

static void serve_until_asked(struct serve_registry *r, serve_front *front,
                              struct serve_supervisor *supervisor,
                              const struct serve_signals *signals)
{
    struct house house = {0};
    enum serve_asked asked;

    do {
        keep_house(r, front, &house);
        serve_supervisor_tick(supervisor, r->health);
        asked = serve_signals_wait(signals, SECOND_MS);
        if (asked == SERVE_ASKED_RELOAD)
            reload(r, supervisor);
    } while (asked != SERVE_ASKED_STOP);
    serve_blob_walk_end(&house.walk);
}

/* Until it is asked to stop; then until nothing runs, the grace is over or it is asked again. */
static void serve(struct serve_registry *r, serve_front *front, struct serve_supervisor *supervisor,
                  const struct serve_signals *signals)
{
    int64_t deadline_ms;

    serve_until_asked(r, front, supervisor, signals);
    serve_supervisor_stopping(supervisor);
    serve_upstreams_cancel(r->upstreams);
    serve_fills_stop(r->fills);
    serve_health_drain(r->health);
    serve_front_drain(front);
    deadline_ms = coras_now_ms() + r->options.grace * 1000;
    while (serve_front_running(front) > 0 && coras_now_ms() < deadline_ms) {
        if (serve_signals_wait(signals, MOMENT_MS) == SERVE_ASKED_STOP)
            break;
    }
    serve_far_store_stop(r->far);
}

static int run(struct serve_registry *r, const struct serve_signals *signals, coras_error **err)
{
    struct serve_listener listener = SERVE_LISTENER_INIT;
    struct serve_supervisor supervisor;
    serve_front *front = NULL;
    int rc;

    serve_supervisor_find(&supervisor);
    rc = serve_supervisor_listen(&supervisor, r->options.listen, &listener, err);

    r->loopback_only = listener.loopback;
    if (rc == 0)
        rc = serve_front_start(r, &listener, &front, err);
    if (rc == 0)
        rc = announce(listener.address, err);
    if (rc == 0) {
        serve_supervisor_ready(&supervisor, listener.address);
        serve(r, front, &supervisor, signals);
    }
    serve_front_stop(front);
    serve_listener_clear(&listener);
    return rc;
}

/* On a full disk a registry cannot be opened for writing. What it holds can still be read, and that
 * is worth more than an error. */
static int open_root(struct serve_registry *r, struct serve_root *ret, coras_error **err)
{
    coras_auto(coras_error) full = NULL;
    struct serve_root_options o = {r->options.root, r->options.metadata, r->options.read_only,
                                   r->options.blobs != NULL};
    int rc;

    r->read_only = o.read_only;
    rc = serve_root_open(&o, ret, &full);
    if (rc == CORAS_ERR_NO_SPACE && !r->read_only) {
        r->read_only = r->disk_was_full = o.read_only = true;
        if (serve_root_open(&o, ret, NULL) == 0) {
            serve_log_note("%s: no space left: serving what is there; free some and start again to "
                           "write",
                           r->options.root);
            return 0;
        }
    }
    coras_error_propagate(err, &full);
    return rc;
}

static int open_layouts(struct serve_registry *r, coras_error **err)
{
    const struct serve_layouts_options options = {
        .path = r->options.layouts,
        .writable = r->options.layouts_write && !r->read_only,
        .takes_new = r->options.layouts_write && r->is_workplace,
    };

    /* nothing is kept in a place to work in but uploads */
    r->read_only = r->read_only || (r->is_workplace && !options.writable);
    return options.path ? serve_layouts_open(&options, &r->layouts, err) : 0;
}

static int open_cache(struct serve_registry *r, coras_error **err)
{
    coras_auto(coras_error) mending = NULL;

    if (serve_metadata_mend_uses(r->metadata, coras_wall_s() * 1000, &mending) < 0)
        serve_log_failure("cache", coras_error_message(mending));
    r->uses = serve_uses_new();
    if (!r->uses)
        return coras_fail_no_memory(err);
    return serve_fills_open(r, &r->fills, err);
}

static void add_probes(struct serve_registry *r)
{
    serve_far_store_probe(r->far, r->health);
    if (r->fills)
        serve_health_add(r->health, "fills", serve_probe_fills, r);
    add_upstream_probes(r, 0);
}

static int open_and_run(struct serve_registry *r, const struct serve_signals *signals,
                        coras_error **err)
{
    struct serve_root root = SERVE_ROOT_INIT;
    struct serve_far_store far = {0};
    const struct serve_options *o = &r->options;
    int rc = serve_access_open(
        &(struct serve_access_sources){o->htpasswd, o->rules, o->anonymous_read}, &r->access, err);

    if (rc == 0)
        rc = serve_upstreams_open(o, &r->upstreams, err);
    if (rc == 0)
        serve_upstreams_count(r->upstreams, r->metrics);
    if (rc == 0)
        rc = open_root(r, &root, err);
    if (rc == 0)
        rc = open_layouts(r, err);
    if (rc == 0) {
        r->store = root.store;
        serve_metadata_measure(root.metadata, r->metrics);
        r->far = &far;
        rc = serve_far_store_open(
            &(struct serve_far_store_options){o, &root, r->read_only, r->metrics}, &far, err);
    }
    if (rc == 0) {
        r->blobs = serve_far_store_blobs(&far, &root);
        r->metadata = root.metadata;
        r->sessions = serve_far_store_sessions(&far, &root);
        serve_own_content_init(&r->own, r->blobs, r->metadata, r->read_only);
        r->own.content.is_near = !o->metadata && !r->blobs->has_places;
        serve_sessions_expire(r->sessions, coras_wall_s()); /* before anybody can go on with one */
        if (!r->read_only && serve_options_are_proxy(&r->options))
            rc = open_cache(r, err);
        add_probes(r);
        if (rc == 0)
            rc = run(r, signals, err);
        serve_fills_close(r->fills);
        (void)!serve_uses_save(r->uses, r->metadata, NULL);
        serve_uses_free(r->uses);
    }
    r->far = NULL;
    serve_far_store_close(&far);
    serve_root_close(&root);
    serve_layouts_close(r->layouts);
    serve_upstreams_close(r->upstreams);
    serve_access_close(r->access);
    return rc;
}

static int open_parts(struct serve_registry *r, coras_error **err)
{
    serve_stock_init(&r->stock);
    r->metrics = serve_metrics_new();
    r->health = serve_health_new();
    r->bodies = serve_budget_new(BODIES_BYTES);
    r->parsing = serve_budget_new(PARSING_BYTES);
    r->reading = serve_budget_new(PARSING_BYTES);
    if (!r->metrics || !r->health || !r->bodies || !r->parsing || !r->reading)
        return coras_fail_no_memory(err);
    if (r->options.metadata)
        serve_health_add_outside(r->health, "database", serve_probe_database, r);
    else
        serve_health_add(r->health, "database", serve_probe_database, r);
    return 0;
}

static void close_parts(struct serve_registry *r)
{
    serve_stock_clear(&r->stock);
    serve_budget_free(r->bodies);
    serve_budget_free(r->parsing);
    serve_budget_free(r->reading);
    serve_health_free(r->health);
    serve_metrics_free(r->metrics);
}

static int open_workplace(struct serve_registry *r, serve_workplace *ret, coras_error **err)
{
    CORAS_TRY(serve_workplace_make(&r->options, ret, err));
    r->is_workplace = ret->path != NULL;
    if (ret->path)
        r->options.root = ret->path;
    return 0;
}

int serve_until_signal(const struct serve_options *options, coras_error **err)
{
    struct serve_registry registry = {.options = *options};
    serve_workplace workplace = {0};
    struct serve_signals signals;
    int rc;

    fit_connections(&registry.options);
    serve_signals_hold(&signals);
    add_reloads(&registry);
    rc = open_parts(&registry, err);
    if (rc == 0)
        rc = open_workplace(&registry, &workplace, err);
    if (rc == 0)
        rc = open_and_run(&registry, &signals, err);
    serve_workplace_clear(&workplace);
    close_parts(&registry);
    return rc;
}
