/* SPDX-License-Identifier: Apache-2.0 */
/* Counting, and the page for Prometheus. */
#include "serve/operate/metrics_table.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include "base/alloc.h"
#include "base/str.h"

#define OTHER_UPSTREAM SERVE_METRICS_UPSTREAMS

struct serve_metrics {
    size_t first[SERVE_METRIC_COUNT + 1]; /* const; where the series of each begin */
    pthread_mutex_t lock;
    unsigned upstream_count;                  /* lock */
    char *upstreams[SERVE_METRICS_UPSTREAMS]; /* lock */
    _Atomic int64_t slots[];
};

/* ---- where a series is ---- */

/* Numbers that one series has: its value, or what fell into each bucket, above all, and the sum. */
static size_t width_of(const struct serve_metric_row *row)
{
    return row->type == SERVE_HISTOGRAM ? SERVE_BUCKETS + 2 : 1;
}

static size_t series_of(const struct serve_metric_row *row)
{
    size_t count = 1;

    for (size_t i = 0; i < SERVE_METRIC_LABELS; i++)
        count *= serve_label_rows[row->labels[i]].count;
    return count;
}

static unsigned value_of(enum serve_label label, const struct serve_labels *labels)
{
    switch (label) {
    case SERVE_LABEL_UPSTREAM:
        return labels->upstream;
    case SERVE_LABEL_KIND:
    case SERVE_LABEL_TYPE:
        return labels->kind;
    case SERVE_LABEL_RESULT:
        return labels->result;
    case SERVE_LABEL_REASON:
        return labels->reason;
    case SERVE_LABEL_METHOD:
        return labels->method;
    case SERVE_LABEL_ROUTE:
        return labels->route;
    case SERVE_LABEL_OPERATION:
        return labels->operation;
    case SERVE_LABEL_CODE:
        return serve_code_index(labels->code);
    default:
        return 0;
    }
}

static _Atomic int64_t *slot_of(serve_metrics *m, enum serve_metric metric,
                                const struct serve_labels *labels)
{
    static const struct serve_labels none;
    const struct serve_metric_row *row = &serve_metric_rows[metric];
    size_t index = 0;

    for (size_t i = 0; i < SERVE_METRIC_LABELS; i++) {
        unsigned count = serve_label_rows[row->labels[i]].count;
        unsigned value = value_of(row->labels[i], labels ? labels : &none);
        index = index * count + (value < count ? value : count - 1);
    }
    return &m->slots[m->first[metric] + index * width_of(row)];
}

/* ---- counting ---- */

void serve_metrics_add(serve_metrics *m, enum serve_metric metric,
                       const struct serve_labels *labels, int64_t amount)
{
    if (m)
        atomic_fetch_add_explicit(slot_of(m, metric, labels), amount, memory_order_relaxed);
}

void serve_metrics_set(serve_metrics *m, enum serve_metric metric,
                       const struct serve_labels *labels, int64_t value)
{
    if (m)
        atomic_store_explicit(slot_of(m, metric, labels), value, memory_order_relaxed);
}

void serve_metrics_took(serve_metrics *m, enum serve_metric metric,
                        const struct serve_labels *labels, int64_t ms)
{
    _Atomic int64_t *slot;
    size_t bucket = 0;

    if (!m)
        return;
    slot = slot_of(m, metric, labels);
    while (bucket < SERVE_BUCKETS && ms > serve_buckets[bucket].ms)
        bucket++;
    atomic_fetch_add_explicit(&slot[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&slot[SERVE_BUCKETS + 1], ms, memory_order_relaxed);
}

static int64_t read_slot(const serve_metrics *m, size_t slot)
{
    return atomic_load_explicit(&m->slots[slot], memory_order_relaxed);
}

int64_t serve_metrics_get(serve_metrics *m, enum serve_metric metric,
                          const struct serve_labels *labels)
{
    return m ? atomic_load_explicit(slot_of(m, metric, labels), memory_order_relaxed) : 0;
}

int64_t serve_metrics_total(const serve_metrics *m, enum serve_metric metric)
{
    int64_t total = 0;

    for (size_t i = m->first[metric]; i < m->first[metric + 1]; i++)
        total += read_slot(m, i);
    return total;
}

/* ---- origins ---- */

unsigned serve_metrics_upstream(serve_metrics *m, const char *name)
{
    unsigned index = 0;

    if (!m)
        return 0;
    pthread_mutex_lock(&m->lock);
    while (index < m->upstream_count && !coras_streq(m->upstreams[index], name ? name : "default"))
        index++;
    if (index == m->upstream_count && index < SERVE_METRICS_UPSTREAMS) {
        m->upstreams[index] = coras_strdup(name ? name : "default");
        if (m->upstreams[index])
            m->upstream_count++;
        else
            index = OTHER_UPSTREAM;
    }
    pthread_mutex_unlock(&m->lock);
    return index;
}

/* ---- the page ---- */

static const char *value_text(const serve_metrics *m, enum serve_label label, unsigned value)
{
    const struct serve_label_row *row = &serve_label_rows[label];

    if (row->values)
        return row->values[value];
    return value < SERVE_METRICS_UPSTREAMS && m->upstreams[value] ? m->upstreams[value] : "other";
}

/* Spec: Prometheus text format, "label_value". */
static void put_quoted(coras_buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '"')
            coras_buf_putc(out, '\\');
        if (*text == '\n')
            coras_buf_puts(out, "\\n");
        else
            coras_buf_putc(out, *text);
    }
}

