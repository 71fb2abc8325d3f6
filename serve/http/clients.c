/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of open connections. Progress is what the kernel has acknowledged in either direction,
 * so that a body, an answer sent from a file and TLS are all measured in one way.
 */
#include "serve/http/clients.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/str.h"

/* What has to move within the time that an idle connection is given: 273 bytes a second by default.
 * A byte a minute is no progress. */
#define PROGRESS_BYTES (16 * CORAS_KIB)

/* A head is sent at once by everybody who means it. */
#define HEAD_MS 30000

struct serve_clients {
    struct serve_client_limits limits; /* const */
    pthread_mutex_t lock;
    serve_client *first; /* lock; the youngest */
    atomic_uint len;
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

/* ---- how many ---- */

/* Its thread notices, and ends it. The descriptor of one that is served is open: serve_client_end()
 * comes before its close and needs the lock. Of one that is not yet it may be closed, and another's
 * by now: that one is cut as it starts. */
static void cut(serve_client *c)
{
    c->phase = SERVE_PHASE_CUT;
    if (c->is_started)
        (void)shutdown(c->fd, SHUT_RDWR);
}

/* Connections among which there may be room for one more. */
struct crowd {
    int64_t most; /* 0: any number */
    int64_t count;
    serve_client *oldest; /* of those that have asked for nothing */
};

static void count(struct crowd *of, serve_client *c)
{
    bool asks = c->phase != SERVE_PHASE_WAITING && c->phase != SERVE_PHASE_DRAINING;

    of->count++;
    if (!asks && (!of->oldest || c->since_ms <= of->oldest->since_ms))
        of->oldest = c;
}

/* Make room for one, if there are as many as may be. false: all of them ask for something. */
static bool make_room(struct crowd *of)
{
    if (of->most == 0 || of->count < of->most)
        return true;
    if (of->oldest)
        cut(of->oldest);
    return of->oldest != NULL;
}

static bool is_room_for(serve_clients *t, const char *network)
{
    struct crowd all = {.most = t->limits.most}, own = {0};

    own.most =
        serve_peer_is_loopback(network) ? t->limits.most_per_loopback : t->limits.most_per_address;

    for (serve_client *c = t->first; c; c = c->next) {
        if (c->phase == SERVE_PHASE_CUT)
            continue;
        count(&all, c);
        if (own.most > 0 && coras_streq(c->network, network))
            count(&own, c);
    }
    if (!make_room(&own))
        return false;
    if (own.most > 0 && own.count >= own.most) /* one goes, of all too */
        all.count--;
    return make_room(&all);
}

/* ---- with the lock ---- */

static void list(serve_clients *t, serve_client *c)
{
    c->next = t->first;
    if (c->next)
        c->next->previous = c;
    t->first = c;
    atomic_fetch_add(&t->len, 1);
}

static void let_go(serve_client *c)
{
    if (--c->users == 0)
        free(c);
}

static void end(serve_clients *t, serve_client *c)
{
    if (c->previous)
        c->previous->next = c->next;
    else
        t->first = c->next;
    if (c->next)
        c->next->previous = c->previous;
    c->phase = SERVE_PHASE_ENDED;
    atomic_fetch_sub(&t->len, 1);
    let_go(c);
}

/* Those that are left were never served: the loops have closed them without a word. */
void serve_clients_free(serve_clients *t)
{
    if (!t)
        return;
    while (t->first)
        end(t, t->first);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* The one with this descriptor that nobody serves yet; the youngest are first. */
static serve_client *find_admitted(const serve_clients *t, int fd)
{
    for (serve_client *c = t->first; c; c = c->next) {
        if (c->fd == fd && !c->is_started)
            return c;
    }
    return NULL;
}

static void end_admitted(serve_clients *t, int fd)
{
    serve_client *c = find_admitted(t, fd);

    if (c)
        end(t, c);
}

/* ---- one connection ---- */

bool serve_clients_admit(serve_clients *t, int fd, const struct sockaddr *address)
{
    serve_client *c = coras_new(serve_client);
    bool room;

    if (!c)
        return false;
    c->fd = fd;
    c->users = 1;
    c->since_ms = coras_now_ms();
    serve_peer_address(address, c->peer);
    serve_peer_network(address, c->network);
    pthread_mutex_lock(&t->lock);
    end_admitted(t, fd); /* one that was closed before it was served */
    room = is_room_for(t, c->network);
    if (room)
        list(t, c);
    else
        free(c);
    pthread_mutex_unlock(&t->lock);
    return room;
}

void serve_clients_refuse(serve_clients *t, int fd)
{
    pthread_mutex_lock(&t->lock);
    end_admitted(t, fd);
    pthread_mutex_unlock(&t->lock);
}

serve_client *serve_client_start(serve_clients *t, int fd)
{
    serve_client *c;

    pthread_mutex_lock(&t->lock);
    c = find_admitted(t, fd);
    if (c)
        c->is_started = c->is_measured = true; /* its first head may have begun before any look */
    if (c && c->phase == SERVE_PHASE_CUT)
        cut(c);
    pthread_mutex_unlock(&t->lock);
    return c;
}

void serve_client_end(serve_clients *t, serve_client *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&t->lock);
    end(t, c);
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

unsigned serve_clients_count(serve_clients *t)
{
    return atomic_load(&t->len);
}

void serve_clients_cut(serve_clients *t)
{
    pthread_mutex_lock(&t->lock);
    for (serve_client *c = t->first; c; c = c->next)
        cut(c);
    pthread_mutex_unlock(&t->lock);
}

/* Bytes that came in so far, and from SENDING or RECEIVING on those that were taken by the other
 * side; 0 where the kernel does not tell. */
static uint64_t bytes_moved(const serve_client *c)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return 0;
    if (c->phase == SERVE_PHASE_WAITING) /* the end of the last answer may still be on its way */
        return info.tcpi_bytes_received;
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
        c->head_ms = 0;
    }
    pthread_mutex_unlock(&t->lock);
}

