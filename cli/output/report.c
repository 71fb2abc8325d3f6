/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events of an operation as lines of JSON: what happens to each piece of content, and from time to
 * time the whole. Content is one row for each digest, however many names it has, so that nothing is
 * counted twice.
 */
#include "cli/output/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/map.h"
#include "cli/output/speed.h"
#include "codec/date.h"

#define TELL_MS   200 /* between two lines about the progress of one thing */
#define NS_PER_MS 1000000
#define MS_PER_S  1000
#define UNNAMED   '?' /* in front of a name, as the key of what has no digest yet */

struct report_row {
    int64_t size, offset, told_ms;
    bool settled;
};

struct report {
    coras_map *rows;            /* by digest */
    int64_t total, there;       /* bytes of all rows, and of them what is at its place */
    int64_t moved;              /* bytes that this run has transferred */
    int64_t started_ms;         /* of the run */
    int64_t told_ms, hashed_ms; /* when the whole, and what is read beforehand, was told last */
    struct speed speed;
};

/* ---- lines ---- */

static void put_time(coras_buf *out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    coras_format_rfc3339(out, now.tv_sec);
    if (out->len)
        coras_buf_truncate(out, out->len - 1); /* the Z */
    coras_buf_printf(out, ".%03dZ", (int)(now.tv_nsec / NS_PER_MS));
}

void report_line_begin(coras_json_writer *w, const char *event)
{
    coras_auto_buf now = CORAS_BUF_UNLIMITED;

    put_time(&now);
    coras_jw_object(w);
    coras_jw_member(w, "event", event);
    coras_jw_member(w, "time", coras_buf_done(&now, NULL) == 0 ? now.ptr : "");
}

bool report_line_end(coras_json_writer *w)
{
    coras_jw_end_object(w);
    coras_buf_putc(w->out, '\n');
    if (coras_buf_done(w->out, NULL) < 0)
        return false;
    fwrite(w->out->ptr, 1, w->out->len, stderr);
    return true;
}

/* A line with one member. */
static void tell_text(const char *event, const char *key, const char *text)
{
    coras_auto_buf line = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&line, 0);

    report_line_begin(&w, event);
    coras_jw_member(&w, key, text);
    report_line_end(&w);
}

static void tell_amount(const char *event, const coras_event *about)
{
    coras_auto_buf line = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&line, 0);

    report_line_begin(&w, event);
    coras_jw_member_opt(&w, "name", about->text);
    coras_jw_member_int(&w, "bytes", about->offset);
    coras_jw_member_int(&w, "total", about->total);
    report_line_end(&w);
}

/* A line about one piece of content; `result` and `reason` may be NULL. */
static void tell_content(const char *name, const coras_event *about, int64_t bytes,
                         const char *result, const char *reason)
{
    coras_auto_buf line = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&line, 0);
    char digest[CORAS_DIGEST_TEXT_MAX];

    report_line_begin(&w, name);
    coras_jw_member(&w, "digest", coras_digest_format(&about->desc->digest, digest));
    coras_jw_member_opt(&w, "name", about->named ? about->name : NULL);
    coras_jw_member_opt(&w, "mediaType", about->desc->media_type);
    coras_jw_member_int(&w, "bytes", bytes);
    coras_jw_member_int(&w, "total", about->desc->size);
    coras_jw_member_opt(&w, "result", result);
    coras_jw_member_opt(&w, "reason", reason);
    report_line_end(&w);
}

/* ---- rows ---- */

static void add(int64_t *sum, int64_t n)
{
    int64_t result;

    if (coras_add_int64(*sum, n, &result))
        *sum = result;
}

static struct report_row *add_row(struct report *r, const char *key, int64_t size)
{
    struct report_row *row = coras_new(struct report_row);

    if (!row || coras_map_set(r->rows, key, row, NULL) < 0) {
        free(row);
        return NULL;
    }
    row->size = size;
    add(&r->total, size);
    return row;
}

static char *unnamed_key(const char *name)
{
    return coras_asprintf("%c%s", UNNAMED, name ? name : "");
}

/* What was expected while its digest was not known is counted under its digest from now on. */
static void forget_unnamed(struct report *r, const char *name)
{
    coras_auto_free char *key = unnamed_key(name);
    const struct report_row *row = key ? coras_map_get(r->rows, key) : NULL;

    if (!row)
        return;
    add(&r->total, -row->size);
    coras_map_remove(r->rows, key);
}

static struct report_row *row_of(struct report *r, const coras_event *event)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    struct report_row *row =
        coras_map_get(r->rows, coras_digest_format(&event->desc->digest, digest));

    if (row)
        return row;
    forget_unnamed(r, event->name);
    return add_row(r, digest, event->desc->size);
}

static void expect(struct report *r, const coras_event *event)
{
    coras_auto_free char *key = event->desc ? NULL : unnamed_key(event->text);

    if (event->desc)
        (void)row_of(r, event);
    else if (key && !coras_map_has(r->rows, key))
        (void)add_row(r, key, event->total);
}

/* ---- the whole ---- */

