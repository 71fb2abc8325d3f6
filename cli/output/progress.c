/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bars: two lines per piece of content and one for the whole, drawn five times a second by a thread
 * of their own, so that they move while a transfer waits. The thread and the caller share the rows
 * under one lock.
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/vec.h"
#include "cli/output/display.h"
#include "cli/output/speed.h"
#include "cli/output/text.h"
#include "cli/app/terminal.h"

#define FRAME_MS       200
#define BAR_CELLS      20
#define WIDTH_LEAST    80
#define HEIGHT_LEAST   10
#define LINES_PER_ROW  2
#define NS_PER_MS      1000000
#define MS_PER_S       1000
#define LONGEST_LEFT_S 360000 /* what takes 100 hours and more is not foretold */

struct bar_row {
    char *key;  /* the name as it came */
    char *name; /* the same, safe to show */
    char *word;
    char digest[CORAS_DIGEST_TEXT_MAX];
    int64_t total, offset;
    int64_t started_ms, ended_ms;
    bool moved, done, failed;
    bool transferred; /* not only read, found or left out */
    struct speed speed;
};

struct progress {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop; /* lock */
    struct {   /* lock */
        struct bar_row *items;
        size_t len, cap;
    } rows;
    size_t drawn; /* lock: rows that have room on the screen */
    unsigned frame;
    int64_t started_ms;  /* of the first transfer; 0: none yet */
    struct speed speed;  /* of all */
    bool has_whole_line; /* on the screen */
};

/* ---- text of a row ---- */

