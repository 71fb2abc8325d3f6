/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics: what the server counts, and the page on which Prometheus reads it. All of them stand in
 * one table (metrics_table.c), with their labels; there is nothing to register.
 *
 * Adding is one atomic addition and takes no lock. A label's values are known beforehand, so that
 * no stranger makes a series: what they are is an index into a list, or a status of HTTP.
 *
 * Threads: everything may be called from any thread. A NULL table takes everything and keeps none
 * of it.
 */
#ifndef SERVE_OPERATE_METRICS_H
#define SERVE_OPERATE_METRICS_H

#include "base/buf.h"

typedef struct serve_metrics serve_metrics;

enum serve_metric {
    /* requests; counted by the front */
    SERVE_METRIC_REQUESTS,        /* method, route, code */
    SERVE_METRIC_REQUEST_SECONDS, /* route */
    SERVE_METRIC_RECEIVED_BYTES,
    SERVE_METRIC_SENT_BYTES,
    SERVE_METRIC_CONNECTIONS,
    SERVE_METRIC_RUNNING,
    SERVE_METRIC_FAILURES,
    SERVE_METRIC_WRONG_PASSWORDS,
    SERVE_METRIC_DENIED,
    /* what is stored; set when the page is asked for */
    SERVE_METRIC_REPOSITORIES,
    SERVE_METRIC_MANIFESTS,
    SERVE_METRIC_TAGS,
    SERVE_METRIC_BLOBS,
    SERVE_METRIC_BLOB_BYTES,
    SERVE_METRIC_UPLOADS,
    SERVE_METRIC_DISK_FREE_BYTES,
    SERVE_METRIC_COLLECTED,
    SERVE_METRIC_COLLECTED_BYTES,
    /* what they stand on elsewhere */
    SERVE_METRIC_STORE_REQUESTS, /* method, code */
    SERVE_METRIC_STORE_SECONDS,  /* method */
    SERVE_METRIC_STORE_SENT_BYTES,
    SERVE_METRIC_STORE_RECEIVED_BYTES,
    SERVE_METRIC_STORE_RETRIES,
    SERVE_METRIC_DATABASE_SECONDS,  /* operation */
    SERVE_METRIC_DATABASE_FAILURES, /* operation */
    /* the cache in front of an origin */
    SERVE_METRIC_CACHE_REQUESTS,        /* upstream, kind, result */
    SERVE_METRIC_CACHE_SENT_BYTES,      /* upstream */
    SERVE_METRIC_CACHE_FETCHED_BYTES,   /* upstream */
    SERVE_METRIC_CACHE_ORIGIN_REQUESTS, /* upstream, method, code */
    SERVE_METRIC_CACHE_ORIGIN_SECONDS,  /* upstream */
    SERVE_METRIC_CACHE_FILLS,           /* upstream */
    SERVE_METRIC_CACHE_READERS,
    SERVE_METRIC_CACHE_FILL_RESUMES, /* reason */
    SERVE_METRIC_CACHE_MISMATCHES,   /* upstream */
    SERVE_METRIC_CACHE_STALE,        /* upstream */
    SERVE_METRIC_CACHE_UPSTREAM_UP,  /* upstream */
    SERVE_METRIC_CACHE_SIZE_BYTES,
    SERVE_METRIC_CACHE_LIMIT_BYTES,
    SERVE_METRIC_CACHE_EVICTED_BYTES,
    SERVE_METRIC_CACHE_PASSED_BYTES,
    SERVE_METRIC_CACHE_RATELIMIT_REMAINING, /* upstream */
    /* the same under the names that dashboards of CNCF distribution look for */
    SERVE_METRIC_PROXY_REQUESTS,     /* kind: blob, manifest */
    SERVE_METRIC_PROXY_HITS,         /* kind */
    SERVE_METRIC_PROXY_MISSES,       /* kind */
    SERVE_METRIC_PROXY_PULLED_BYTES, /* kind */
    SERVE_METRIC_PROXY_PUSHED_BYTES, /* kind */
    SERVE_METRIC_COUNT
};

enum serve_metric_kind { SERVE_KIND_BLOB, SERVE_KIND_MANIFEST, SERVE_KIND_TAG, SERVE_KIND_LIST };

enum serve_metric_result {
    SERVE_RESULT_HIT,      /* from here */
    SERVE_RESULT_JOIN,     /* from a fill that was running */
    SERVE_RESULT_FILL,     /* began a fill */
    SERVE_RESULT_PASS,     /* handed through, not kept */
    SERVE_RESULT_STALE,    /* the origin is down, and this is what was known */
    SERVE_RESULT_NEGATIVE, /* the origin does not have it */
    SERVE_RESULT_ERROR
};

enum serve_metric_reason {
    SERVE_REASON_CUT,
    SERVE_REASON_STALL,
    SERVE_REASON_429,
    SERVE_REASON_5XX
};

enum serve_metric_operation { SERVE_OPERATION_READ, SERVE_OPERATION_WRITE };

/* Which series of a metric; it takes the members of its own labels. */
struct serve_labels {
    unsigned upstream;  /* of serve_metrics_upstream() */
    unsigned kind;      /* enum serve_metric_kind */
    unsigned result;    /* enum serve_metric_result */
    unsigned reason;    /* enum serve_metric_reason */
    unsigned method;    /* enum serve_method */
    unsigned route;     /* enum serve_route_kind */
    unsigned operation; /* enum serve_metric_operation */
    int code;           /* a status of HTTP; 0: there was none */
};
#define SERVE_LABELS(...) (&(const struct serve_labels){__VA_ARGS__})

/* NULL when out of memory. */
serve_metrics *serve_metrics_new(void);
void serve_metrics_free(serve_metrics *m);
CORAS_DEFINE_AUTO(serve_metrics, serve_metrics_free)

/*
 * The label `upstream` of this name, "default" for NULL. Beyond SERVE_METRICS_UPSTREAMS names all
 * are "other".
 */
#define SERVE_METRICS_UPSTREAMS 32
unsigned serve_metrics_upstream(serve_metrics *m, const char *name);

/* `labels` may be NULL for a metric without. A gauge is added to in both directions. */
void serve_metrics_add(serve_metrics *m, enum serve_metric metric,
                       const struct serve_labels *labels, int64_t amount);
/* A gauge whose value is known; below 0: it is not, and not told. */
void serve_metrics_set(serve_metrics *m, enum serve_metric metric,
                       const struct serve_labels *labels, int64_t value);
/* How long something took, for a histogram (its page has seconds). */
void serve_metrics_took(serve_metrics *m, enum serve_metric metric,
                        const struct serve_labels *labels, int64_t ms);
/* One series as it is now. */
int64_t serve_metrics_get(serve_metrics *m, enum serve_metric metric,
                          const struct serve_labels *labels);
/* The sum over all series. */
int64_t serve_metrics_total(const serve_metrics *m, enum serve_metric metric);

/* The page. Spec: Prometheus text format 0.0.4. Series that are 0 are left out where there are
 * labels. */
void serve_metrics_write(serve_metrics *m, coras_buf *out);

#endif
