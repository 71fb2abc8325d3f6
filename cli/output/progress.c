/*
 * Bars: two lines per piece of content, drawn five times a second by a thread of their own, so that
 * they move while a transfer waits. The thread and the caller share the rows under one lock.
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
#include "cli/output/text.h"
#include "cli/app/terminal.h"

#define FRAME_MS      200
#define BAR_CELLS     20
#define SPEED_FRAMES  5
#define WIDTH_LEAST   80
#define HEIGHT_LEAST  10
#define LINES_PER_ROW 2
#define NS_PER_MS     1000000

struct row {
    char *key;  /* the name as it came */
    char *name; /* the same, safe to show */
    char *word;
    char digest[CORAS_DIGEST_TEXT_MAX];
    int64_t total, offset;
    int64_t started_ms, ended_ms;
    bool moved, done, failed;
    int64_t samples[SPEED_FRAMES]; /* offsets at the last frames */
    int64_t sample_ms[SPEED_FRAMES];
    unsigned sample_count;
};

struct progress {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop; /* lock */
    struct {   /* lock */
        struct row *items;
        size_t len, cap;
    } rows;
    size_t drawn; /* lock: rows that have room on the screen */
    unsigned frame;
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

static void put_speed(coras_buf *out, struct row *row)
{
    unsigned slot = row->sample_count % SPEED_FRAMES;
    int64_t now = coras_now_ms();
    unsigned oldest = row->sample_count < SPEED_FRAMES ? 0 : slot;
    int64_t bytes = row->sample_count ? row->offset - row->samples[oldest] : 0;
    int64_t ms = row->sample_count ? now - row->sample_ms[oldest] : 0;
    row->samples[slot] = row->offset;
    row->sample_ms[slot] = now;
    row->sample_count++;
    coras_auto_buf number = CORAS_BUF_UNLIMITED;
    struct human_size size = human_size_of(ms > 0 ? (double)bytes * 1000 / (double)ms : 0);
    coras_buf_printf(&number, "%.15g %2s", size.number, size.unit);
    coras_buf_printf(out, "(%*s%s/s)", number.len < 7 ? (int)(7 - number.len) : 0, "", number.ptr);
}

static const char *spinner(unsigned frame)
{
    static const char *const symbols[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
    return symbols[frame % CORAS_ARRAY_LEN(symbols)];
}

/* *ret_invisible: bytes of colour codes, which take no cells. */
static void put_left(coras_buf *out, struct row *row, unsigned frame, size_t *ret_cells)
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

static void put_right(coras_buf *out, const struct row *row)
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

static void put_row_text(coras_buf *out, struct row *row, unsigned frame, size_t width)
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
    fputs("\x1b"
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

static struct row *find_row(struct progress *p, const char *digest, const char *name)
{
    for (size_t i = p->rows.len; i-- > 0;) {
        struct row *row = &p->rows.items[i];
        if (strcmp(row->digest, digest) == 0 && strcmp(row->key, name) == 0)
            return row;
    }
    if (coras_vec_grow(&p->rows, 1) < 0)
        return NULL;
    struct row *row = &p->rows.items[p->rows.len];
    *row = (struct row){
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

void progress_update(struct progress *p, const struct progress_update *update)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_digest_format(&update->desc->digest, digest);
    pthread_mutex_lock(&p->lock);
    struct row *row = find_row(p, digest, update->name ? update->name : "");
    char *word = row ? coras_strdup(update->word) : NULL;
    if (word && !row->done) {
        free(row->word);
        row->word = coras_steal(&word);
        row->total = update->desc->size;
        row->moved = row->moved || update->offset > 0;
        row->offset = update->offset;
        row->failed = update->failed;
        if (update->done)
            row->ended_ms = coras_now_ms();
        row->done = update->done;
    }
    pthread_mutex_unlock(&p->lock);
    free(word);
}
