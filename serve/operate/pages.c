/* SPDX-License-Identifier: Apache-2.0 */
/* The answers to /healthz, /readyz and /metrics, and what is counted only when somebody looks. */
#include "serve/operate/pages.h"

#include "base/error.h"
#include "serve/api/errors.h"
#include "serve/http/peer.h"

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

static int take_stock(struct serve_registry *r, coras_error **err)
{
    struct serve_metadata_counts counts;

    CORAS_TRY(serve_metadata_count(r->metadata, &counts, err));
    serve_metrics_set(r->metrics, SERVE_METRIC_REPOSITORIES, NULL, counts.repositories);
    serve_metrics_set(r->metrics, SERVE_METRIC_MANIFESTS, NULL, counts.manifests);
    serve_metrics_set(r->metrics, SERVE_METRIC_TAGS, NULL, counts.tags);
    serve_metrics_set(r->metrics, SERVE_METRIC_BLOBS, NULL, counts.blobs);
    serve_metrics_set(r->metrics, SERVE_METRIC_BLOB_BYTES, NULL, counts.blob_bytes);
    serve_metrics_set(r->metrics, SERVE_METRIC_UPLOADS, NULL, serve_sessions_count(r->sessions));
    serve_metrics_set(r->metrics, SERVE_METRIC_DISK_FREE_BYTES, NULL,
                      coras_free_space(r->store->algorithm_fd[CORAS_SHA256]));
    return 0;
}

void serve_page_metrics(struct serve_exchange *x)
{
    struct serve_registry *r = x->registry;
    coras_auto(coras_error) err = NULL;

    if (take_stock(r, &err) < 0) {
        serve_answer_failure(x, err);
        return;
    }
    serve_metrics_write(r->metrics, &x->answer.body);
    serve_answer_header(x, "Cache-Control", "no-store");
    serve_answer_body(x, 200, "text/plain; version=0.0.4; charset=utf-8");
}
