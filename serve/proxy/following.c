/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for what another request brings, and beginning again. */
#include "serve/proxy/following.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "serve/proxy/fills.h"

struct following {
    serve_flights *flights;
    serve_flight *flight; /* one of both */
    serve_fill *fill;
    int64_t deadline_ms;
    serve_waiter *waiter; /* that may be on the list of one */
    bool is_over;
};

static serve_flights *flights_of(const struct serve_exchange *x)
{
    return x->registry->upstreams->flights;
}

/* ---- what became of it ---- */

static void forget_followed(struct serve_exchange *x)
{
    if (x->followed.flight)
        serve_flight_leave(flights_of(x), x->followed.flight);
    x->followed = (struct serve_followed){NULL, false};
}

void serve_following_abandon(struct serve_exchange *x)
{
    if (!x->leading)
        return;
    x->leading->said.kind = SERVE_SAID_WAIT;
    serve_flight_land(flights_of(x), x->leading);
    serve_flight_leave(flights_of(x), x->leading);
    x->leading = NULL;
}

void serve_following_clear(struct serve_exchange *x)
{
    serve_following_abandon(x);
    forget_followed(x);
}

/* 1: the operation can run again. 0: the waiter is woken. */
static int look_at_flight(struct serve_exchange *x, struct following *w)
{
    bool landed = serve_flight_wait(flights_of(x), w->flight, w->waiter);

    if (!landed && coras_now_ms() < w->deadline_ms && !serve_exchange_is_gone(x))
        return 0;
    serve_flight_forget(flights_of(x), w->flight, w->waiter);
    forget_followed(x);
    x->followed = (struct serve_followed){coras_steal(&w->flight), landed};
    return 1;
}

static bool is_gone(void *user)
{
    return serve_exchange_is_gone(user);
}

static int look_at_fill(struct serve_exchange *x, struct following *w)
{
    const struct serve_fill_wait wait = {is_gone, x, w->deadline_ms, w->waiter};
    int rc = serve_fill_look_recorded(w->fill, &wait, NULL);

    if (rc == 0)
        return 0;
    x->brought = (struct serve_brought){w->fill->digest, rc < 0 ? rc : 0};
    return 1;
}

/* ---- waiting ---- */

static void close_following(void *user)
{
    struct following *w = user;

    if (w->fill) {
        pthread_mutex_lock(&w->fill->lock);
        serve_fill_forget(w->fill, w->waiter);
        pthread_mutex_unlock(&w->fill->lock);
        serve_fills_leave(w->fill->fills, w->fill);
    }
    if (w->flight) {
        serve_flight_forget(w->flights, w->flight, w->waiter);
        serve_flight_leave(w->flights, w->flight);
    }
    free(w);
}

/* The operation, from its start. Whether it waits for something else now. */
static bool run_again(struct serve_exchange *x)
{
    struct serve_pending own = x->pending;

    x->pending = (struct serve_pending){.user = NULL};
    if (x->is_ending)
        serve_exchange_end(x);
    else
        serve_exchange_begin(x);
    if (!x->pending.user) {
        x->pending = own;
        return false;
    }
    own.close(own.user);
    return true;
}

static void work(struct serve_exchange *x, void *user)
{
    (void)user;
    (void)run_again(x);
}

/* By whoever serves connections, if that is quick; as the operation was begun. */
static enum serve_progress resume(struct serve_exchange *x, serve_waiter *waiter)
{
    if (x->is_ending || serve_exchange_work(x) != SERVE_WORK_NONE)
        return SERVE_PROGRESS_WORK;
    x->may_ask = false;
    if (run_again(x))
        return serve_exchange_go_on(x, waiter);
    return x->answer.status == 0 && x->has_to_ask ? SERVE_PROGRESS_WORK : SERVE_PROGRESS_DONE;
}

static enum serve_progress go_on(struct serve_exchange *x, void *user, serve_waiter *waiter)
{
    struct following *w = user;

    if (w->is_over) /* and a worker has run it */
        return SERVE_PROGRESS_DONE;
    w->waiter = waiter;
    if ((w->fill ? look_at_fill : look_at_flight)(x, w) == 0)
        return SERVE_PROGRESS_LATER;
    w->is_over = true;
    return resume(x, waiter);
}

static bool wait_for(struct serve_exchange *x, serve_flight *flight, serve_fill *fill,
                     int64_t limit_ms)
{
    /* one thing at a time: what was waited for before would be held for ever */
    struct following *w = x->pending.user ? NULL : coras_new(struct following);

    if (!w)
        return false;
    *w = (struct following){flights_of(x), flight, fill, coras_now_ms() + limit_ms, NULL, false};
    x->pending =
        (struct serve_pending){.go_on = go_on, .work = work, .close = close_following, .user = w};
    return true;
}

/* ---- beginning ---- */

/* The one that was waited for, if it is that. */
static enum serve_flight_role take_followed(struct serve_exchange *x, serve_flight **ret)
{
    if (!x->followed.landed)
        return SERVE_FLIGHT_NONE;
    *ret = serve_flight_hold(flights_of(x), x->followed.flight);
    return SERVE_FLIGHT_LANDED;
}

static bool is_of(const serve_flight *flight, const char *key)
{
    return flight && coras_streq(serve_flight_key(flight), key);
}

static bool was_abandoned(const struct serve_exchange *x)
{
    return x->followed.landed && x->followed.flight->said.kind == SERVE_SAID_WAIT;
}

/* At once, or where it may be asked: nobody else asks meanwhile. */
static enum serve_flight_role lead(struct serve_exchange *x, serve_flight *flight,
                                   serve_flight **ret)
{
    if (x->may_ask) {
        *ret = flight;
        return SERVE_FLIGHT_LEAD;
    }
    serve_following_abandon(x);
    x->leading = flight;
    x->has_to_ask = true;
    return SERVE_FLIGHT_LATER;
}

enum serve_flight_role serve_follow(struct serve_exchange *x, const char *key, int64_t limit_ms,
                                    serve_flight **ret)
{
    enum serve_flight_role role;
    serve_flight *flight = NULL;

    *ret = NULL;
    if (x->leading && x->may_ask && is_of(x->leading, key)) {
        *ret = coras_steal(&x->leading);
        return SERVE_FLIGHT_LEAD;
    }
    if (is_of(x->followed.flight, key) && !was_abandoned(x))
        return take_followed(x, ret);
    role = serve_flight_board(flights_of(x), key, &flight);
    if (role == SERVE_FLIGHT_LEAD)
        return lead(x, flight, ret);
    if (role == SERVE_FLIGHT_NONE)
        return role;
    if (limit_ms > 0 && wait_for(x, flight, NULL, limit_ms))
        return SERVE_FLIGHT_LATER;
    serve_flight_leave(flights_of(x), flight);
    return SERVE_FLIGHT_NONE;
}

int serve_follow_fill(struct serve_exchange *x, serve_fill *f, int64_t limit_ms, coras_error **err)
{
    if (wait_for(x, NULL, f, limit_ms))
        return 0;
    serve_fills_leave(f->fills, f);
    return coras_fail_no_memory(err);
}