static bool is_time(int64_t *told_ms)
{
    int64_t now = coras_now_ms();

    if (*told_ms && now - *told_ms < TELL_MS)
        return false;
    *told_ms = now;
    return true;
}

static void put_sums(coras_json_writer *w, const struct report *r, double rate)
{
    coras_jw_member_int(w, "bytes", r->there);
    coras_jw_member_int(w, "total", r->total);
    coras_jw_member_int(w, "transferred", r->moved);
    coras_jw_member_int(w, "rate", (int64_t)rate);
}

static void tell_whole(struct report *r)
{
    coras_auto_buf line = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&line, 0);
    double rate;

    if (!is_time(&r->told_ms))
        return;
    rate = speed_now(&r->speed, r->moved);
    report_line_begin(&w, "total");
    put_sums(&w, r, rate);
    if (rate > 0)
        coras_jw_member_int(&w, "left", (int64_t)ceil((double)(r->total - r->there) / rate));
    report_line_end(&w);
}

/* ---- events ---- */

static void move_to(struct report *r, struct report_row *row, int64_t offset)
{
    add(&r->there, offset - row->offset);
    add(&r->moved, offset - row->offset);
    row->offset = offset;
}

/* It is at its place, whether it was moved there or not. */
static void settle(struct report *r, struct report_row *row, bool was_moved)
{
    if (row->settled)
        return;
    row->settled = true;
    if (was_moved) {
        move_to(r, row, row->size);
        return;
    }
    add(&r->there, row->size - row->offset);
    row->offset = row->size;
}

static const char *result_of(enum coras_event_kind kind)
{
    switch (kind) {
    case CORAS_EVENT_DONE:
        return "transferred";
    case CORAS_EVENT_EXISTS:
        return "exists";
    case CORAS_EVENT_SKIPPED:
        return "skipped";
    case CORAS_EVENT_MOUNTED:
        return "mounted";
    case CORAS_EVENT_RESTORED:
        return "restored";
    default:
        return NULL;
    }
}

static void content_event(struct report *r, const coras_event *event)
{
    struct report_row *row = row_of(r, event);
    const char *result = result_of(event->kind);

    if (!row)
        return;
    if (result) {
        settle(r, row, event->kind == CORAS_EVENT_DONE);
        tell_content("end", event, event->desc->size, result, NULL);
    } else if (event->kind == CORAS_EVENT_START) {
        tell_content("start", event, 0, NULL, NULL);
    } else if (event->kind == CORAS_EVENT_RETRYING) {
        move_to(r, row, event->offset);
        tell_content("retry", event, event->offset, NULL, event->text);
    } else if (event->kind == CORAS_EVENT_FAILED) {
        tell_content("failed", event, row->offset, NULL, NULL);
    } else if (event->kind == CORAS_EVENT_PROGRESS && !row->settled) {
        move_to(r, row, event->offset);
        if (is_time(&row->told_ms))
            tell_content("progress", event, event->offset, NULL, NULL);
    }
    tell_whole(r);
}

void report_event(const coras_event *event, void *user)
{
    struct report *r = user;

    if (!r)
        return;
    switch (event->kind) {
    case CORAS_EVENT_EXPECTED:
        expect(r, event);
        return;
    case CORAS_EVENT_HASHING:
        if (is_time(&r->hashed_ms))
            tell_amount("hashing", event);
        return;
    case CORAS_EVENT_KEPT:
        tell_amount("kept", event);
        return;
    case CORAS_EVENT_TAGGED:
        tell_text("tagged", "tag", event->text);
        return;
    case CORAS_EVENT_BEGUN:
        tell_text("tag-start", "tag", event->text);
        return;
    case CORAS_EVENT_ENDED:
        tell_text("tag-end", "tag", event->text);
        return;
    case CORAS_EVENT_PROCESSING:
    case CORAS_EVENT_TAGGING:
    case CORAS_EVENT_RESOLVED:
        return;
    default:
        if (event->desc)
            content_event(r, event);
    }
}

void report_done(struct report *r)
{
    coras_auto_buf line = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&line, 0);
    int64_t ms;

    if (!r)
        return;
    ms = coras_now_ms() - r->started_ms;
    report_line_begin(&w, "done");
    put_sums(&w, r, ms > 0 ? (double)r->moved * MS_PER_S / (double)ms : 0);
    coras_jw_key(&w, "seconds");
    coras_jw_real(&w, (double)ms / MS_PER_S);
    report_line_end(&w);
}

/* ---- life ---- */

struct report *report_new(const char *command, const char *reference)
{
    coras_auto_buf line = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&line, 0);
    struct report *r = coras_new(struct report);

    if (!r)
        return NULL;
    r->rows = coras_map_new(free);
    if (!r->rows) {
        free(r);
        return NULL;
    }
    r->started_ms = coras_now_ms();
    report_line_begin(&w, "begin");
    coras_jw_member(&w, "command", command);
    coras_jw_member_opt(&w, "reference", reference);
    report_line_end(&w);
    return r;
}

void report_free(struct report *r)
{
    if (!r)
        return;
    coras_map_free(r->rows);
    free(r);
}
