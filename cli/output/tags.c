/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events of a walk over tags as lines on stdout, between them the displays of the transfers.
 */
#include "cli/output/tags.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"

#define TAGS_ON_ONE_LINE 5

/* "Found N tag(s) in <where>: a, b", or one per line when there are many. */
static void print_found(const struct tags_display *d)
{
    bool one_line = d->found.len <= TAGS_ON_ONE_LINE;

    printf("Found %zu tag(s) in %s:%s", d->found.len, d->where, one_line ? " " : "\n");
    for (size_t i = 0; i < d->found.len; i++)
        printf("%s%s", d->found.items[i], one_line && i + 1 < d->found.len ? ", " : "\n");
}

static void end_display(struct tags_display *d)
{
    display_finish(d->display);
    display_free(d->display);
    d->display = NULL;
}

static void begin_tag(struct tags_display *d, const char *tag)
{
    if (!d->tag && d->found.len) {
        print_found(d);
        coras_strlist_clear(&d->found);
    }
    free(d->tag);
    d->tag = coras_strdup(tag);
}

static void end_tag(struct tags_display *d, const coras_event *event)
{
    end_display(d);
    printf("%s tag %s with %zu referrer(s)\n", d->done, event->text, event->count);
    free(d->tag);
    d->tag = NULL;
}

void tags_display_event(const coras_event *event, void *user)
{
    struct tags_display *d = user;

    if (event->kind == CORAS_EVENT_BEGUN || event->kind == CORAS_EVENT_ENDED)
        report_event(event, d->settings.report);
    switch (event->kind) {
    case CORAS_EVENT_FOUND:
        if (coras_strlist_add(&d->found, event->text, NULL) < 0)
            return; /* a shorter list, where memory is short */
        return;
    case CORAS_EVENT_BEGUN:
        begin_tag(d, event->text);
        return;
    case CORAS_EVENT_ENDED:
        end_tag(d, event);
        return;
    default:
        if (!d->display)
            d->display = display_new(&d->settings);
        display_event(event, d->display);
    }
}

void tags_display_clear(struct tags_display *d)
{
    end_display(d);
    coras_strlist_clear(&d->found);
    free(d->tag);
    d->tag = NULL;
}
