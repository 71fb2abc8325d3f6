/* SPDX-License-Identifier: Apache-2.0 */
/* The answers to /healthz, /readyz and /metrics, and what is counted only when somebody looks. */
#include "serve/operate/pages.h"

#include "base/error.h"
#include "serve/api/errors.h"
#include "serve/http/peer.h"
#include "serve/proxy/fills.h"
#include "serve/proxy/upstream.h"

/* ---- who may ---- */

/* From this machine, and not on behalf of another: a reverse proxy says for whom it asks. */
static bool is_local(const struct serve_exchange *x)
{
    static const char *const forwarded[] = {"Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"};

    for (size_t i = 0; i < CORAS_ARRAY_LEN(forwarded); i++) {
        if (serve_exchange_header(x, forwarded[i]))
            return false;
    }
    return serve_peer_is_loopback(x->network);
}

bool serve_page_is_open(const struct serve_exchange *x)
{
    switch (x->route.kind) {
    case SERVE_ROUTE_HEALTH:
    case SERVE_ROUTE_READY:
        return true;
    case SERVE_ROUTE_METRICS:
        return is_local(x);
    default:
        return false;
    }
}

/* ---- health ---- */

const char *serve_probe_database(void *user, bool *ret_failed)
{
    struct serve_registry *r = user;
    struct serve_stored_manifest found = {0};
    int rc =
        serve_metadata_get_manifest(r->metadata, "health/check", "none", NULL, false, &found, NULL);

    serve_stored_manifest_clear(&found);
    *ret_failed = rc < 0 && rc != CORAS_ERR_NOT_FOUND;
    return *ret_failed ? "failed" : "ok";
}

static void ignore_fill(const struct serve_fill_look *look, void *user)
{
    (void)look;
    (void)user;
}

const char *serve_probe_fills(void *user, bool *ret_failed)
{
    const struct serve_registry *r = user;

    (void)ret_failed;
    serve_fills_look(r->fills, ignore_fill, NULL);
    return "ok";
}

const char *serve_probe_upstream(void *user, bool *ret_failed)
{
    serve_upstream *u = user;

    (void)ret_failed;
    if (atomic_load(&u->is_gone))
        return NULL;
    return serve_upstream_is_down(u) ? "does not answer" : "ok";
}

static void answer_health(struct serve_exchange *x, bool readiness)
{
    struct serve_health_state state = serve_health_check(x->registry->health, &x->answer.body);

    serve_answer_header(x, "Cache-Control", "no-store");
    serve_answer_body(x, (readiness ? state.ready : state.alive) ? 200 : 503, "application/json");
}

void serve_page_health(struct serve_exchange *x)
{
    answer_health(x, false);
}

void serve_page_ready(struct serve_exchange *x)
{
    answer_health(x, true);
}

/* ---- metrics ---- */

static void tell_upstreams(struct serve_registry *r)
{
    serve_upstream *u;
    size_t at = 0;

    while ((u = serve_upstreams_next(r->upstreams, &at)) != NULL)
        serve_metrics_set(r->metrics, SERVE_METRIC_CACHE_UPSTREAM_UP,
                          SERVE_LABELS(.upstream = u->metrics_label), !serve_upstream_is_down(u));
}

/* Of the cache's requests for one kind of content, those that had one of these results. */
static int64_t sum_results(struct serve_registry *r, enum serve_metric_kind kind, unsigned results)
{
    int64_t sum = 0;

    for (unsigned u = 0; u <= SERVE_METRICS_UPSTREAMS; u++) {
        for (unsigned result = 0; result <= SERVE_RESULT_ERROR; result++) {
            if (results & 1U << result)
                sum +=
                    serve_metrics_get(r->metrics, SERVE_METRIC_CACHE_REQUESTS,
                                      SERVE_LABELS(.upstream = u, .kind = kind, .result = result));
        }
    }
    return sum;
}

/* What distribution counts, from what we do. */
static void tell_as_distribution(struct serve_registry *r)
{
    const unsigned hits = 1U << SERVE_RESULT_HIT | 1U << SERVE_RESULT_STALE;

    for (unsigned kind = SERVE_KIND_BLOB; kind <= SERVE_KIND_MANIFEST; kind++) {
        const struct serve_labels labels = {.kind = kind};
        int64_t all = sum_results(r, kind, ~0U), from_here = sum_results(r, kind, hits);
        serve_metrics_set(r->metrics, SERVE_METRIC_PROXY_REQUESTS, &labels, all);
        serve_metrics_set(r->metrics, SERVE_METRIC_PROXY_HITS, &labels, from_here);
        serve_metrics_set(r->metrics, SERVE_METRIC_PROXY_MISSES, &labels, all - from_here);
    }
    serve_metrics_set(r->metrics, SERVE_METRIC_PROXY_PULLED_BYTES, NULL,
                      serve_metrics_total(r->metrics, SERVE_METRIC_CACHE_FETCHED_BYTES));
    serve_metrics_set(r->metrics, SERVE_METRIC_PROXY_PUSHED_BYTES, NULL,
                      serve_metrics_total(r->metrics, SERVE_METRIC_CACHE_SENT_BYTES));
}

void serve_page_metrics(struct serve_exchange *x)
{
    struct serve_registry *r = x->registry;

    serve_stock_take(r);
    serve_metrics_set(r->metrics, SERVE_METRIC_DISK_FREE_BYTES, NULL,
                      coras_free_space(r->store->algorithm_fd[CORAS_SHA256]));
    tell_upstreams(r);
    tell_as_distribution(r);
    serve_metrics_write(r->metrics, &x->answer.body);
    serve_answer_header(x, "Cache-Control", "no-store");
    serve_answer_body(x, 200, "text/plain; version=0.0.4; charset=utf-8");
}
