/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A slow link in front of a server, in user space: link [--delay MS] [--rate BYTES] [--each BYTES]
 * PORT
 *
 * Prints "listening N" and passes every connection on to PORT on loopback. `--delay` is the round
 * trip: each direction takes half of it, and opening a connection takes a whole one. `--rate`
 * bounds the bytes a second of each direction of all connections together, `--each` those of one.
 * On SIGUSR1 it prints "connections C most M requests R up U down D": how many there were, how
 * many at once, HTTP requests, bytes; and counts from zero again. For benchmarks and tests:
 * network emulation in the kernel needs rights and modules that not every machine has.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 256,
    RING = 4 * 1024 * 1024, /* on its way in one direction: more does not fit into the link */
    PACKETS = 2048,
    PACKET = 16 * 1024,
    AHEAD_US = 4000,   /* how far a rate may be overdrawn: sleeping is not exact */
    BEHIND_US = 30000, /* what a busy machine has kept us from passing on may follow */
    SOCKET_BUFFER = 256 * 1024,
};

/* Bytes that arrive together. */
struct packet {
    size_t length;
    int64_t due_us;
};

/* One direction of a connection. */
struct way {
    int from, to;
    char *ring;
    size_t start, held; /* bytes in the ring */
    struct packet packets[PACKETS];
    size_t first, count;
    int64_t free_us; /* when its own rate allows the next byte */
    bool ended, closed;
    bool up;
};

struct connection {
    bool used;
    struct way ways[2];
    int64_t open_us; /* bytes of the client arrive no earlier */
    size_t matched;  /* of the mark below, for counting requests */
};

static const char request_mark[] = " HTTP/1.1\r\n";

static struct {
    int64_t delay_us, rate, each;
    int port;
    int64_t free_us[2]; /* when the link allows the next byte of a direction */
    struct connection connections[CONNECTIONS_MAX];
    unsigned open;
    struct {
        unsigned connections, most, requests;
        unsigned long long bytes[2];
    } counted;
} link_state;

static volatile sig_atomic_t report_wanted;

static void on_signal(int number)
{
    (void)number;
    report_wanted = 1;
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void report(void)
{
    report_wanted = 0; /* first: who has read the line may ask again at once */
    printf("connections %u most %u requests %u up %llu down %llu\n", link_state.counted.connections,
           link_state.counted.most, link_state.counted.requests, link_state.counted.bytes[1],
           link_state.counted.bytes[0]);
    fflush(stdout);
    memset(&link_state.counted, 0, sizeof link_state.counted);
    link_state.counted.most = link_state.open;
}

/* ---- connections ---- */

static void tune(int fd)
{
    int one = 1, size = SOCKET_BUFFER;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (link_state.rate || link_state.each) { /* else buffers of the kernel hold what is "sent" */
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    }
}

static int connect_server(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)link_state.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    tune(fd);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool way_open(struct way *way, int from, int to, bool up)
{
    memset(way, 0, sizeof *way);
    way->from = from;
    way->to = to;
    way->up = up;
    way->ring = malloc(RING);
    return way->ring != NULL;
}

static struct connection *unused(void)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        if (!link_state.connections[i].used)
            return &link_state.connections[i];
    return NULL;
}

static void accept_one(int listener)
{
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    struct connection *c = unused();
    int server = client >= 0 && c ? connect_server() : -1;
    if (server < 0) {
        if (client >= 0)
            close(client);
        return;
    }
    tune(client);
    c->used = way_open(&c->ways[0], server, client, false);
    c->used = way_open(&c->ways[1], client, server, true) && c->used;
    if (!c->used)
        exit(1);
    c->open_us = now_us() + link_state.delay_us * 3 / 2;
    c->matched = 0;
    link_state.counted.connections++;
    if (++link_state.open > link_state.counted.most)
        link_state.counted.most = link_state.open;
}

static void drop(struct connection *c)
{
    close(c->ways[0].from);
    close(c->ways[0].to);
    free(c->ways[0].ring);
    free(c->ways[1].ring);
    c->used = false;
    link_state.open--;
}

/* ---- bytes ---- */

static void count_requests(struct connection *c, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        c->matched = bytes[i] == request_mark[c->matched] ? c->matched + 1 : bytes[i] == ' ';
        if (request_mark[c->matched] == '\0') {
            link_state.counted.requests++;
            c->matched = 0;
        }
    }
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When the last of `length` bytes has left, by a rate that is free from *free_us on. */
static int64_t pass(int64_t *free_us, int64_t rate, size_t length, int64_t now)
{
    if (rate == 0)
        return now;
    *free_us = larger(*free_us, now - BEHIND_US) + (int64_t)length * 1000000 / rate;
    return *free_us;
}

static bool has_room(const struct way *way, int64_t now)
{
    return !way->ended && way->held + PACKET <= RING && way->count < PACKETS &&
           way->free_us <= now + AHEAD_US && link_state.free_us[way->up] <= now + AHEAD_US;
}

