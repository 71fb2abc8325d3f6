/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted, and the page of it. */
#include "serve/operate/metrics_table.h"

#include <pthread.h>
#include "serve/http/exchange.h"
#include "support.h"

static void assert_on_page(serve_metrics *m, const char *line, bool there)
{
    coras_auto_buf page = CORAS_BUF_UNLIMITED;

    serve_metrics_write(m, &page);
    assert_int_equal(strstr(page.ptr, line) != NULL, there);
}

static void counts_each_series_by_itself(void **state)
{
    coras_auto(serve_metrics) m = serve_metrics_new();

    (void)state;
    serve_metrics_add(m, SERVE_METRIC_REQUESTS,
                      SERVE_LABELS(.method = SERVE_PUT, .route = SERVE_ROUTE_BLOB, .code = 201), 2);
    serve_metrics_add(
        m, SERVE_METRIC_REQUESTS,
        SERVE_LABELS(.method = SERVE_OTHER_METHOD, .route = SERVE_ROUTE_METRICS, .code = 799), 1);
    serve_metrics_add(m, SERVE_METRIC_CONNECTIONS, NULL, 5);
    serve_metrics_add(m, SERVE_METRIC_CONNECTIONS, NULL, -2);
    assert_on_page(
        m,
        "\ncoras_http_requests_total{method=\"PUT\",route=\"blob\",code=\"201\"} 2\n"
        "coras_http_requests_total{method=\"other\",route=\"metrics\",code=\"other\"} 1\n",
        true);
    assert_on_page(m, "\n# TYPE coras_http_connections gauge\ncoras_http_connections 3\n", true);
    assert_on_page(m, "method=\"GET\"", false);
    assert_int_equal(serve_metrics_total(m, SERVE_METRIC_REQUESTS), 3);
}

static void puts_times_into_buckets(void **state)
{
    coras_auto(serve_metrics) m = serve_metrics_new();
    const struct serve_labels *labels = SERVE_LABELS(.route = SERVE_ROUTE_TAGS);

    (void)state;
    serve_metrics_took(m, SERVE_METRIC_REQUEST_SECONDS, labels, 1);
    serve_metrics_took(m, SERVE_METRIC_REQUEST_SECONDS, labels, 2);
    serve_metrics_took(m, SERVE_METRIC_REQUEST_SECONDS, labels, 5000000);
    assert_on_page(m, "_bucket{route=\"tags\",le=\"0.001\"} 1\n", true);
    assert_on_page(m, "_bucket{route=\"tags\",le=\"600\"} 2\n", true);
    assert_on_page(m,
                   "_bucket{route=\"tags\",le=\"+Inf\"} 3\n"
                   "coras_http_request_seconds_sum{route=\"tags\"} 5000.003\n"
                   "coras_http_request_seconds_count{route=\"tags\"} 3\n",
                   true);
}

static void names_origins(void **state)
{
    coras_auto(serve_metrics) m = serve_metrics_new();
    unsigned first = serve_metrics_upstream(m, NULL);
    unsigned odd = serve_metrics_upstream(m, "a\"b\\c\nd");

    (void)state;
    assert_int_equal(serve_metrics_upstream(m, "default"), first);
    serve_metrics_set(m, SERVE_METRIC_CACHE_UPSTREAM_UP, SERVE_LABELS(.upstream = odd), 1);
    assert_on_page(m,
                   "\ncoras_cache_upstream_up{upstream=\"default\"} 0\n"
                   "coras_cache_upstream_up{upstream=\"a\\\"b\\\\c\\nd\"} 1\n#",
                   true);
    for (int i = 0; i < 2 * SERVE_METRICS_UPSTREAMS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "host%d", i);
        serve_metrics_add(m, SERVE_METRIC_CACHE_STALE,
                          SERVE_LABELS(.upstream = serve_metrics_upstream(m, name)), 1);
    }
    assert_on_page(m, "\ncoras_cache_stale_total{upstream=\"host29\"} 1\n", true);
    assert_on_page(m, "\ncoras_cache_stale_total{upstream=\"other\"} 34\n", true);
}

static void holds_every_value_of_every_label(void **state)
{
    coras_auto(serve_metrics) m = serve_metrics_new();

    (void)state;
    for (int i = 0; i < SERVE_METRIC_COUNT; i++) {
        assert_non_null(serve_metric_rows[i].name);
        serve_metrics_add(m, (enum serve_metric)i,
                          SERVE_LABELS(.upstream = 99, .kind = 99, .result = 99, .reason = 99,
                                       .method = 99, .route = 99, .code = 99),
                          1);
        assert_int_equal(serve_metrics_total(m, (enum serve_metric)i), 1);
    }
    for (int i = SERVE_LABEL_NONE + 1; i < SERVE_LABEL_COUNT; i++) {
        for (unsigned v = 0; serve_label_rows[i].values && v < serve_label_rows[i].count; v++)
            assert_non_null(serve_label_rows[i].values[v]);
    }
}

static void *add_many(void *user)
{
    for (int i = 0; i < 1000; i++)
        serve_metrics_add(user, SERVE_METRIC_SENT_BYTES, NULL, 3);
    return NULL;
}

static void loses_nothing_between_threads(void **state)
{
    coras_auto(serve_metrics) m = serve_metrics_new();
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, m), 0);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(serve_metrics_total(m, SERVE_METRIC_SENT_BYTES), 12000);
}

static void counts_nothing_without_a_table(void **state)
{
    (void)state;
    serve_metrics_add(NULL, SERVE_METRIC_SENT_BYTES, NULL, 3);
    serve_metrics_set(NULL, SERVE_METRIC_SENT_BYTES, NULL, 3);
    serve_metrics_took(NULL, SERVE_METRIC_REQUEST_SECONDS, NULL, 3);
    assert_int_equal(serve_metrics_upstream(NULL, "x"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_each_series_by_itself),
        cmocka_unit_test(puts_times_into_buckets),
        cmocka_unit_test(names_origins),
        cmocka_unit_test(holds_every_value_of_every_label),
        cmocka_unit_test(loses_nothing_between_threads),
        cmocka_unit_test(counts_nothing_without_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
