/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a transfer shows while it runs: status lines on stdout, or moving bars on stderr when that
 * is a terminal.
 */
#ifndef CORAS_CLI_OUTPUT_DISPLAY_H
#define CORAS_CLI_OUTPUT_DISPLAY_H

#include "cli/options/optgroups.h"
#include "cli/output/report.h"

/* The words of a command, padded to one width. NULL: such events are not shown. */
struct display_words {
    const char *start, *done, *exists, *skipped, *mounted, *restored;
    const char *processing; /* status lines only */
    const char *bar_done;   /* instead of `done` beside a bar; NULL: `done` */
    bool text_skipped;      /* `skipped` is shown in status lines too, not only beside bars */
};

struct display_settings {
    const struct display_words *words;
    bool quiet;            /* no status lines (structured output); bars are still shown */
    bool terse;            /* no status lines for content without a file name */
    bool terminal;         /* bars instead of status lines */
    struct report *report; /* lines for programs instead of status lines; or NULL */
    /* Called once before the first "Tagged" line; may be NULL. */
    void (*headline)(void *user);
    void *user;
};

struct display;
/* `settings` is copied. NULL when out of memory, which shows nothing. */
struct display *display_new(const struct display_settings *settings);
/* A coras_event_fn; `display` may be NULL. */
void display_event(const coras_event *event, void *display);
/* Stop the bars and print the headline unless that has happened. NULL is allowed. */
void display_finish(struct display *display);
/* After a failure: what is kept of what was transferred, as the error's hint. */
void display_advise(const struct display *display, coras_error **err);
/* Stop the bars without a headline (after a failure) and free. NULL is allowed. */
void display_free(struct display *display);

/* Set `terminal` and `report` by what the options ask for. What programs read is one report for
 * the whole call, which owns it. */
void display_choose(struct display_settings *settings, struct call *call,
                    const struct common_options *common, const struct progress_options *progress);

/* Whether bars are to be shown: stderr is a terminal and neither flag forbids them. */
bool display_wants_terminal(bool no_tty, bool debug);

/* ---- bars, the terminal's half of the display (progress.c) ---- */
struct progress;
struct progress *progress_new(void); /* NULL when it cannot be started */
/* Add or change the line of some content. `done`: it will not change any more. */
struct progress_update {
    const coras_digest *digest; /* NULL while it is being made */
    const char *name;
    const char *word;
    int64_t offset, total;
    bool transferred; /* bytes are on their way, not only looked at */
    bool done, failed;
};
void progress_update(struct progress *p, const struct progress_update *update);
/* Draw a last time and stop. NULL is allowed. */
void progress_free(struct progress *p);

#endif
