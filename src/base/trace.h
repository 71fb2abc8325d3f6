/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log entries: the --debug stream and warnings. One sink per process, set once at start (the only
 * mutable global); off costs one load and a branch.
 */
#ifndef CORAS_BASE_TRACE_H
#define CORAS_BASE_TRACE_H

#include "base/common.h"

enum coras_trace_level { CORAS_TRACE_DEBUG, CORAS_TRACE_WARNING, CORAS_TRACE_ERROR };
/* `message` may have several lines; `data` is NULL or lines of "key=value". Called under a lock. */
typedef void (*coras_trace_sink)(enum coras_trace_level level, const char *message,
                                 const char *data, void *user);
/* `debug` false lets only warnings through. */
void coras_trace_set(coras_trace_sink sink, void *user, bool debug);
bool coras_trace_debug_on(void);
void coras_trace_debug(const char *fmt, ...) CORAS_PRINTF(1, 2);
void coras_trace_error(const char *fmt, ...) CORAS_PRINTF(1, 2); /* only with debug on */
/* Shown without --debug too; `data` may be NULL. */
void coras_trace_warning(const char *data, const char *fmt, ...) CORAS_PRINTF(2, 3);

#endif
