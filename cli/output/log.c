/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of --debug on stderr.
 */
#include "cli/output/log.h"

#include <stdio.h>
#include <time.h>

#include "codec/date.h"

static const char *level_name(enum coras_trace_level level)
{
    switch (level) {
    case CORAS_TRACE_DEBUG:
        return "DEBUG";
    case CORAS_TRACE_WARNING:
        return "WARNING";
    case CORAS_TRACE_ERROR:
        return "ERROR";
    }
    return "UNKNOWN";
}

/* `[time][LEVEL]: message`, the data indented below, then two empty lines; in one write. */
static void print_entry(enum coras_trace_level level, const char *message, const char *data,
                        void *user)
{
    (void)user;
    coras_auto_buf entry = CORAS_BUF_UNLIMITED;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    coras_buf_putc(&entry, '[');
    coras_format_rfc3339_nano(&entry, &now);
    coras_buf_printf(&entry, "][%s]: %s\n", level_name(level), message);
    if (data)
        coras_buf_puts(&entry, "[Data]:\n");
    while (data && *data) {
        size_t len = strcspn(data, "\n");
        coras_buf_printf(&entry, "  %.*s\n", (int)len, data);
        data += len + (data[len] == '\n');
    }
    coras_buf_puts(&entry, "\n\n");
    fputs(entry.ptr, stderr);
}

void log_install(bool debug)
{
    coras_trace_set(print_entry, NULL, debug);
}
