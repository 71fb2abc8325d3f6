/* SPDX-License-Identifier: Apache-2.0 */
/* Questions under way, by key. */
#include "serve/proxy/flights.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/map.h"

struct serve_flights {
    pthread_mutex_t lock;
    coras_map *under_way; /* lock; key to serve_flight, which its leader holds */
};

serve_flights *serve_flights_new(void)
{
    serve_flights *f = coras_new(serve_flights);

    if (!f)
        return NULL;
    f->under_way = coras_map_new(NULL);
    if (!f->under_way) {
        free(f);
        return NULL;
    }
    pthread_mutex_init(&f->lock, NULL);
    return f;
}

void serve_flights_free(serve_flights *f)
{
    if (!f)
        return;
    coras_map_free(f->under_way);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

static void flight_free(serve_flight *flight)
{
    coras_descriptor_clear(&flight->desc);
    coras_buf_clear(&flight->content);
    coras_strlist_clear(&flight->names);
    free(flight->key);
    free(flight);
}

/* Under the lock. */
static serve_flight *begin(serve_flights *f, const char *key)
{
    serve_flight *flight = coras_new(serve_flight);

    if (!flight)
        return NULL;
    *flight = (serve_flight){.said = {SERVE_SAID_FAILED, 0},
                             .content = CORAS_BUF_UNLIMITED,
                             .key = coras_strdup(key),
                             .holders = 1};
    if (flight->key && coras_map_set(f->under_way, key, flight, NULL) == 0)
        return flight;
    flight_free(flight);
    return NULL;
}

/* Under the lock. */
static void let_go(serve_flight *flight)
{
    if (--flight->holders == 0)
        flight_free(flight);
}

enum serve_flight_role serve_flight_board(serve_flights *f, const char *key, serve_flight **ret)
{
    enum serve_flight_role role = SERVE_FLIGHT_FOLLOW;
    serve_flight *flight;

    pthread_mutex_lock(&f->lock);
    flight = coras_map_get(f->under_way, key);
    if (flight) {
        flight->holders++;
    } else {
        flight = begin(f, key);
        role = flight ? SERVE_FLIGHT_LEAD : SERVE_FLIGHT_NONE;
    }
    pthread_mutex_unlock(&f->lock);
    *ret = flight;
    return role;
}

void serve_flight_land(serve_flights *f, serve_flight *flight)
{
    pthread_mutex_lock(&f->lock);
    flight->landed = true;
    coras_map_remove(f->under_way, flight->key);
    serve_waiters_wake(&flight->waiters, NULL, NULL);
    pthread_mutex_unlock(&f->lock);
}

bool serve_flight_wait(serve_flights *f, serve_flight *flight, serve_waiter *waiter)
{
    bool landed;

    pthread_mutex_lock(&f->lock);
    landed = flight->landed;
    if (!landed)
        serve_waiters_add(&flight->waiters, waiter);
    pthread_mutex_unlock(&f->lock);
    return landed;
}

void serve_flight_forget(serve_flights *f, serve_flight *flight, serve_waiter *waiter)
{
    pthread_mutex_lock(&f->lock);
    serve_waiters_remove(&flight->waiters, waiter);
    pthread_mutex_unlock(&f->lock);
}

const char *serve_flight_key(const serve_flight *flight)
{
    return flight->key;
}

serve_flight *serve_flight_hold(serve_flights *f, serve_flight *flight)
{
    pthread_mutex_lock(&f->lock);
    flight->holders++;
    pthread_mutex_unlock(&f->lock);
    return flight;
}

void serve_flight_leave(serve_flights *f, serve_flight *flight)
{
    if (!flight)
        return;
    pthread_mutex_lock(&f->lock);
    let_go(flight);
    pthread_mutex_unlock(&f->lock);
}
