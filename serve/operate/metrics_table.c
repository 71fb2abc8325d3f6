/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of what is counted. */
#include "serve/operate/metrics_table.h"

#include <stdlib.h>
#include "serve/http/exchange.h"

static const char *const kinds[] = {"blob", "manifest", "tag", "list"};
static const char *const results[] = {"hit", "join", "fill", "pass", "stale", "negative", "error"};
static const char *const reasons[] = {"cut", "stall", "429", "5xx"};
static const char *const operations[] = {"read", "write"};
static const char *const methods[] = {
    [SERVE_GET] = "GET",
    [SERVE_HEAD] = "HEAD",
    [SERVE_POST] = "POST",
    [SERVE_PUT] = "PUT",
    [SERVE_PATCH] = "PATCH",
    [SERVE_DELETE] = "DELETE",
    [SERVE_OTHER_METHOD] = "other",
};
static const char *const routes[SERVE_ROUTE_COUNT] = {
    [SERVE_ROUTE_NONE] = "none",
    [SERVE_ROUTE_BASE] = "base",
    [SERVE_ROUTE_CATALOG] = "catalog",
    [SERVE_ROUTE_TAGS] = "tags",
    [SERVE_ROUTE_MANIFEST] = "manifest",
    [SERVE_ROUTE_BLOB] = "blob",
    [SERVE_ROUTE_UPLOADS] = "uploads",
    [SERVE_ROUTE_SESSION] = "session",
    [SERVE_ROUTE_REFERRERS] = "referrers",
    [SERVE_ROUTE_HEALTH] = "health",
    [SERVE_ROUTE_READY] = "ready",
    [SERVE_ROUTE_METRICS] = "metrics",
    [SERVE_ROUTE_SITE_HOME] = "page",
    [SERVE_ROUTE_SITE_REPOSITORY] = "page_repository",
    [SERVE_ROUTE_SITE_MANIFEST] = "page_manifest",
    [SERVE_ROUTE_SITE_STYLE] = "page_style",
};
/* What we answer, and what origins do. 000: the connection ended first. */
static const char *const codes[] = {
    "000", "200", "201", "202", "204", "206", "301", "302", "303", "304",   "307", "308",
    "400", "401", "403", "404", "405", "408", "409", "410", "413", "415",   "416", "417",
    "421", "429", "500", "501", "502", "503", "504", "507", "508", "other",
};

#define VALUES(list) CORAS_ARRAY_LEN(list), list
const struct serve_label_row serve_label_rows[SERVE_LABEL_COUNT] = {
    [SERVE_LABEL_NONE] = {NULL, 1, NULL},
    [SERVE_LABEL_UPSTREAM] = {"upstream", SERVE_METRICS_UPSTREAMS + 1, NULL},
    [SERVE_LABEL_KIND] = {"kind", VALUES(kinds)},
    [SERVE_LABEL_TYPE] = {"type", VALUES(kinds)},
    [SERVE_LABEL_RESULT] = {"result", VALUES(results)},
    [SERVE_LABEL_REASON] = {"reason", VALUES(reasons)},
    [SERVE_LABEL_METHOD] = {"method", VALUES(methods)},
    [SERVE_LABEL_ROUTE] = {"route", VALUES(routes)},
    [SERVE_LABEL_OPERATION] = {"operation", VALUES(operations)},
    [SERVE_LABEL_CODE] = {"code", VALUES(codes)},
};

unsigned serve_code_index(int code)
{
    unsigned last = CORAS_ARRAY_LEN(codes) - 1;

    for (unsigned i = 0; i < last; i++) {
        int row = (codes[i][0] - '0') * 100 + (codes[i][1] - '0') * 10 + codes[i][2] - '0';
        if (row == code)
            return i;
    }
    return last;
}

const struct serve_bucket serve_buckets[SERVE_BUCKETS] = {
    {1, "0.001"}, {2, "0.002"},  {5, "0.005"},    {10, "0.01"},    {20, "0.02"},
    {50, "0.05"}, {100, "0.1"},  {200, "0.2"},    {500, "0.5"},    {1000, "1"},
    {5000, "5"},  {30000, "30"}, {120000, "120"}, {600000, "600"},
};

#define UPSTREAM                                                                                   \
    {                                                                                              \
        SERVE_LABEL_UPSTREAM                                                                       \
    }
#define TYPE                                                                                       \
    {                                                                                              \
        SERVE_LABEL_TYPE                                                                           \
    }
#define NONE                                                                                       \
    {                                                                                              \
        SERVE_LABEL_NONE                                                                           \
    }