/* Cells that a UTF-8 text takes: code points, which is right for what is drawn here. */
static size_t cells(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static void put_speed(coras_buf *out, struct bar_row *row)
{
    coras_auto_buf number = CORAS_BUF_UNLIMITED;
    struct human_size size = human_size_of(speed_now(&row->speed, row->offset));
    coras_buf_printf(&number, "%.15g %2s", size.number, size.unit);
    coras_buf_printf(out, "(%*s%s/s)", number.len < 7 ? (int)(7 - number.len) : 0, "", number.ptr);
}

static const char *spinner(unsigned frame)
{
    static const char *const symbols[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
    return symbols[frame % CORAS_ARRAY_LEN(symbols)];
}

/* *ret_invisible: bytes of colour codes, which take no cells. */
static void put_left(coras_buf *out, struct bar_row *row, unsigned frame, size_t *ret_cells)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    if (row->done && !row->failed) {
        coras_buf_printf(out, "\x1b[92m✓\x1b[0m");
        coras_buf_printf(&text, " %s %s", row->word, row->name);
        coras_buf_puts(out, text.ptr);
        *ret_cells = 1 + cells(text.ptr);
        return;
    }
    size_t full = row->total > 0 ? (size_t)(row->offset * BAR_CELLS / row->total) : 0;
    full = full > BAR_CELLS ? BAR_CELLS : full;
    coras_buf_printf(out, "%s%s\x1b[0m [\x1b[104m%*s\x1b[0m", row->failed ? "\x1b[91m" : "\x1b[93m",
                     row->failed ? "✗" : spinner(frame), (int)full, "");
    for (size_t i = full; i < BAR_CELLS; i++)
        coras_buf_putc(out, '.');
    put_speed(&text, row);
    coras_buf_printf(&text, " %s %s", row->word, row->name);
    coras_buf_printf(out, "]%s", text.ptr);
    *ret_cells = 1 + 2 + BAR_CELLS + 1 + cells(text.ptr);
}

static void put_right(coras_buf *out, const struct bar_row *row)
{
    coras_auto_buf spent = CORAS_BUF_UNLIMITED;
    struct human_size total = human_size_of((double)row->total);
    int64_t until = row->done ? row->ended_ms : coras_now_ms();
    put_duration(&spent, (until - row->started_ms) * NS_PER_MS);
    double percent = row->total > 0 ? (double)row->offset * 100 / (double)row->total : 0;
    if (row->done && !row->failed) {
        percent = 100;
        coras_buf_printf(out, " %.15g", total.number);
    } else if (!row->moved) {
        coras_buf_puts(out, " -");
    } else {
        coras_buf_printf(out, " %.2f", (double)row->offset / total.divisor);
    }
    coras_buf_printf(out, "/%.15g %2s %6.2f%% ", total.number, total.unit, percent);
    size_t wide = cells(spent.ptr);
    coras_buf_printf(out, "%*s%s", wide < 6 ? (int)(6 - wide) : 0, "", spent.ptr);
}

/* Cut what does not fit; the last cell is then a dot. `out` holds colour codes, which stay. */
static void cut_to(coras_buf *line, size_t width)
{
    size_t seen = 0;
    for (size_t i = 0; i < line->len; i++) {
        if (line->ptr[i] == '\x1b') {
            while (i < line->len && line->ptr[i] != 'm')
                i++;
            continue;
        }
        if (((unsigned char)line->ptr[i] & 0xc0) != 0x80 && ++seen == width) {
            coras_buf_truncate(line, i);
            coras_buf_putc(line, '.');
            return;
        }
    }
}

static void put_row_text(coras_buf *out, struct bar_row *row, unsigned frame, size_t width)
{
    coras_auto_buf left = CORAS_BUF_UNLIMITED, right = CORAS_BUF_UNLIMITED;
    size_t left_cells = 0;
    put_left(&left, row, frame, &left_cells);
    put_right(&right, row);
    size_t right_cells = cells(right.ptr);
    size_t room = width > right_cells ? width - right_cells : 1;
    if (left_cells > room) {
        cut_to(&left, room);
        left_cells = room;
    }
    coras_buf_printf(out, "%s%*s%s", left.ptr, (int)(room - left_cells), "", right.ptr);
}

/* ---- the line for the whole ---- */

struct whole {
    int64_t offset, total;
    bool any;
};

static struct whole add_up(const struct progress *p)
{
    struct whole whole = {0};

    for (size_t i = 0; i < p->rows.len; i++) {
        const struct bar_row *row = &p->rows.items[i];
        if (!row->transferred)
            continue;
        whole.any = true;
        if (!coras_add_int64(whole.offset, row->offset, &whole.offset) ||
            !coras_add_int64(whole.total, row->total, &whole.total))
            return (struct whole){0};
    }
    return whole;
}

/* "Total 1.2 GB of 3.4 GB, 45 MB/s, 49s left", at the end "Total 3.4 GB of 3.4 GB, 45 MB/s, 1m15s".
 * False when nothing was transferred. */
static bool put_whole(coras_buf *out, struct progress *p)
{
    struct whole whole = add_up(p);
    int64_t ms = coras_now_ms() - p->started_ms;
    double rate = speed_now(&p->speed, whole.offset);
    struct human_size speed;

    if (!whole.any)
        return false;
    if (p->stop)
        rate = ms > 0 ? (double)whole.offset * 1000 / (double)ms : 0;
    speed = human_size_of(rate);
    coras_buf_puts(out, "Total ");
    put_size(out, whole.offset);
    coras_buf_puts(out, " of ");
    put_size(out, whole.total);
    coras_buf_printf(out, ", %.15g %s/s", speed.number, speed.unit);
    if (p->stop) {
        coras_buf_puts(out, ", ");
        put_duration(out, ms * NS_PER_MS);
    } else if (rate > 0 && (double)(whole.total - whole.offset) / rate < LONGEST_LEFT_S) {
        coras_buf_puts(out, ", ");
        put_duration(out,
                     (int64_t)((double)(whole.total - whole.offset) / rate) * MS_PER_S * NS_PER_MS);
        coras_buf_puts(out, " left");
    }
    return true;
}

/* ---- frames ---- */

static void put_line(coras_buf *out, size_t from_bottom, const char *text)
{
    coras_buf_printf(out,
                     "\x1b"
                     "8\x1b[%zuF%s\x1b[0m\n\x1b[0K",
                     from_bottom, text);
}

static void screen_size(size_t *ret_width, size_t *ret_height)
{
    unsigned width, height;
    terminal_size(&width, &height);
    *ret_width = width > WIDTH_LEAST ? width : WIDTH_LEAST;
    *ret_height = height > HEIGHT_LEAST ? height : HEIGHT_LEAST;
}

/* Room for rows that are new since the last frame. */
static void make_room(struct progress *p, coras_buf *out)
{
    for (; p->drawn < p->rows.len; p->drawn++)
        for (int i = 0; i < LINES_PER_ROW; i++)
            coras_buf_puts(out, "\x1b"
                                "8\n\x1b"
                                "7");
}

/* Below the rows, where the cursor is kept. */
static void draw_whole(struct progress *p, coras_buf *out)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    p->has_whole_line = put_whole(&text, p);
    if (p->has_whole_line)
        coras_buf_printf(out,
                         "\x1b"
                         "8\x1b[0G%s\x1b[0K",
                         text.ptr);
}