/* NAME="VALUE" of each label, between commas. */
static void put_labels(const serve_metrics *m, const struct serve_metric_row *row, size_t index,
                       coras_buf *out)
{
    unsigned values[SERVE_METRIC_LABELS];

    for (size_t i = SERVE_METRIC_LABELS; i-- > 0;) {
        unsigned count = serve_label_rows[row->labels[i]].count;
        values[i] = (unsigned)(index % count);
        index /= count;
    }
    for (size_t i = 0; i < SERVE_METRIC_LABELS && row->labels[i] != SERVE_LABEL_NONE; i++) {
        coras_buf_printf(out, "%s%s=\"", i > 0 ? "," : "", serve_label_rows[row->labels[i]].name);
        put_quoted(out, value_text(m, row->labels[i], values[i]));
        coras_buf_putc(out, '"');
    }
}

static void put_value(const serve_metrics *m, const struct serve_metric_row *row, size_t index,
                      size_t slot, coras_buf *out)
{
    bool labelled = row->labels[0] != SERVE_LABEL_NONE;

    coras_buf_puts(out, row->name);
    if (labelled) {
        coras_buf_putc(out, '{');
        put_labels(m, row, index, out);
        coras_buf_putc(out, '}');
    }
    coras_buf_printf(out, " %" PRId64 "\n", read_slot(m, slot));
}

static void put_bucket(const serve_metrics *m, const struct serve_metric_row *row, size_t index,
                       const char *end, int64_t count, coras_buf *out)
{
    coras_buf_printf(out, "%s_bucket{", row->name);
    put_labels(m, row, index, out);
    coras_buf_printf(out, "%sle=\"%s\"} %" PRId64 "\n",
                     row->labels[0] != SERVE_LABEL_NONE ? "," : "", end, count);
}

static void put_ending(const serve_metrics *m, const struct serve_metric_row *row, size_t index,
                       const char *ending, coras_buf *out)
{
    coras_buf_printf(out, "%s_%s{", row->name, ending);
    put_labels(m, row, index, out);
    coras_buf_puts(out, "} ");
}

static void put_histogram(const serve_metrics *m, const struct serve_metric_row *row, size_t index,
                          size_t slot, coras_buf *out)
{
    int64_t count = 0, sum_ms = read_slot(m, slot + SERVE_BUCKETS + 1);

    for (size_t i = 0; i < SERVE_BUCKETS; i++) {
        count += read_slot(m, slot + i);
        put_bucket(m, row, index, serve_buckets[i].text, count, out);
    }
    count += read_slot(m, slot + SERVE_BUCKETS);
    put_bucket(m, row, index, "+Inf", count, out);
    put_ending(m, row, index, "sum", out);
    coras_buf_printf(out, "%" PRId64 ".%03d\n", sum_ms / 1000, (int)(sum_ms % 1000));
    put_ending(m, row, index, "count", out);
    coras_buf_printf(out, "%" PRId64 "\n", count);
}

static bool is_empty(const serve_metrics *m, size_t slot, size_t width)
{
    for (size_t i = 0; i < width; i++) {
        if (read_slot(m, slot + i) != 0)
            return false;
    }
    return true;
}

/* An origin that is down is told as 0; one that nobody asked yet is not told, and neither is a
 * gauge below 0: nobody knows its value. */
static bool is_left_out(const serve_metrics *m, const struct serve_metric_row *row, size_t index,
                        size_t slot)
{
    if (row->labels[0] == SERVE_LABEL_NONE)
        return false;
    if (row->type == SERVE_GAUGE && row->labels[0] == SERVE_LABEL_UPSTREAM &&
        row->labels[1] == SERVE_LABEL_NONE)
        return index >= SERVE_METRICS_UPSTREAMS || !m->upstreams[index] || read_slot(m, slot) < 0;
    return is_empty(m, slot, width_of(row));
}

static void put_metric(const serve_metrics *m, enum serve_metric metric, coras_buf *out)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    const struct serve_metric_row *row = &serve_metric_rows[metric];
    size_t slot = m->first[metric];

    coras_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
                     types[row->type]);
    for (size_t i = 0; slot < m->first[metric + 1]; i++, slot += width_of(row)) {
        if (is_left_out(m, row, i, slot))
            continue;
        if (row->type == SERVE_HISTOGRAM)
            put_histogram(m, row, i, slot, out);
        else
            put_value(m, row, i, slot, out);
    }
}

void serve_metrics_write(serve_metrics *m, coras_buf *out)
{
    pthread_mutex_lock(&m->lock);
    for (int i = 0; i < SERVE_METRIC_COUNT; i++)
        put_metric(m, (enum serve_metric)i, out);
    coras_buf_printf(out,
                     "# HELP coras_build_info The version that is running.\n"
                     "# TYPE coras_build_info gauge\ncoras_build_info{version=\"%s\"} 1\n",
                     CORAS_VERSION);
    pthread_mutex_unlock(&m->lock);
}

/* ---- life ---- */

serve_metrics *serve_metrics_new(void)
{
    size_t first[SERVE_METRIC_COUNT + 1] = {0};
    serve_metrics *m;

    for (size_t i = 0; i < SERVE_METRIC_COUNT; i++)
        first[i + 1] =
            first[i] + series_of(&serve_metric_rows[i]) * width_of(&serve_metric_rows[i]);
    m = coras_calloc(1, sizeof(*m) + first[SERVE_METRIC_COUNT] * sizeof(m->slots[0]));
    if (!m)
        return NULL;
    memcpy(m->first, first, sizeof(first));
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

void serve_metrics_free(serve_metrics *m)
{
    if (!m)
        return;
    for (unsigned i = 0; i < m->upstream_count; i++)
        free(m->upstreams[i]);
    pthread_mutex_destroy(&m->lock);
    free(m);
}
