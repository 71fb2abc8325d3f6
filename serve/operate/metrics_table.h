/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is to count: one row for each metric, one for each label. For metrics.c and its test.
 */
#ifndef SERVE_OPERATE_METRICS_TABLE_H
#define SERVE_OPERATE_METRICS_TABLE_H

#include "serve/operate/metrics.h"

enum serve_label {
    SERVE_LABEL_NONE,
    SERVE_LABEL_UPSTREAM,
    SERVE_LABEL_KIND,
    SERVE_LABEL_TYPE, /* of kind, under the name that distribution has for it */
    SERVE_LABEL_RESULT,
    SERVE_LABEL_REASON,
    SERVE_LABEL_METHOD,
    SERVE_LABEL_ROUTE,
    SERVE_LABEL_OPERATION,
    SERVE_LABEL_CODE,
    SERVE_LABEL_COUNT
};

struct serve_label_row {
    const char *name;
    unsigned count;            /* of values */
    const char *const *values; /* NULL: named while it runs */
};
extern const struct serve_label_row serve_label_rows[SERVE_LABEL_COUNT];

enum serve_metric_type { SERVE_COUNTER, SERVE_GAUGE, SERVE_HISTOGRAM };

#define SERVE_METRIC_LABELS 3
struct serve_metric_row {
    const char *name;
    enum serve_metric_type type;
    enum serve_label labels[SERVE_METRIC_LABELS];
    const char *help;
};
extern const struct serve_metric_row serve_metric_rows[SERVE_METRIC_COUNT];

/* Upper ends of a histogram's buckets, in milliseconds and as the page has them. */
struct serve_bucket {
    int64_t ms;
    const char *text;
};
#define SERVE_BUCKETS 14
extern const struct serve_bucket serve_buckets[SERVE_BUCKETS];

/* The value of the label `code`; that of "other" for one that is not in the list. */
unsigned serve_code_index(int code);

#endif
