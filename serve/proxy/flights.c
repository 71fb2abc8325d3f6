/* SPDX-License-Identifier: Apache-2.0 */
/* Questions under way, by key. */
#include "serve/proxy/flights.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/map.h"

struct serve_flights {
    pthread_mutex_t lock;
    pthread_cond_t landed;
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
    coras_cond_init(&f->landed);
    return f;
}

void serve_flights_free(serve_flights *f)
{
    if (!f)
        return;
    coras_map_free(f->under_way);
    pthread_cond_destroy(&f->landed);
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

/* Under the lock; false: it did not land in time. */
static bool wait_for(serve_flights *f, const serve_flight *flight, int64_t limit_ms)
{
    struct timespec until = coras_deadline_ms(limit_ms);

    while (!flight->landed) {
        if (pthread_cond_timedwait(&f->landed, &f->lock, &until) != 0 && !flight->landed)
            return false;
    }
    return true;
}

/* Under the lock. */
static void let_go(serve_flight *flight)
{
    if (--flight->holders == 0)
        flight_free(flight);
}

enum serve_flight_role serve_flight_board(serve_flights *f, const char *key, int64_t limit_ms,
                                          serve_flight **ret)
{
    enum serve_flight_role role = SERVE_FLIGHT_NONE;
    serve_flight *flight;

    *ret = NULL;
    pthread_mutex_lock(&f->lock);
    flight = coras_map_get(f->under_way, key);
    if (!flight) {
        flight = begin(f, key);
        role = flight ? SERVE_FLIGHT_LEAD : SERVE_FLIGHT_NONE;
    } else {
        flight->holders++;
        if (wait_for(f, flight, limit_ms)) {
            role = SERVE_FLIGHT_LANDED;
        } else {
            let_go(flight);
            flight = NULL;
        }
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
    pthread_cond_broadcast(&f->landed);
    pthread_mutex_unlock(&f->lock);
}

void serve_flight_leave(serve_flights *f, serve_flight *flight)
{
    if (!flight)
        return;
    pthread_mutex_lock(&f->lock);
    let_go(flight);
    pthread_mutex_unlock(&f->lock);
}
