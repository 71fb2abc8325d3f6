/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What backup and restore show: which tags there are, the transfers of each, a line when it is
 * done.
 */
#ifndef CORAS_CLI_OUTPUT_TAGS_H
#define CORAS_CLI_OUTPUT_TAGS_H

#include "base/str.h"
#include "cli/output/display.h"

struct tags_display {
    struct display_settings settings; /* every tag has a display of its own */
    const char *where;                /* the tags were found: "the backup" */
    const char *done;                 /* in front of " tag v1 with 2 referrer(s)" */
    /* while it runs */
    coras_strlist found;
    struct display *display; /* of the tag under way, from its first event on */
    char *tag;               /* whose turn it is; NULL: none's */
};

/* A coras_event_fn; `user` is the struct. */
void tags_display_event(const coras_event *event, void *user);
/* Stop what is shown. Also for a struct that is all zero. */
void tags_display_clear(struct tags_display *d);

#endif