const struct serve_metric_row serve_metric_rows[SERVE_METRIC_COUNT] = {
    [SERVE_METRIC_REQUESTS] = {"coras_http_requests_total",
                               SERVE_COUNTER,
                               {SERVE_LABEL_METHOD, SERVE_LABEL_ROUTE, SERVE_LABEL_CODE},
                               "Requests that were answered."},
    [SERVE_METRIC_REQUEST_SECONDS] = {"coras_http_request_seconds",
                                      SERVE_HISTOGRAM,
                                      {SERVE_LABEL_ROUTE},
                                      "From a request's line to the last byte of its answer."},
    [SERVE_METRIC_RECEIVED_BYTES] = {"coras_http_received_bytes_total", SERVE_COUNTER, NONE,
                                     "Bytes of bodies that clients sent."},
    [SERVE_METRIC_SENT_BYTES] = {"coras_http_sent_bytes_total", SERVE_COUNTER, NONE,
                                 "Bytes of bodies that clients were to get."},
    [SERVE_METRIC_CONNECTIONS] = {"coras_http_connections", SERVE_GAUGE, NONE,
                                  "Open connections of clients."},
    [SERVE_METRIC_RUNNING] = {"coras_http_requests_running", SERVE_GAUGE, NONE,
                              "Requests that are being served."},
    [SERVE_METRIC_FAILURES] = {"coras_failures_total", SERVE_COUNTER, NONE,
                               "Failures inside the server that met a request."},
    [SERVE_METRIC_WRONG_PASSWORDS] = {"coras_wrong_passwords_total", SERVE_COUNTER, NONE,
                                      "Requests with a wrong password or an unknown user."},
    [SERVE_METRIC_DENIED] = {"coras_denied_total", SERVE_COUNTER, NONE,
                             "Requests that a rule did not allow."},
    [SERVE_METRIC_REPOSITORIES] = {"coras_repositories", SERVE_GAUGE, NONE, "Repositories."},
    [SERVE_METRIC_MANIFESTS] = {"coras_manifests", SERVE_GAUGE, NONE,
                                "Manifests, counted in each repository."},
    [SERVE_METRIC_TAGS] = {"coras_tags", SERVE_GAUGE, NONE, "Tags."},
    [SERVE_METRIC_BLOBS] = {"coras_blobs", SERVE_GAUGE, NONE, "Stored blobs."},
    [SERVE_METRIC_BLOB_BYTES] = {"coras_blob_bytes", SERVE_GAUGE, NONE,
                                 "Bytes of the stored blobs."},
    [SERVE_METRIC_UPLOADS] = {"coras_uploads", SERVE_GAUGE, NONE, "Unfinished uploads."},
    [SERVE_METRIC_DISK_FREE_BYTES] = {"coras_disk_free_bytes", SERVE_GAUGE, NONE,
                                      "Bytes that are free where the blobs are."},
    [SERVE_METRIC_COLLECTED] = {"coras_collected_blobs_total", SERVE_COUNTER, NONE,
                                "Blobs that were removed because nothing needs them."},
    [SERVE_METRIC_COLLECTED_BYTES] = {"coras_collected_bytes_total", SERVE_COUNTER, NONE,
                                      "Their bytes."},
    [SERVE_METRIC_STORE_REQUESTS] = {"coras_store_requests_total",
                                     SERVE_COUNTER,
                                     {SERVE_LABEL_METHOD, SERVE_LABEL_CODE},
                                     "Requests to the store of --blobs, each try of them."},
    [SERVE_METRIC_STORE_SECONDS] = {"coras_store_seconds",
                                    SERVE_HISTOGRAM,
                                    {SERVE_LABEL_METHOD},
                                    "How long they took, with their bodies."},
    [SERVE_METRIC_STORE_SENT_BYTES] = {"coras_store_sent_bytes_total", SERVE_COUNTER, NONE,
                                       "Bytes of bodies that the store took."},
    [SERVE_METRIC_STORE_RECEIVED_BYTES] = {"coras_store_received_bytes_total", SERVE_COUNTER, NONE,
                                           "Bytes of blobs that the store sent."},
    [SERVE_METRIC_STORE_RETRIES] = {"coras_store_retries_total", SERVE_COUNTER, NONE,
                                    "Tries after the first one of a request to the store."},
    [SERVE_METRIC_DATABASE_SECONDS] = {"coras_database_seconds",
                                       SERVE_HISTOGRAM,
                                       {SERVE_LABEL_OPERATION},
                                       "How long looks into the database and changes took."},
    [SERVE_METRIC_DATABASE_FAILURES] = {"coras_database_failures_total",
                                        SERVE_COUNTER,
                                        {SERVE_LABEL_OPERATION},
                                        "Of these, what the database failed at."},
    [SERVE_METRIC_CACHE_REQUESTS] = {"coras_cache_requests_total",
                                     SERVE_COUNTER,
                                     {SERVE_LABEL_UPSTREAM, SERVE_LABEL_KIND, SERVE_LABEL_RESULT},
                                     "Requests for content of an origin, by what came of them."},
    [SERVE_METRIC_CACHE_SENT_BYTES] = {"coras_cache_sent_bytes_total", SERVE_COUNTER, UPSTREAM,
                                       "Bytes of an origin's content sent to clients."},
    [SERVE_METRIC_CACHE_FETCHED_BYTES] = {"coras_cache_fetched_bytes_total", SERVE_COUNTER,
                                          UPSTREAM, "Bytes that came from an origin."},
    [SERVE_METRIC_CACHE_ORIGIN_REQUESTS] = {"coras_cache_origin_requests_total",
                                            SERVE_COUNTER,
                                            {SERVE_LABEL_UPSTREAM, SERVE_LABEL_METHOD,
                                             SERVE_LABEL_CODE},
                                            "Requests to an origin."},
    [SERVE_METRIC_CACHE_ORIGIN_SECONDS] = {"coras_cache_origin_seconds", SERVE_HISTOGRAM, UPSTREAM,
                                           "Until an origin's answer began."},
    [SERVE_METRIC_CACHE_FILLS] = {"coras_cache_fills", SERVE_GAUGE, UPSTREAM,
                                  "Blobs that are being fetched."},
    [SERVE_METRIC_CACHE_READERS] = {"coras_cache_readers", SERVE_GAUGE, NONE,
                                    "Clients that read what is being fetched."},
    [SERVE_METRIC_CACHE_FILL_RESUMES] = {"coras_cache_fill_resumes_total",
                                         SERVE_COUNTER,
                                         {SERVE_LABEL_REASON},
                                         "Fetches that went on after an interruption."},
    [SERVE_METRIC_CACHE_MISMATCHES] = {"coras_cache_mismatches_total", SERVE_COUNTER, UPSTREAM,
                                       "Content of an origin that was not what its digest says."},
    [SERVE_METRIC_CACHE_STALE] = {"coras_cache_stale_total", SERVE_COUNTER, UPSTREAM,
                                  "Tags that were answered without their origin."},
    [SERVE_METRIC_CACHE_UPSTREAM_UP] = {"coras_cache_upstream_up", SERVE_GAUGE, UPSTREAM,
                                        "1: the origin answered when it was asked last."},
    [SERVE_METRIC_CACHE_SIZE_BYTES] = {"coras_cache_size_bytes", SERVE_GAUGE, NONE,
                                       "Bytes of blobs that came from origins."},
    [SERVE_METRIC_CACHE_LIMIT_BYTES] = {"coras_cache_limit_bytes", SERVE_GAUGE, NONE,
                                        "Bytes that they may have; 0: no limit."},
    [SERVE_METRIC_CACHE_EVICTED_BYTES] = {"coras_cache_evicted_bytes_total", SERVE_COUNTER, NONE,
                                          "Bytes that made room for others."},
    [SERVE_METRIC_CACHE_PASSED_BYTES] = {"coras_cache_passed_bytes_total", SERVE_COUNTER, NONE,
                                         "Bytes that were handed on and not kept: no room."},
    [SERVE_METRIC_CACHE_RATELIMIT_REMAINING] = {"coras_cache_ratelimit_remaining", SERVE_GAUGE,
                                                UPSTREAM, "Pulls that an origin still allows."},
    [SERVE_METRIC_PROXY_REQUESTS] = {"registry_proxy_requests_total", SERVE_COUNTER, TYPE,
                                     "Requests for content of an origin."},
    [SERVE_METRIC_PROXY_HITS] = {"registry_proxy_hits_total", SERVE_COUNTER, TYPE,
                                 "Of these, answered from here."},
    [SERVE_METRIC_PROXY_MISSES] = {"registry_proxy_misses_total", SERVE_COUNTER, TYPE,
                                   "Of these, asked of an origin."},
    [SERVE_METRIC_PROXY_PULLED_BYTES] = {"registry_proxy_pulled_bytes_total", SERVE_COUNTER, TYPE,
                                         "Bytes that came from origins."},
    [SERVE_METRIC_PROXY_PUSHED_BYTES] = {"registry_proxy_pushed_bytes_total", SERVE_COUNTER, TYPE,
                                         "Bytes of theirs sent to clients."},
};
