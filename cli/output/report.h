/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Progress that programs read: with --progress json one JSON object a line on stderr. Its fields
 * are an interface (docs/progress.md): they may become more, and never change their meaning.
 */
#ifndef CORAS_CLI_OUTPUT_REPORT_H
#define CORAS_CLI_OUTPUT_REPORT_H

#include "codec/json.h"
#include "coras/event.h"

struct report;

/* Tells that `command` begins with `reference`. NULL when out of memory, which tells nothing. */
struct report *report_new(const char *command, const char *reference);
/* A coras_event_fn; `report` may be NULL. */
void report_event(const coras_event *event, void *report);
/* The last line of a run that succeeded. NULL is allowed. */
void report_done(struct report *report);
void report_free(struct report *report); /* NULL is allowed */

/* A line of its own: an object with `event` and the time, open for further members ... */
void report_line_begin(coras_json_writer *w, const char *event);
/* ... and written on stderr, whole; false when memory is short, and nothing was written. */
bool report_line_end(coras_json_writer *w);

#endif
