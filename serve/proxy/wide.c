/* SPDX-License-Identifier: Apache-2.0 */
/* Further connections of a fill: when there are some, and what each brings. */
#include "serve/proxy/wide.h"

#include "base/clock.h"
#include "serve/proxy/ahead_impl.h"
#include "serve/proxy/fills.h"

/* A connection brings so much by one request, and less when there is not that much left for it. */
#define PIECE_MOST  ((int64_t)16 * CORAS_MIB)
#define PIECE_LEAST ((int64_t)4 * CORAS_MIB)
/* How often the judge is asked. */
#define LOOK_BYTES ((int64_t)256 * CORAS_KIB)
/* Of the places for parts, readers need some. */
#define PARTS_MOST (SERVE_AHEAD_PARTS_MAX / 2)

static coras_lanes *lanes_of(const serve_fill *f)
{
    return &f->upstream->lanes;
}

/* ---- pieces; with the lock ---- */

/* The first byte from `position` on that nobody brings or has brought. */
static int64_t skip_brought(const struct serve_ahead *a, int64_t position)
{
    bool moved = true;

    while (moved) {
        moved = false;
        for (size_t i = 0; i < a->len; i++) {
            const struct serve_ahead_part *p = a->items[i];
            if (!p->is_aside && p->first <= position && position < p->end) {
                position = p->end;
                moved = true;
            }
        }
    }
    return position;
}

static int64_t piece_bytes(const serve_fill *f)
{
    int64_t bytes = (f->size - f->got) / (f->ahead->lanes + 1) / 4;

    if (bytes > PIECE_MOST)
        return PIECE_MOST;
    return bytes < PIECE_LEAST ? PIECE_LEAST : bytes;
}

/* Where the next piece begins. What follows the place of the filler is its own to bring, unless
 * somebody brings it. */
static int64_t next_position(const serve_fill *f, int64_t piece)
{
    int64_t at = skip_brought(f->ahead, f->got);

    if (at == f->got)
        at = skip_brought(f->ahead, at + piece);
    return at - f->got < SERVE_AHEAD_NEAR ? skip_brought(f->ahead, f->got + piece) : at;
}

/* A piece that its reader or the filler brings itself before long is passed over. */
static struct serve_ahead_part *next_piece(serve_fill *f)
{
    struct serve_ahead *a = f->ahead;
    int64_t piece = piece_bytes(f), at = next_position(f, piece), end;
    struct serve_ahead_part *p;

    while ((end = serve_ahead_piece_end(f, at, at + piece)) - at < SERVE_AHEAD_WORTH) {
        if (at >= f->size || end >= f->size)
            return NULL;
        at = skip_brought(a, end > at ? end : at + 1);
    }
    p = serve_ahead_add(a, at);
    if (p) {
        p->end = end;
        p->is_running = true;
    }
    return p;
}

static bool is_over(serve_fill *f)
{
    const struct serve_ahead *a = f->ahead;

    serve_ahead_forget_overtaken(f);
    return a->is_stopped || a->is_refused || a->len >= PARTS_MOST || f->size < 0 || f->window ||
           f->state != SERVE_FILL_RUNNING;
}

/* What to bring now; NULL: this connection is not needed any more. */
static struct serve_ahead_part *take_piece(serve_fill *f)
{
    struct serve_ahead_part *p = NULL;
    bool retires;

    pthread_mutex_lock(&f->lock);
    retires = f->ahead->retiring > 0;
    if (retires)
        f->ahead->retiring--;
    else if (!is_over(f))
        p = next_piece(f);
    pthread_mutex_unlock(&f->lock);
    return p;
}

/* ---- a connection ---- */

struct wide_lane {
    serve_fill *fill;
    int64_t asked_ms;
    bool is_open; /* it has brought something */
};

static void lane_arrived(void *user, size_t len)
{
    struct wide_lane *lane = user;

    if (!lane->is_open)
        coras_lanes_opened(lanes_of(lane->fill), coras_now_ms() - lane->asked_ms);
    lane->is_open = true;
    coras_lanes_arrived(lanes_of(lane->fill), len);
}

static bool bring(struct wide_lane *lane, struct serve_ahead_part *p)
{
    const struct serve_ahead_watch watch = {lane_arrived, lane};
    serve_fill *f = lane->fill;
    int rc;

    lane->asked_ms = coras_now_ms();
    rc = serve_ahead_bring(f, p, &watch, NULL);
    pthread_mutex_lock(&f->lock);
    if (rc < 0)
        serve_ahead_note_failure(f, rc);
    serve_ahead_settle(f, p);
    pthread_mutex_unlock(&f->lock);
    return rc == 0;
}

