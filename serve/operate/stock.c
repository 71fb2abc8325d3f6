/* SPDX-License-Identifier: Apache-2.0 */
/* Counting what is stored, when it is worth it. */
#include "serve/operate/stock.h"

#include "base/clock.h"
#include "base/error.h"
#include "serve/http/exchange.h"
#include "serve/http/log.h"

/* What counting may take of the time: one part of so many; what is quick is always done. */
#define SHARE      20
#define QUICK_MS   50
#define LONGEST_MS ((int64_t)300 * 1000)
#define FAILED_MS  5000

void serve_stock_init(struct serve_stock *s)
{
    pthread_mutex_init(&s->lock, NULL);
}

void serve_stock_clear(struct serve_stock *s)
{
    pthread_mutex_destroy(&s->lock);
}

static void tell(struct serve_registry *r, const struct serve_metadata_counts *counts)
{
    serve_metrics_set(r->metrics, SERVE_METRIC_REPOSITORIES, NULL, counts->repositories);
    serve_metrics_set(r->metrics, SERVE_METRIC_MANIFESTS, NULL, counts->manifests);
    serve_metrics_set(r->metrics, SERVE_METRIC_TAGS, NULL, counts->tags);
    serve_metrics_set(r->metrics, SERVE_METRIC_BLOBS, NULL, counts->blobs);
    serve_metrics_set(r->metrics, SERVE_METRIC_BLOB_BYTES, NULL, counts->blob_bytes);
}

/* How long it holds. */
static int64_t count(struct serve_registry *r)
{
    struct serve_metadata_counts counts, unknown = {-1, -1, -1, -1, -1};
    coras_auto(coras_error) err = NULL;
    int64_t began_ms = coras_now_ms(), took_ms;

    if (serve_metadata_count(r->metadata, &counts, &err) < 0) {
        serve_log_failure("/metrics", coras_error_message(err));
        tell(r, &unknown);
        return FAILED_MS;
    }
    tell(r, &counts);
    took_ms = coras_now_ms() - began_ms;
    if (took_ms < QUICK_MS)
        return 0;
    return took_ms * SHARE < LONGEST_MS ? took_ms * SHARE : LONGEST_MS;
}

/* Whoever asks while another counts is told what was counted before, if there is any. */
static bool lock(struct serve_stock *s)
{
    if (pthread_mutex_trylock(&s->lock) == 0)
        return true;
    if (atomic_load(&s->was_taken))
        return false;
    pthread_mutex_lock(&s->lock);
    return true;
}

void serve_stock_take(struct serve_registry *r)
{
    struct serve_stock *s = &r->stock;

    serve_metrics_set(r->metrics, SERVE_METRIC_UPLOADS, NULL, serve_sessions_count(r->sessions));
    if (!lock(s))
        return;
    if (coras_now_ms() >= s->due_ms)
        s->due_ms = count(r) + coras_now_ms();
    atomic_store(&s->was_taken, true);
    pthread_mutex_unlock(&s->lock);
}