static void draw(struct progress *p)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    size_t width, height;
    screen_size(&width, &height);
    make_room(p, &out);
    size_t shown = height / LINES_PER_ROW;
    size_t first = p->rows.len > shown ? p->rows.len - shown : 0;
    for (size_t i = first; i < p->rows.len; i++) {
        coras_auto_buf text = CORAS_BUF_UNLIMITED, digest = CORAS_BUF_UNLIMITED;
        size_t from_bottom = (p->rows.len - i) * LINES_PER_ROW;
        put_row_text(&text, &p->rows.items[i], p->frame, width);
        put_line(&out, from_bottom, text.ptr);
        coras_buf_printf(&digest, "  └─ %s", p->rows.items[i].digest);
        size_t used = cells(digest.ptr);
        coras_buf_printf(&digest, "%*s", used < width ? (int)(width - used) : 0, "");
        put_line(&out, from_bottom - 1, digest.ptr);
    }
    draw_whole(p, &out);
    p->frame++;
    fwrite(out.ptr, 1, out.len, stderr);
    fflush(stderr);
}

static void *run(void *user)
{
    struct progress *p = user;
    pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        struct timespec until;
        draw(p);
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += FRAME_MS * NS_PER_MS;
        until.tv_sec += until.tv_nsec / (1000L * NS_PER_MS);
        until.tv_nsec %= 1000L * NS_PER_MS;
        pthread_cond_timedwait(&p->wake, &p->lock, &until);
    }
    draw(p);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct progress *progress_new(void)
{
    struct progress *p = coras_new(struct progress);
    if (!p)
        return NULL;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    fputs("\x1b[?25l\x1b"
          "7\x1b[0m",
          stderr);
    if (pthread_create(&p->thread, NULL, run, p) == 0)
        return p;
    fputs("\x1b[?25h", stderr);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
    return NULL;
}

void progress_free(struct progress *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    fputs(p->has_whole_line ? "\n\x1b[?25h"
                            : "\x1b"
                              "8\x1b[0G\x1b[2K\x1b[?25h",
          stderr);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    for (size_t i = 0; i < p->rows.len; i++) {
        free(p->rows.items[i].key);
        free(p->rows.items[i].name);
        free(p->rows.items[i].word);
    }
    free(p->rows.items);
    free(p);
}

/* ---- changes ---- */

static struct bar_row *new_row(struct progress *p, const char *digest, const char *name)
{
    if (coras_vec_grow(&p->rows, 1) < 0)
        return NULL;
    struct bar_row *row = &p->rows.items[p->rows.len];
    *row = (struct bar_row){
        .name = coras_escape_dup(name), .key = coras_strdup(name), .started_ms = coras_now_ms()};
    if (!row->name || !row->key) {
        free(row->name);
        free(row->key);
        return NULL;
    }
    memcpy(row->digest, digest, strlen(digest) + 1);
    p->rows.len++;
    return row;
}

/* A row that was begun while the digest was being made gets it now. */
static struct bar_row *find_row(struct progress *p, const char *digest, const char *name)
{
    struct bar_row *unnamed = NULL;

    for (size_t i = p->rows.len; i-- > 0;) {
        struct bar_row *row = &p->rows.items[i];
        if (strcmp(row->key, name) != 0)
            continue;
        if (strcmp(row->digest, digest) == 0)
            return row;
        if (!*row->digest)
            unnamed = row;
    }
    if (unnamed)
        memcpy(unnamed->digest, digest, strlen(digest) + 1);
    return unnamed ? unnamed : new_row(p, digest, name);
}

static void change_row(struct bar_row *row, const struct progress_update *update)
{
    row->total = update->total;
    row->moved = row->moved || update->offset > 0;
    row->transferred = row->transferred || update->transferred;
    if (!update->failed) /* it got as far as it got */
        row->offset = update->offset;
    row->failed = update->failed;
    if (update->done)
        row->ended_ms = coras_now_ms();
    row->done = update->done;
}

void progress_update(struct progress *p, const struct progress_update *update)
{
    char digest[CORAS_DIGEST_TEXT_MAX] = "";

    if (update->digest)
        coras_digest_format(update->digest, digest);
    pthread_mutex_lock(&p->lock);
    struct bar_row *row = find_row(p, digest, update->name ? update->name : "");
    char *word = row ? coras_strdup(update->word) : NULL;
    if (word && !row->done) {
        free(row->word);
        row->word = coras_steal(&word);
        change_row(row, update);
        if (row->transferred && !p->started_ms)
            p->started_ms = coras_now_ms();
    }
    pthread_mutex_unlock(&p->lock);
    free(word);
}