static void take_in(struct connection *c, struct way *way, int64_t now)
{
    size_t at = (way->start + way->held) % RING;
    size_t most = RING - at < PACKET ? RING - at : PACKET;
    ssize_t got = recv(way->from, way->ring + at, most, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        way->ended = true;
        return;
    }
    if (way->up)
        count_requests(c, way->ring + at, (size_t)got);
    link_state.counted.bytes[way->up] += (size_t)got;
    int64_t left = larger(pass(&way->free_us, link_state.each, (size_t)got, now),
                          pass(&link_state.free_us[way->up], link_state.rate, (size_t)got, now));
    int64_t due = left + link_state.delay_us / 2;
    if (way->up)
        due = larger(due, c->open_us);
    way->packets[(way->first + way->count++) % PACKETS] = (struct packet){(size_t)got, due};
    way->held += (size_t)got;
}

static bool is_due(const struct way *way, int64_t now)
{
    return way->count > 0 && way->packets[way->first].due_us <= now;
}

static void give_out(struct way *way)
{
    struct packet *packet = &way->packets[way->first];
    size_t most = RING - way->start < packet->length ? RING - way->start : packet->length;
    ssize_t sent = send(way->to, way->ring + way->start, most, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (sent < 0) { /* nobody listens any more */
        way->ended = true;
        way->count = way->held = 0;
        return;
    }
    way->start = (way->start + (size_t)sent) % RING;
    way->held -= (size_t)sent;
    packet->length -= (size_t)sent;
    if (packet->length == 0) {
        way->first = (way->first + 1) % PACKETS;
        way->count--;
    }
}

static void close_when_empty(struct connection *c)
{
    for (int i = 0; i < 2; i++) {
        struct way *way = &c->ways[i];
        if (way->ended && way->count == 0 && !way->closed) {
            shutdown(way->to, SHUT_WR);
            way->closed = true;
        }
    }
    if (c->ways[0].closed || (c->ways[1].closed && c->ways[0].ended))
        drop(c);
}

/* ---- waiting ---- */

static short events_of(const struct connection *c, int fd, int64_t now)
{
    short events = 0;
    for (int i = 0; i < 2; i++) {
        const struct way *way = &c->ways[i];
        if (way->from == fd && has_room(way, now))
            events |= POLLIN;
        if (way->to == fd && is_due(way, now))
            events |= POLLOUT;
    }
    return events;
}

/* Until a packet is due or a rate allows more, in microseconds from now. */
static int64_t wait_of(const struct way *way, int64_t now)
{
    int64_t wait = 1000000;
    if (way->count > 0 && way->packets[way->first].due_us > now)
        wait = way->packets[way->first].due_us - now;
    int64_t again = larger(way->free_us, link_state.free_us[way->up]) - AHEAD_US - now;
    if (!way->ended && again > 0 && again < wait)
        wait = again;
    return wait;
}

static void serve(int listener)
{
    static struct pollfd polled[1 + 2 * CONNECTIONS_MAX];
    int64_t now = now_us(), wait = 1000000;
    nfds_t count = 1;

    polled[0] = (struct pollfd){.fd = listener, .events = POLLIN};
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *c = &link_state.connections[i];
        for (int side = 0; c->used && side < 2; side++) {
            int64_t its = wait_of(&c->ways[side], now);
            int fd = c->ways[side].from;
            short events = events_of(c, fd, now);
            wait = its < wait ? its : wait;
            polled[count++] = (struct pollfd){.fd = events ? fd : -1, .events = events};
        }
    }
    struct timespec timeout = {.tv_sec = wait / 1000000, .tv_nsec = wait % 1000000 * 1000};
    if (ppoll(polled, count, &timeout, NULL) < 0)
        return;
    now = now_us();
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *c = &link_state.connections[i];
        for (int side = 0; c->used && side < 2; side++) {
            struct way *way = &c->ways[side];
            if (has_room(way, now))
                take_in(c, way, now);
            while (is_due(way, now)) {
                size_t before = way->held;
                give_out(way);
                if (way->held == before)
                    break;
            }
        }
        if (c->used)
            close_when_empty(c);
    }
    if (polled[0].revents)
        accept_one(listener);
}

static int listen_somewhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, 128) != 0 || getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
        perror("link");
        exit(1);
    }
    printf("listening %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void read_options(int argc, char **argv)
{
    static const struct option options[] = {{"delay", required_argument, NULL, 'd'},
                                            {"rate", required_argument, NULL, 'r'},
                                            {"each", required_argument, NULL, 'e'},
                                            {0}};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'd')
            link_state.delay_us = strtoll(optarg, NULL, 10) * 1000;
        else if (option == 'r')
            link_state.rate = strtoll(optarg, NULL, 10);
        else if (option == 'e')
            link_state.each = strtoll(optarg, NULL, 10);
        else
            exit(2);
    }
    if (optind + 1 != argc) {
        fprintf(stderr, "usage: link [--delay MS] [--rate BYTES] [--each BYTES] PORT\n");
        exit(2);
    }
    link_state.port = (int)strtol(argv[optind], NULL, 10);
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, on_signal);
    int listener = listen_somewhere();
    for (;;) {
        if (report_wanted)
            report();
        serve(listener);
    }
}
