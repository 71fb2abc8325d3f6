/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of open connections. Progress is what the kernel has acknowledged in either direction,
 * so that a body, an answer sent from a file and TLS are all measured in one way.
 */
#include "serve/http/clients.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/str.h"

/* What has to move within the time that an idle connection is given: 273 bytes a second by default.
 * A byte a minute is no progress. */
#define PROGRESS_BYTES (16 * CORAS_KIB)

struct serve_clients {
    struct serve_client_limits limits; /* const */
    pthread_mutex_t lock;
    serve_client *first; /* lock; the youngest */
};

serve_clients *serve_clients_new(const struct serve_client_limits *limits)
{
    serve_clients *t = coras_new(serve_clients);

    if (!t)
        return NULL;
    t->limits = *limits;
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

void serve_clients_free(serve_clients *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* ---- how many ---- */

/* Its thread notices, and ends it. The descriptor is open: serve_client_end() comes before its
 * close and needs the lock. */
static void cut(serve_client *c)
{
    c->phase = SERVE_PHASE_CUT;
    (void)shutdown(c->fd, SHUT_RDWR);
}

static bool is_of(const serve_client *c, const char *network)
{
    return c->phase != SERVE_PHASE_CUT && (!network || coras_streq(c->network, network));
}

/* Make room for one among those of `network` (NULL: all), if there are `most` already. */
static bool make_room(serve_clients *t, const char *network, int64_t most)
{
    serve_client *oldest = NULL;
    int64_t count = 0;

    for (serve_client *c = t->first; c; c = c->next) {
        if (!is_of(c, network))
            continue;
        count++;
        if ((c->phase == SERVE_PHASE_WAITING || c->phase == SERVE_PHASE_DRAINING) &&
            (!oldest || c->since_ms <= oldest->since_ms))
            oldest = c;
    }
    if (count < most)
        return true;
    if (oldest)
        cut(oldest);
    return oldest != NULL;
}

bool serve_clients_admit(serve_clients *t, const struct sockaddr *address)
{
    char network[SERVE_PEER_MAX];
    bool room = true;

    serve_peer_network(address, network);
    pthread_mutex_lock(&t->lock);
    if (t->limits.most_per_address > 0)
        room = make_room(t, network, t->limits.most_per_address);
    room = room && make_room(t, NULL, t->limits.most);
    pthread_mutex_unlock(&t->lock);
    return room;
}

/* ---- one connection ---- */

serve_client *serve_client_start(serve_clients *t, int fd, const struct sockaddr *address)
{
    serve_client *c = coras_new(serve_client);

    if (!c)
        return NULL;
    c->fd = fd;
    c->users = 1;
    c->since_ms = coras_now_ms();
    serve_peer_address(address, c->peer);
    serve_peer_network(address, c->network);
    pthread_mutex_lock(&t->lock);
    c->next = t->first;
    if (c->next)
        c->next->previous = c;
    t->first = c;
    pthread_mutex_unlock(&t->lock);
    return c;
}

/* With the lock. */
static void let_go(serve_client *c)
{
    if (--c->users == 0)
        free(c);
}

void serve_client_end(serve_clients *t, serve_client *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&t->lock);
    if (c->previous)
        c->previous->next = c->next;
    else
        t->first = c->next;
    if (c->next)
        c->next->previous = c->previous;
    c->phase = SERVE_PHASE_ENDED;
    let_go(c);
    pthread_mutex_unlock(&t->lock);
}

serve_client *serve_client_hold(serve_clients *t, serve_client *c)
{
    if (!c)
        return NULL;
    pthread_mutex_lock(&t->lock);
    c->users++;
    pthread_mutex_unlock(&t->lock);
    return c;
}

void serve_client_let_go(serve_clients *t, serve_client *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&t->lock);
    let_go(c);
    pthread_mutex_unlock(&t->lock);
}

void serve_client_cut(serve_clients *t, serve_client *c)
{
    pthread_mutex_lock(&t->lock);
    if (c->phase != SERVE_PHASE_ENDED)
        (void)shutdown(c->fd, SHUT_RDWR);
    pthread_mutex_unlock(&t->lock);
}

void serve_clients_cut(serve_clients *t)
{
    pthread_mutex_lock(&t->lock);
    for (serve_client *c = t->first; c; c = c->next)
        cut(c);
    pthread_mutex_unlock(&t->lock);
}

/* Bytes that came in or were taken by the other side so far; 0 where the kernel does not tell. */
static uint64_t bytes_moved(const serve_client *c)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return 0;
    return info.tcpi_bytes_acked + info.tcpi_bytes_received;
}

void serve_client_enter(serve_clients *t, serve_client *c, enum serve_phase phase)
{
    if (!c)
        return;
    pthread_mutex_lock(&t->lock);
    if (c->phase != phase && c->phase < SERVE_PHASE_CUT) {
        c->phase = phase;
        c->since_ms = coras_now_ms();
        c->is_measured = false;
    }
    pthread_mutex_unlock(&t->lock);
}

/* ---- how slow ---- */

static bool gets_on(serve_client *c, int64_t now_ms)
{
    uint64_t moved = bytes_moved(c);

    if (moved - c->since_moved < PROGRESS_BYTES)
        return false;
    c->since_moved = moved;
    c->since_ms = now_ms;
    return true;
}

/* The first look of a phase; most are over before it. */
static void measure(serve_client *c)
{
    if (!c->is_measured && (c->phase == SERVE_PHASE_RECEIVING || c->phase == SERVE_PHASE_SENDING))
        c->since_moved = bytes_moved(c);
    c->is_measured = true;
}

static bool is_too_slow(serve_client *c, int64_t now_ms, int64_t idle_ms)
{
    measure(c);
    if (now_ms - c->since_ms < idle_ms)
        return false;
    switch (c->phase) {
    case SERVE_PHASE_WAITING:
    case SERVE_PHASE_DRAINING:
    case SERVE_PHASE_COLLECTING:
        return true;
    case SERVE_PHASE_RECEIVING:
    case SERVE_PHASE_SENDING:
        return !gets_on(c, now_ms);
    default:
        return false;
    }
}

bool serve_client_has_hung_up(const serve_client *c)
{
    struct pollfd poll_fd = {.fd = c ? c->fd : -1, .events = POLLRDHUP};

    return c && poll(&poll_fd, 1, 0) > 0 &&
           (poll_fd.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

/* Whoever watches the descriptor by its edges does not look again after it has got less than it
 * asked for, and the kernel does not tell again of an end that was there by then. This makes it. */
void serve_client_show_end(const serve_client *c)
{
    if (serve_client_has_hung_up(c))
        (void)shutdown(c->fd, SHUT_RD);
}

void serve_clients_tick(serve_clients *t)
{
    int64_t now_ms = coras_now_ms();

    pthread_mutex_lock(&t->lock);
    for (serve_client *c = t->first; c; c = c->next) {
        if (c->phase == SERVE_PHASE_WAITING)
            serve_client_show_end(c);
        if (is_too_slow(c, now_ms, t->limits.idle_ms))
            cut(c);
    }
    pthread_mutex_unlock(&t->lock);
}
