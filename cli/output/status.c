/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a transfer shows while it runs: its events become status lines or bars (display.h).
 */
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/str.h"
#include "cli/output/display.h"
#include "cli/output/text.h"

struct display {
    struct display_settings settings;
    struct progress *progress; /* NULL: status lines */
    bool headline_shown;
    int64_t kept, kept_total; /* bytes for the next try, and how many there are then */
};

bool display_wants_terminal(bool no_tty, bool debug)
{
    return !no_tty && !debug && isatty(STDERR_FILENO);
}

void display_choose(struct display_settings *settings, struct call *call,
                    const struct common_options *common, const struct progress_options *progress)
{
    const char *kind = progress->kind.value;

    settings->terminal = coras_streq(kind, PROGRESS_AUTO) &&
                         display_wants_terminal(progress->no_tty.value, common->debug.value);
    if (!coras_streq(kind, PROGRESS_JSON))
        return;
    if (!call->report)
        call->report = report_new(call->path, call->args[0]);
    settings->report = call->report;
}

struct display *display_new(const struct display_settings *settings)
{
    struct display *display = coras_new(struct display);
    if (!display)
        return NULL;
    display->settings = *settings;
    if (settings->terminal)
        display->progress = progress_new();
    return display;
}

static void show_headline(struct display *display)
{
    if (display->headline_shown || !display->settings.headline)
        return;
    display->headline_shown = true;
    display->settings.headline(display->settings.user);
}

/* ---- status lines ---- */

static const char *word_of(const struct display_words *words, enum coras_event_kind kind)
{
    switch (kind) {
    case CORAS_EVENT_START:
        return words->start;
    case CORAS_EVENT_PROCESSING:
        return words->processing;
    case CORAS_EVENT_DONE:
        return words->done;
    case CORAS_EVENT_EXISTS:
        return words->exists;
    case CORAS_EVENT_SKIPPED:
        return words->skipped;
    case CORAS_EVENT_MOUNTED:
        return words->mounted;
    case CORAS_EVENT_RESTORED:
        return words->restored;
    case CORAS_EVENT_FOUND:
    case CORAS_EVENT_BEGUN:
    case CORAS_EVENT_ENDED:
    case CORAS_EVENT_LEFT:
    case CORAS_EVENT_EXPECTED:
    case CORAS_EVENT_PREPARING:
    case CORAS_EVENT_EMPTY_ARTIFACT:
    case CORAS_EVENT_HASHING:
    case CORAS_EVENT_KEPT:
    case CORAS_EVENT_PROGRESS:
    case CORAS_EVENT_RETRYING:
    case CORAS_EVENT_FAILED:
    case CORAS_EVENT_TAGGED:
    case CORAS_EVENT_TAGGING:
    case CORAS_EVENT_RESOLVED:
        break;
    }
    return NULL;
}

static void print_preparing(const char *path)
{
    coras_auto_buf name = CORAS_BUF_UNLIMITED; /* a shell's pattern gives names of anybody's */
    coras_escape(&name, path, strlen(path), CORAS_LIMIT_PATH);
    printf("Preparing %s\n", name.ptr);
}

static void print_status(const struct display *display, const coras_event *event)
{
    const struct display_words *words = display->settings.words;
    const char *word = word_of(words, event->kind);
    if (!word || (display->settings.terse && !event->named))
        return;
    if (event->kind == CORAS_EVENT_SKIPPED && !words->text_skipped)
        return;
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_auto_buf name = CORAS_BUF_UNLIMITED; /* may be anybody's words */
    coras_escape(&name, event->name, strlen(event->name), CORAS_LIMIT_PATH);
    printf("%s %s %s\n", word, short_digest(&event->desc->digest, digest), name.ptr);
}

static void show_line(struct display *display, const coras_event *event)
{
    switch (event->kind) {
    case CORAS_EVENT_PREPARING:
        if (!display->settings.terse)
            print_preparing(event->text);
        return;
    case CORAS_EVENT_EMPTY_ARTIFACT:
        puts("Uploading empty artifact");
        return;
    default:
        if (event->desc)
            print_status(display, event);
    }
}

/* ---- bars ---- */

static void show_hashing(struct display *display, const coras_event *event)
{
    const struct progress_update update = {
        .name = event->text, .word = "Preparing", .offset = event->offset, .total = event->total};

    progress_update(display->progress, &update);
}

static void show_bar(struct display *display, const coras_event *event)
{
    const struct display_words *words = display->settings.words;
    if (event->kind == CORAS_EVENT_HASHING)
        show_hashing(display, event);
    if (!event->desc || event->kind == CORAS_EVENT_PROCESSING ||
        event->kind == CORAS_EVENT_RESOLVED || event->kind == CORAS_EVENT_EXPECTED)
        return;
    struct progress_update update = {
        .digest = &event->desc->digest,
        .total = event->desc->size,
        .name = event->name,
        .offset = event->offset,
        .word = word_of(words, event->kind),
        .done = event->kind != CORAS_EVENT_START && event->kind != CORAS_EVENT_PROGRESS &&
                event->kind != CORAS_EVENT_RETRYING,
        .failed = event->kind == CORAS_EVENT_FAILED,
        .transferred = event->kind == CORAS_EVENT_START || event->kind == CORAS_EVENT_PROGRESS,
    };
    if (event->kind == CORAS_EVENT_DONE && words->bar_done)
        update.word = words->bar_done;
    if (!update.word)
        update.word = words->start;
    if (update.done && !update.failed)
        update.offset = event->desc->size;
    if (update.word)
        progress_update(display->progress, &update);
}

/* ---- */

static void note_kept(struct display *display, const coras_event *event)
{
    int64_t kept = display->kept, total = display->kept_total;

    if (coras_add_int64(kept, event->offset, &kept) &&
        coras_add_int64(total, event->total, &total)) {
        display->kept = kept;
        display->kept_total = total;
    }
}

void display_advise(const struct display *display, coras_error **err)
{
    coras_auto_buf kept = CORAS_BUF_UNLIMITED, total = CORAS_BUF_UNLIMITED;

    if (!display || !display->kept)
        return;
    put_size(&kept, display->kept);
    put_size(&total, display->kept_total);
    coras_hint(err, "%s of %s are kept: run the same command again to go on", kept.ptr, total.ptr);
}

void display_event(const coras_event *event, void *user)
{
    struct display *display = user;
    if (!display)
        return;
    report_event(event, display->settings.report);
    if (event->kind == CORAS_EVENT_KEPT) {
        note_kept(display, event);
    } else if (event->kind == CORAS_EVENT_TAGGED || event->kind == CORAS_EVENT_TAGGING) {
        progress_free(display->progress); /* what follows are lines */
        display->progress = NULL;
        show_headline(display);
        if (event->kind == CORAS_EVENT_TAGGED && !display->settings.quiet)
            printf("Tagged %s\n", event->text);
    } else if (display->progress) {
        show_bar(display, event);
    } else if (!display->settings.quiet && !display->settings.terminal &&
               !display->settings.report) {
        show_line(display, event);
    }
}

void display_finish(struct display *display)
{
    if (!display)
        return;
    progress_free(display->progress);
    display->progress = NULL;
    show_headline(display);
}

void display_free(struct display *display)
{
    if (!display)
        return;
    progress_free(display->progress);
    free(display);
}
