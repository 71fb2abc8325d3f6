/* SPDX-License-Identifier: Apache-2.0 */
/* Debug entries: made only while somebody listens. */
#include "base/trace.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include "base/buf.h"

static struct {
    pthread_mutex_t lock;
    coras_trace_sink sink; /* lock */
    void *user;            /* lock */
    atomic_bool debug;
} trace = {.lock = PTHREAD_MUTEX_INITIALIZER};

void coras_trace_set(coras_trace_sink sink, void *user, bool debug)
{
    pthread_mutex_lock(&trace.lock);
    trace.sink = sink;
    trace.user = user;
    atomic_store(&trace.debug, sink && debug);
    pthread_mutex_unlock(&trace.lock);
}

bool coras_trace_debug_on(void)
{
    return atomic_load_explicit(&trace.debug, memory_order_relaxed);
}

static CORAS_PRINTF(3, 0) void emit(enum coras_trace_level level, const char *data, const char *fmt,
                                    va_list ap)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    coras_buf_vprintf(&text, fmt, ap);
    pthread_mutex_lock(&trace.lock);
    if (trace.sink)
        trace.sink(level, text.failed ? "out of memory" : text.ptr, data, trace.user);
    pthread_mutex_unlock(&trace.lock);
}

void coras_trace_debug(const char *fmt, ...)
{
    va_list ap;

    if (!coras_trace_debug_on())
        return;
    va_start(ap, fmt);
    emit(CORAS_TRACE_DEBUG, NULL, fmt, ap);
    va_end(ap);
}

void coras_trace_error(const char *fmt, ...)
{
    va_list ap;

    if (!coras_trace_debug_on())
        return;
    va_start(ap, fmt);
    emit(CORAS_TRACE_ERROR, NULL, fmt, ap);
    va_end(ap);
}

void coras_trace_warning(const char *data, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    emit(CORAS_TRACE_WARNING, data, fmt, ap);
    va_end(ap);
}