/* ---- how slow ---- */

/* There are bytes of it that we have not taken: our own disk is what is slow. */
static bool waits_for_us(const serve_client *c)
{
    int waiting = 0;

    return c->phase == SERVE_PHASE_RECEIVING && ioctl(c->fd, FIONREAD, &waiting) == 0 &&
           waiting > 0;
}

static bool gets_on(serve_client *c, int64_t now_ms)
{
    uint64_t moved = bytes_moved(c);

    if (moved - c->since_moved < PROGRESS_BYTES && !waits_for_us(c))
        return false;
    c->since_moved = moved;
    c->since_ms = now_ms;
    return true;
}

/* The first look of a phase; most are over before it. */
static void measure(serve_client *c)
{
    if (!c->is_measured && (c->phase == SERVE_PHASE_RECEIVING || c->phase == SERVE_PHASE_SENDING ||
                            c->phase == SERVE_PHASE_WAITING))
        c->since_moved = bytes_moved(c);
    c->is_measured = true;
}

/* Without a byte of it, it is an idle connection. */
static bool has_begun_a_head(serve_client *c, int64_t now_ms)
{
    if (c->head_ms == 0 && bytes_moved(c) > c->since_moved)
        c->head_ms = now_ms;
    return c->head_ms != 0;
}

static bool is_too_slow(serve_client *c, int64_t now_ms, int64_t idle_ms)
{
    measure(c);
    if (c->phase == SERVE_PHASE_WAITING && has_begun_a_head(c, now_ms))
        return now_ms - c->head_ms >= (idle_ms < HEAD_MS ? idle_ms : HEAD_MS);
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

/* The same of room to send: the library takes a piece that went out in part for a full buffer, also
 * where a stop of the process cut it short (SIGSTOP, a freezer), and the kernel has nothing to tell
 * when nothing is on its way. This value is the one that it has. */
static void show_room(const serve_client *c)
{
    const int as_the_system_has_it = 0;
    int queued = 0;

    if (ioctl(c->fd, SIOCOUTQ, &queued) == 0 && queued == 0)
        (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &as_the_system_has_it,
                         sizeof(as_the_system_has_it));
}

/* In these its loop waits for bytes. */
static bool is_awaited(const serve_client *c)
{
    return c->phase == SERVE_PHASE_WAITING || c->phase == SERVE_PHASE_DRAINING ||
           c->phase == SERVE_PHASE_COLLECTING || c->phase == SERVE_PHASE_RECEIVING;
}

static void look(serve_clients *t, serve_client *c, int64_t now_ms)
{
    if (!c->is_started) { /* its descriptor may be closed, and another's by now */
        if (now_ms - c->since_ms >= t->limits.idle_ms)
            end(t, c);
        return;
    }
    if (is_awaited(c))
        serve_client_show_end(c);
    else if (c->phase == SERVE_PHASE_SENDING)
        show_room(c);
    if (is_too_slow(c, now_ms, t->limits.idle_ms))
        cut(c);
}

void serve_clients_tick(serve_clients *t)
{
    int64_t now_ms = coras_now_ms();

    pthread_mutex_lock(&t->lock);
    for (serve_client *c = t->first, *next; c; c = next) {
        next = c->next;
        look(t, c, now_ms);
    }
    pthread_mutex_unlock(&t->lock);
}