/* It is gone: `is_open` as of the lane. */
static void end_lane(serve_fill *f, bool is_open)
{
    coras_lanes_leave(lanes_of(f), is_open);
    pthread_mutex_lock(&f->lock);
    f->ahead->lanes--;
    serve_fill_tell(f);
    pthread_mutex_unlock(&f->lock);
}

static void run_lane(serve_fill *f, void *user)
{
    struct wide_lane lane = {.fill = f};
    struct serve_ahead_part *p;
    bool goes_on = true;

    (void)user;
    while (goes_on && (p = take_piece(f)))
        goes_on = bring(&lane, p);
    end_lane(f, lane.is_open);
}

/* ---- how many ---- */

static bool start_lane(serve_fill *f)
{
    if (!coras_lanes_take(lanes_of(f)))
        return false;
    pthread_mutex_lock(&f->lock);
    f->ahead->lanes++;
    pthread_mutex_unlock(&f->lock);
    if (serve_fills_help(f->fills, f, run_lane, NULL))
        return true;
    end_lane(f, false);
    return false;
}

/* Whether more may be made: there is enough left, and it takes long enough. With the lock. */
static bool may_widen(serve_fill *f, int64_t missing)
{
    int64_t got = f->got - f->measured_got, passed_ms = coras_now_ms() - f->measured_ms;

    return missing >= SERVE_WIDE_LEAST &&
           missing / SERVE_WIDE_LEAST_MS >= got / (passed_ms > 0 ? passed_ms : 1) &&
           serve_ahead_open(f) && !is_over(f);
}

/* One that is alone does nothing that the filler could not do. */
static unsigned count_retiring(const struct serve_ahead *a, int more, bool is_following)
{
    unsigned retiring = more < 0 ? (unsigned)-more : 0;

    if (is_following && a->lanes == retiring + 1 && more <= 0)
        retiring++;
    return retiring < a->lanes ? retiring : a->lanes;
}

static void look(struct serve_filler *w, bool is_following)
{
    serve_fill *f = w->fill;
    int64_t missing;
    bool may;
    int more;

    if (w->size < 0 || w->no_parts || w->got < w->wide_look_at)
        return;
    w->wide_look_at = w->got + LOOK_BYTES;
    pthread_mutex_lock(&f->lock);
    missing = serve_ahead_missing_bytes(f);
    may = may_widen(f, missing);
    pthread_mutex_unlock(&f->lock);
    more = coras_lanes_look(lanes_of(f), missing);
    while (may && more > 0 && start_lane(f))
        more--;
    pthread_mutex_lock(&f->lock);
    if (f->ahead)
        f->ahead->retiring = count_retiring(f->ahead, more, is_following);
    pthread_mutex_unlock(&f->lock);
}

/* ---- the filler's own connection ---- */

void serve_wide_ask(struct serve_filler *w)
{
    w->asked_ms = coras_now_ms();
}

void serve_wide_asked(struct serve_filler *w)
{
    if (w->has_lane)
        coras_lanes_leave(lanes_of(w->fill), true);
    w->has_lane = false;
}

/* Only what is large counts: the rest is over before anything is found out. */
static void enter(struct serve_filler *w)
{
    coras_lanes *lanes = lanes_of(w->fill);
    const coras_target_ops *ops = w->target->ops;

    coras_lanes_expect(lanes, ops->known_lanes ? ops->known_lanes(w->target) : 0,
                       ops->is_here && ops->is_here(w->target));
    coras_lanes_enter(lanes);
    coras_lanes_opened(lanes, coras_now_ms() - w->asked_ms);
    w->has_lane = true;
}

void serve_wide_arrived(struct serve_filler *w, size_t len)
{
    if (!w->has_lane && w->size - w->got >= SERVE_WIDE_LEAST)
        enter(w);
    if (!w->has_lane)
        return;
    coras_lanes_arrived(lanes_of(w->fill), len);
    look(w, false);
}

void serve_wide_follow(struct serve_filler *w)
{
    look(w, true);
}

void serve_wide_learn(struct serve_filler *w)
{
    unsigned learnt = coras_lanes_learnt(lanes_of(w->fill));

    if (learnt > 0 && w->target && w->target->ops->learn_lanes)
        w->target->ops->learn_lanes(w->target, learnt);
}
